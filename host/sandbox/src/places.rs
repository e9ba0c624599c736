//! Places in the pool of instances. An attempt begins when all that its component takes of the pool is free, so that
//! a full pool means waiting and never a failure.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::limits::{
    MEMORIES_PER_COMPONENT_MAX, MEMORIES_PER_PLACE, TABLE_ELEMENTS_MAX, TABLES_PER_COMPONENT_MAX,
    TABLES_PER_PLACE,
};

/// What is scarce in the pool.
pub(crate) struct Places {
    attempts: Arc<Semaphore>,
    memories: Arc<Semaphore>,
    tables: Arc<Semaphore>,
}

/// Held as long as the instance exists.
pub(crate) struct Place {
    _attempt: OwnedSemaphorePermit,
    _memories: OwnedSemaphorePermit,
    _tables: OwnedSemaphorePermit,
}

/// What one instance of a component takes of the pool.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Weight {
    pub memories: u32,
    pub tables: u32,
}

impl Places {
    pub fn new(attempts: u32) -> Self {
        let semaphore = |permits: u32| Arc::new(Semaphore::new(permits as usize));
        Self {
            attempts: semaphore(attempts),
            memories: semaphore(memories(attempts)),
            tables: semaphore(tables(attempts)),
        }
    }

    /// None: there is not enough room at this moment, or others came first.
    pub fn take_now(&self, weight: Weight) -> Option<Place> {
        let attempt = self.attempts.clone().try_acquire_owned().ok()?;
        let memories = self.memories.clone().try_acquire_many_owned(weight.memories).ok()?;
        let tables = self.tables.clone().try_acquire_many_owned(weight.tables).ok()?;
        Some(Place { _attempt: attempt, _memories: memories, _tables: tables })
    }

    /// In the order in which they ask, so that large components have their turn. Everybody asks for a place, then for
    /// memories, then for tables, so nobody waits for who waits for him.
    pub async fn take(&self, weight: Weight) -> Place {
        let attempt = self.attempts.clone().acquire_owned().await;
        let memories = self.memories.clone().acquire_many_owned(weight.memories).await;
        let tables = self.tables.clone().acquire_many_owned(weight.tables).await;
        Place {
            _attempt: attempt.expect("the semaphore is never closed"),
            _memories: memories.expect("the semaphore is never closed"),
            _tables: tables.expect("the semaphore is never closed"),
        }
    }
}

/// Memories in the pool. At least one component of the largest kind fits, else it would wait for ever.
pub(crate) fn memories(attempts: u32) -> u32 {
    attempts.saturating_mul(MEMORIES_PER_PLACE).max(MEMORIES_PER_COMPONENT_MAX)
}

/// Tables in the pool, in the same way.
pub(crate) fn tables(attempts: u32) -> u32 {
    attempts.saturating_mul(TABLES_PER_PLACE).max(TABLES_PER_COMPONENT_MAX)
}

/// What the component takes; or, for people, why no pool has room for it.
pub(crate) fn weigh(component: &wasmtime::component::Component) -> Result<Weight, String> {
    let Some(needs) = component.resources_required() else {
        return Err("it imports core modules, and this host provides none".to_owned());
    };
    let elements = u32::try_from(TABLE_ELEMENTS_MAX).unwrap_or(u32::MAX);
    let checks = [
        ("memories", needs.num_memories, MEMORIES_PER_COMPONENT_MAX),
        ("tables", needs.num_tables, TABLES_PER_COMPONENT_MAX),
    ];
    if let Some((what, count, max)) = checks.into_iter().find(|(_, count, max)| count > max) {
        return Err(format!("it has {count} {what}, and a component may have {max}"));
    }
    let largest = needs.max_initial_table_size.unwrap_or(0);
    if largest > u64::from(elements) {
        return Err(format!("it has a table of {largest} elements, and a table may have {elements}"));
    }
    Ok(Weight { memories: needs.num_memories, tables: needs.num_tables })
}
