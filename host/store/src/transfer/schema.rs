//! Which tables are moved, in which order, and by which statements. PostgreSQL's catalog decides; that SQLite has what
//! it names, and nothing else, is checked.

use std::collections::{BTreeMap, BTreeSet};

use super::error::TransferError;
use super::value::Kind;

/// Tables of SQLite that are not moved: they say what its file is, which processes use it, or are made anew.
const LEFT_OUT: [&str; 4] = ["schema_migrations", "nodes", "leaders", "intent_text"];
/// Of the text index, which has tables of its own.
const TEXT_INDEX: &str = "intent_text_";
/// Columns of SQLite that PostgreSQL has no use for: the row in the text index.
const COLUMNS_LEFT_OUT: [(&str, &str); 1] = [("intents", "text_id")];
/// Sums that triggers keep: the columns begin at zero, before the rows that they count.
const SUMS: [(&str, [&str; 2], &str); 2] =
    [("artifact_usage", ["artifacts", "bytes"], "artifacts"), ("kv_spaces", ["entries", "bytes"], "kv")];
const TENANT: &str = "tenant_id";

/// A column as PostgreSQL describes it.
#[derive(Debug, Clone)]
pub(super) struct Described {
    pub table: String,
    pub column: String,
    pub type_name: String,
    pub is_generated: bool,
    /// It has no default, and is not NULL.
    pub is_needed: bool,
    /// Its place in the primary key, from 1 on.
    pub key: Option<i64>,
}

#[derive(Debug)]
pub(super) struct Table {
    pub name: String,
    pub columns: Vec<Column>,
    /// Of the columns, in the order of the primary key.
    pub key: Vec<usize>,
}

#[derive(Debug)]
pub(super) struct Column {
    pub name: String,
    pub kind: Kind,
    /// PostgreSQL computes it of other rows.
    pub is_sum: bool,
}

/// The tables to move, each after those that it refers to. `of_sqlite`: names of table and column.
pub(super) fn tables(
    of_sqlite: &[(String, String)],
    of_postgres: &[Described],
    references: &[(String, String)],
) -> Result<Vec<Table>, TransferError> {
    let mut names = BTreeSet::new();
    for (table, _) in of_sqlite {
        if !LEFT_OUT.contains(&table.as_str()) && !table.starts_with(TEXT_INDEX) {
            names.insert(table.as_str());
        }
    }
    let mut tables = BTreeMap::new();
    for name in names {
        let has = of_sqlite.iter().filter(|(table, _)| table == name).map(|(_, column)| column.as_str());
        let wanted: Vec<_> = of_postgres.iter().filter(|described| described.table == name).collect();
        tables.insert(name.to_owned(), table(name, &has.collect(), &wanted)?);
    }
    let sums = SUMS.map(|(table, _, counted)| (counted.to_owned(), table.to_owned()));
    in_order(tables, &[references, &sums].concat())
}

fn table(name: &str, has: &BTreeSet<&str>, wanted: &[&Described]) -> Result<Table, TransferError> {
    let left_out = |column: &str| COLUMNS_LEFT_OUT.contains(&(name, column));
    let known = |column: &str| wanted.iter().any(|described| described.column == column);
    if let Some(column) = has.iter().find(|column| !left_out(column) && !known(column)) {
        return Err(misfit(format!("PostgreSQL has no column \"{column}\" of \"{name}\"")));
    }
    let (mut columns, mut key) = (Vec::new(), BTreeMap::new());
    for described in wanted.iter().filter(|described| !described.is_generated) {
        if !has.contains(described.column.as_str()) {
            if described.is_needed {
                return Err(misfit(format!("SQLite has no column \"{}\" of \"{name}\"", described.column)));
            }
            continue;
        }
        if let Some(place) = described.key {
            key.insert(place, columns.len());
        }
        columns.push(column(described)?);
    }
    let key: Vec<usize> = key.into_values().collect();
    let of_tenant = columns.iter().position(|column| column.name == TENANT);
    if key.is_empty() || of_tenant.is_some_and(|at| key.first() != Some(&at)) {
        return Err(misfit(format!("the primary key of \"{name}\" does not start with the tenant")));
    }
    Ok(Table { name: name.to_owned(), columns, key })
}

fn column(described: &Described) -> Result<Column, TransferError> {
    let Described { table, column, type_name, .. } = described;
    let kind = Kind::of(type_name)
        .ok_or_else(|| misfit(format!("\"{column}\" of \"{table}\" is of the unknown type {type_name}")))?;
    let is_sum = SUMS.iter().any(|(of, sums, _)| of == table && sums.contains(&column.as_str()));
    Ok(Column { name: column.clone(), kind, is_sum })
}

/// References to tables that are not moved, and of a table to itself, say nothing of the order.
fn in_order(
    mut tables: BTreeMap<String, Table>,
    references: &[(String, String)],
) -> Result<Vec<Table>, TransferError> {
    let mut ordered = Vec::with_capacity(tables.len());
    while !tables.is_empty() {
        let waits = |name: &String| {
            references.iter().any(|(from, to)| from == name && to != name && tables.contains_key(to))
        };
        let next = tables.keys().find(|name| !waits(name)).cloned();
        let next = next.and_then(|name| tables.remove(&name));
        ordered.push(next.ok_or_else(|| misfit("tables refer to each other in a circle".to_owned()))?);
    }
    Ok(ordered)
}

const fn misfit(what: String) -> TransferError {
    TransferError::Schema { what }
}

impl Table {
    pub fn is_of_tenants(&self) -> bool {
        self.columns.iter().any(|column| column.name == TENANT)
    }

    pub fn kinds(&self) -> impl Iterator<Item = Kind> {
        self.columns.iter().map(|column| column.kind)
    }

