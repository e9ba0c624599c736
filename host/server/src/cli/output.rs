//! Printing answers: a table for people, JSON for programs.

use std::io::{self, Write};

use clap::ValueEnum;
use serde_json::Value;

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Output {
    Table,
    Json,
}

/// A column: its title, and the path of its value in an item.
pub(crate) type Column = (&'static str, &'static str);

impl Output {
    /// A list under `items`.
    pub fn list(self, body: &Value, columns: &[Column]) -> io::Result<()> {
        match self {
            Self::Json => self.value(body),
            Self::Table => {
                let items =
                    body.get("items").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
                write_table(items, columns)?;
                if body.get("next_page_token").is_some_and(Value::is_string) {
                    writeln!(io::stdout(), "… there is more")?;
                }
                Ok(())
            }
        }
    }

    /// One thing: a line a field.
    pub fn fields(self, body: &Value, fields: &[Column]) -> io::Result<()> {
        if self == Self::Json {
            return self.value(body);
        }
        let width = fields.iter().map(|(title, _)| title.len()).max().unwrap_or(0);
        let mut out = io::stdout().lock();
        for (title, path) in fields {
            writeln!(out, "{title:width$}  {}", cell(body, path))?;
        }
        Ok(())
    }

    pub fn value(self, value: &Value) -> io::Result<()> {
        let mut out = io::stdout().lock();
        serde_json::to_writer_pretty(&mut out, value)?;
        writeln!(out)
    }

    /// One line for people, the whole value for programs.
    pub fn line(self, text: &str, value: &Value) -> io::Result<()> {
        match self {
            Self::Json => self.value(value),
            Self::Table => writeln!(io::stdout(), "{text}"),
        }
    }
}

pub(crate) fn write_table(items: &[Value], columns: &[Column]) -> io::Result<()> {
    let titles: Vec<String> = columns.iter().map(|(title, _)| (*title).to_owned()).collect();
    let rows = items.iter().map(|item| columns.iter().map(|(_, path)| cell(item, path)).collect());
    let rows: Vec<Vec<String>> = std::iter::once(titles).chain(rows).collect();
    let width = |at: usize| rows.iter().filter_map(|row| row.get(at)).map(|cell| cell.chars().count()).max();
    let widths: Vec<usize> = (0..columns.len()).map(|at| width(at).unwrap_or(0)).collect();
    let mut out = io::stdout().lock();
    for row in &rows {
        let padded = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}"));
        writeln!(out, "{}", padded.collect::<Vec<_>>().join("  ").trim_end())?;
    }
    Ok(())
}

/// `a.b` in an item, as one line of text.
pub(crate) fn cell(item: &Value, path: &str) -> String {
    match path.split('.').try_fold(item, |at, key| at.get(key)) {
        None | Some(Value::Null) => "-".to_owned(),
        Some(Value::String(text)) => text.replace('\n', " "),
        Some(Value::Array(parts)) => parts
            .iter()
            .map(|part| part.as_str().map_or_else(|| part.to_string(), str::to_owned))
            .collect::<Vec<_>>()
            .join(", "),
        Some(other) => other.to_string(),
    }
}
