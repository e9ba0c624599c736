//! A transfer from its beginning to its end.

use std::path::{Path, PathBuf};

use super::check::compare;
use super::copy::copy;
use super::error::TransferError;
use super::report::Transferred;
use super::schema::{self, Table};
use super::source::Source;
use super::target::Target;
use crate::PostgresOptions;

/// Rows of a transaction. Each is a round trip, and what a crash makes anew; bytes bound it, too.
const PAGE_ROWS: usize = 1_000;

/// From where to where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TransferOptions {
    /// The database file, in its data folder. Nobody must write to it.
    pub database: PathBuf,
    pub to: PostgresOptions,
    /// Rows that are written at a time.
    pub page_rows: usize,
}

impl TransferOptions {
    pub fn new(database: impl Into<PathBuf>, to: PostgresOptions) -> Self {
        Self { database: database.into(), to, page_rows: PAGE_ROWS }
    }
}

/// What has just been done, in rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TransferStep {
    Moved(u64),
    Compared(u64),
}

/// Both ends, and what goes between them.
pub(super) struct Route<'a> {
    pub source: Source,
    pub target: Target,
    pub tables: Vec<Table>,
    pub page_rows: usize,
    /// A part of it is there already.
    pub is_continued: bool,
    pub each: &'a dyn Fn(TransferStep),
}

/// Moves what the database of a stopped host holds into an empty database, and compares the two. Cut off at any moment,
/// the same call goes on where it was; until both sides were found equal no host starts on the target. Err: see
/// `TransferError`; differences are no error, and keep hosts away.
pub async fn transfer(
    options: TransferOptions,
    each: &dyn Fn(TransferStep),
) -> Result<Transferred, TransferError> {
    let mut source = Source::open(&options.database).await?;
    let mut target = Target::open(&options.to).await?;
    let (described, references) = (target.columns().await?, target.references().await?);
    let tables = schema::tables(&source.columns().await?, &described, &references)?;
    let is_continued = target.mark(&folder_of(&options.database)).await?;
    let page_rows = options.page_rows.max(1);
    let mut route = Route { source, target, tables, page_rows, is_continued, each };
    copy(&mut route).await?;
    let report = compare(&mut route).await?;
    if report.differences.is_empty() {
        route.target.unmark().await?;
    }
    Ok(report)
}

/// The same for the same folder, however it is named.
fn folder_of(database: &Path) -> String {
    let folder = database.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    folder.canonicalize().unwrap_or_else(|_| folder.to_owned()).display().to_string()
}