    /// In the order of the key. The parameters are the tenant of a tenant table, and then, with `is_after`, the rest of
    /// a key.
    pub fn select(&self, parameter: char, is_after: bool) -> String {
        let key = self.key_after_tenant();
        let list = self.list(self.columns.iter());
        let mut text = format!("SELECT {list} FROM \"{}\"", self.name);
        let given = usize::from(self.is_of_tenants());
        if given > 0 {
            text += &format!(" WHERE {TENANT} = {parameter}1");
        }
        if is_after && !key.is_empty() {
            let numbers = (1..=key.len()).map(|at| format!("{parameter}{}", at + given));
            let numbers = numbers.collect::<Vec<_>>().join(", ");
            let word = if given > 0 { "AND" } else { "WHERE" };
            text += &format!(" {word} ({}) > ({numbers})", self.list(key.iter().copied()));
        }
        let order = self.key.iter().map(|at| &self.columns[*at]);
        text + &format!(" ORDER BY {}", self.list(order))
    }

    /// The key of the last row in PostgreSQL, without the tenant.
    pub fn select_last_key(&self) -> String {
        let key = self.key_after_tenant();
        let columns = if key.is_empty() { "1".to_owned() } else { self.list(key.iter().copied()) };
        let of_tenant = if self.is_of_tenants() { format!(" WHERE {TENANT} = $1") } else { String::new() };
        let order = key.iter().map(|column| format!("\"{}\" DESC", column.name)).collect::<Vec<_>>();
        let order = if order.is_empty() { String::new() } else { format!(" ORDER BY {}", order.join(", ")) };
        format!("SELECT {columns} FROM \"{}\"{of_tenant}{order} LIMIT 1", self.name)
    }

    /// One array a column.
    pub fn insert(&self) -> String {
        let arrays = (1..).zip(self.kinds()).map(|(at, kind)| format!("${at}::{}", kind.array()));
        let arrays = arrays.collect::<Vec<_>>().join(", ");
        let list = self.list(self.columns.iter());
        format!("INSERT INTO \"{}\" ({list}) SELECT * FROM UNNEST({arrays})", self.name)
    }

    pub fn key_after_tenant(&self) -> Vec<&Column> {
        let key = self.key.iter().map(|at| &self.columns[*at]);
        key.filter(|column| column.name != TENANT).collect()
    }

    fn list<'a>(&self, columns: impl Iterator<Item = &'a Column>) -> String {
        columns.map(|column| format!("\"{}\"", column.name)).collect::<Vec<_>>().join(", ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn described(table: &str, column: &str, type_name: &str, key: Option<i64>) -> Described {
        let (table, column, type_name) = (table.to_owned(), column.to_owned(), type_name.to_owned());
        Described { table, column, type_name, is_generated: false, is_needed: true, key }
    }

    fn pair(first: &str, second: &str) -> (String, String) {
        (first.to_owned(), second.to_owned())
    }

    fn kv() -> Vec<Described> {
        vec![
            described("kv", "tenant_id", "text", Some(1)),
            described("kv", "at", "int8", Some(3)),
            described("kv", "key", "text", Some(2)),
            described("kv", "value", "bytea", None),
        ]
    }

    #[test]
    fn statements_name_the_columns_that_both_have_in_the_order_of_the_key() {
        let has = ["tenant_id", "key", "at", "value"].map(|column| pair("kv", column));
        let tables = tables(&has, &kv(), &[]).unwrap();
        assert_eq!(
            tables[0].select('?', true),
            r#"SELECT "tenant_id", "at", "key", "value" FROM "kv" WHERE tenant_id = ?1 AND ("key", "at") > (?2, ?3) ORDER BY "tenant_id", "key", "at""#
        );
        assert_eq!(
            tables[0].select_last_key(),
            r#"SELECT "key", "at" FROM "kv" WHERE tenant_id = $1 ORDER BY "key" DESC, "at" DESC LIMIT 1"#
        );
        assert_eq!(
            tables[0].insert(),
            r#"INSERT INTO "kv" ("tenant_id", "at", "key", "value") SELECT * FROM UNNEST($1::text[], $2::int8[], $3::text[], $4::bytea[])"#
        );
    }

    #[test]
    fn a_table_comes_after_those_that_it_refers_to_and_after_its_sum() {
        let names = ["artifacts", "artifact_usage", "tenants"];
        let has: Vec<_> = names.iter().map(|name| pair(name, "id")).collect();
        let wanted: Vec<_> = names.iter().map(|name| described(name, "id", "text", Some(1))).collect();
        let references =
            [pair("artifact_usage", "tenants"), pair("artifacts", "nodes"), pair("tenants", "tenants")];
        let tables = tables(&has, &wanted, &references).unwrap();
        let ordered: Vec<_> = tables.iter().map(|table| table.name.as_str()).collect();
        assert_eq!(ordered, ["tenants", "artifact_usage", "artifacts"]);
    }

    #[test]
    fn a_column_that_only_one_side_has_is_not_lost_in_silence() {
        let has = ["tenant_id", "key", "at", "value", "note"].map(|column| pair("kv", column));
        let told = |has: &[(String, String)], wanted: &[Described]| {
            tables(has, wanted, &[]).unwrap_err().to_string()
        };
        assert!(told(&has, &kv()).contains("PostgreSQL has no column \"note\" of \"kv\""));
        assert!(told(&has[..3], &kv()).contains("SQLite has no column \"value\" of \"kv\""));
        assert!(told(&[pair("new", "id")], &[]).contains("PostgreSQL has no column \"id\" of \"new\""));
        let mut odd = kv();
        odd[3].type_name = "jsonb".to_owned();
        assert!(told(&has[..4], &odd).contains("unknown type jsonb"));
    }
}
