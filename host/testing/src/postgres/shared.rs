//! The one server of a test's process, so that many tests pay for one start.

use std::sync::OnceLock;

use super::{Postgres, TestDatabase};
use crate::missing::Missing;

/// Never dropped: its guard ends it after the process.
static SHARED: OnceLock<Result<Postgres, Missing>> = OnceLock::new();

#[track_caller]
pub fn get() -> Result<&'static Postgres, Missing> {
    SHARED.get_or_init(Postgres::start).as_ref().map_err(|missing| *missing)
}

/// What databases that are asked for prepared are copies of.
pub(super) static TEMPLATE: OnceLock<TestDatabase> = OnceLock::new();
