//! What a transfer says of itself: per table how many rows there are, their hash, and whether both sides agree.

use std::collections::BTreeMap;

use aws_lc_rs::digest::{Context, Digest, SHA256};
use quantum_core::id::TenantId;

/// Differences that are named; there may be one a table and tenant.
const NAMED_MAX: usize = 100;

/// What was moved, as both sides have it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transferred {
    pub tenants: u64,
    /// A former transfer had done a part of it.
    pub is_continued: bool,
    /// In the order of their names.
    pub tables: Vec<ComparedTable>,
    /// The first 100.
    pub differences: Vec<Difference>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ComparedTable {
    pub name: String,
    /// In SQLite.
    pub rows: u64,
    /// In PostgreSQL.
    pub rows_moved: u64,
    /// Over all rows in SQLite, by tenant and key: 64 lowercase hex digits.
    pub sha256: String,
    /// The same in PostgreSQL.
    pub sha256_moved: String,
}

/// Where the two do not have the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    pub table: String,
    /// None: the table belongs to no tenant.
    pub tenant: Option<TenantId>,
    pub rows: u64,
    pub rows_moved: u64,
}

impl ComparedTable {
    pub fn is_equal(&self) -> bool {
        self.rows == self.rows_moved && self.sha256 == self.sha256_moved
    }
}

/// Grows table by table and tenant by tenant.
pub(super) struct Comparison {
    tables: BTreeMap<String, Sides>,
    differences: Vec<Difference>,
}

struct Sides {
    source: Side,
    target: Side,
}

struct Side {
    rows: u64,
    hash: Context,
}

impl Comparison {
    pub fn new<'a>(tables: impl Iterator<Item = &'a str>) -> Self {
        let sides = |name: &str| (name.to_owned(), Sides { source: Side::new(), target: Side::new() });
        Self { tables: tables.map(sides).collect(), differences: Vec::new() }
    }

    pub fn add(
        &mut self,
        table: &str,
        tenant: Option<&TenantId>,
        source: (u64, Digest),
        target: (u64, Digest),
    ) {
        let is_equal = source.0 == target.0 && source.1.as_ref() == target.1.as_ref();
        if !is_equal && self.differences.len() < NAMED_MAX {
            let (table, tenant) = (table.to_owned(), tenant.cloned());
            let (rows, rows_moved) = (source.0, target.0);
            self.differences.push(Difference { table, tenant, rows, rows_moved });
        }
        if let Some(sides) = self.tables.get_mut(table) {
            sides.source.add(source);
            sides.target.add(target);
        }
    }

    pub fn finish(self, tenants: u64, is_continued: bool) -> Transferred {
        let tables = self.tables.into_iter().map(|(name, Sides { source, target })| {
            let (rows, sha256) = source.finish();
            let (rows_moved, sha256_moved) = target.finish();
            ComparedTable { name, rows, rows_moved, sha256, sha256_moved }
        });
        Transferred { tenants, is_continued, tables: tables.collect(), differences: self.differences }
    }
}

impl Side {
    fn new() -> Self {
        Self { rows: 0, hash: Context::new(&SHA256) }
    }

    fn add(&mut self, (rows, digest): (u64, Digest)) {
        self.rows += rows;
        self.hash.update(digest.as_ref());
    }

    fn finish(self) -> (u64, String) {
        let digest = self.hash.finish();
        (self.rows, digest.as_ref().iter().map(|byte| format!("{byte:02x}")).collect())
    }
}
