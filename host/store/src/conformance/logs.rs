//! Log lines: numbered per execution, in the order of writing.

use quantum_core::id::StepId;

use super::fixtures::{execution_id, line, scope, with_tenants};
use super::{Check, Open};
use crate::LogFilter;

/// Batches that mix executions and tenants are numbered apart, and go on where the last one ended.
pub async fn lines_are_numbered_per_execution(open: &Open) -> Check {
    let store = with_tenants(open, &["t-1", "t-2"]).await?;
    let (one, two) = (scope("t-1"), scope("t-2"));
    let batch = vec![line(&one, 1, "a"), line(&two, 1, "x"), line(&one, 2, "y"), line(&one, 1, "b")];
    store.logs().append(batch).await?;
    store.logs().append((0..1_500).map(|number| line(&one, 1, &number.to_string())).collect()).await?;
    let filter = LogFilter { execution: execution_id(1), step: None, after: 0, limit: 3 };
    let rows = store.logs().list(&one, &filter).await?;
    let shown: Vec<_> = rows.iter().map(|row| (row.number, row.line.clone())).collect();
    assert_eq!(shown, [(1, line(&one, 1, "a")), (2, line(&one, 1, "b")), (3, line(&one, 1, "0"))]);
    let last = store.logs().list(&one, &LogFilter { after: 1_501, ..filter.clone() }).await?;
    assert_eq!(last.iter().map(|row| row.number).collect::<Vec<_>>(), [1_502]);
    let other = store.logs().list(&two, &LogFilter { limit: 10, ..filter.clone() }).await?;
    assert_eq!(other.len(), 1);
    let step = StepId::new("push").ok();
    assert!(store.logs().list(&one, &LogFilter { step, ..filter }).await?.is_empty());
    assert_eq!(store.stats().log_lines, 1_504);
    Ok(())
}
