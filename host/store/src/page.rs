//! Lists, page by page. Cursors are keys, not offsets, so that a page stays right while rows are added.

/// Rows of one page at most; a larger `limit` is cut down to it.
const PAGE_ROWS_MAX: u32 = 1_000;

/// Which part of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageRequest {
    pub limit: u32,
    /// `next` of the page before.
    pub after: Option<String>,
}

impl PageRequest {
    pub const fn first(limit: u32) -> Self {
        Self { limit, after: None }
    }

    pub(crate) fn rows(&self) -> usize {
        self.limit.clamp(1, PAGE_ROWS_MAX) as usize
    }
}

/// One page; `next` is there when more follows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<T> {
    pub items: Vec<T>,
    pub next: Option<String>,
}

impl<T> Page<T> {
    /// From up to `rows + 1` items; the one too many tells that more follows.
    pub(crate) fn cut(mut items: Vec<T>, rows: usize, key: impl Fn(&T) -> String) -> Self {
        let more = items.len() > rows;
        items.truncate(rows);
        let next = if more { items.last().map(key) } else { None };
        Self { items, next }
    }
}
