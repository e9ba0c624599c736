//! What the two databases say differently.

use std::borrow::Cow;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Dialect {
    Sqlite,
    Postgres,
}

/// A statement. Parameters are `?` in order, or `?1` and so on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Sql {
    sqlite: &'static str,
    postgres: Option<&'static str>,
}

impl Sql {
    /// The same for both, but for what `to_postgres` changes.
    pub const fn same(text: &'static str) -> Self {
        Self { sqlite: text, postgres: None }
    }

    pub const fn each(sqlite: &'static str, postgres: &'static str) -> Self {
        Self { sqlite, postgres: Some(postgres) }
    }

    pub fn text(self, dialect: Dialect) -> Cow<'static, str> {
        match dialect {
            Dialect::Sqlite => Cow::Borrowed(self.sqlite),
            Dialect::Postgres => Cow::Owned(to_postgres(self.postgres.unwrap_or(self.sqlite))),
        }
    }
}

impl From<&'static str> for Sql {
    fn from(text: &'static str) -> Self {
        Self::same(text)
    }
}

/// Numbers the parameters, leaves out the hints for SQLite's planner (`INDEXED BY i`, `CROSS JOIN … ON`, `= +column`), and gives
/// functions their other name: `json_each(?)` over an array of texts, `json_extract(column, '$.key')`, `char(1114111)`.
pub(super) fn to_postgres(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 16);
    let (mut rest, mut given) = (text, 0_usize);
    while let Some(first) = rest.chars().next() {
        if let Some(after) = rest.strip_prefix('?') {
            let digits = after.len() - after.trim_start_matches(|c: char| c.is_ascii_digit()).len();
            given += 1;
            let number = after[..digits].parse().unwrap_or(given);
            out.push_str(&format!("${number}"));
            rest = &after[digits..];
        } else if let Some(after) = rest.strip_prefix("INDEXED BY ") {
            rest = after.trim_start_matches(|c: char| c.is_ascii_alphanumeric() || c == '_').trim_start();
        } else if let Some(after) = rest.strip_prefix("= +") {
            out.push_str("= ");
            rest = after;
        } else if let Some(after) = rest.strip_prefix("CROSS JOIN ") {
            out.push_str("JOIN ");
            rest = after;
        } else if let Some(after) = rest.strip_prefix("char(1114111)") {
            out.push_str("chr(1114111)");
            rest = after;
        } else if let Some((parameter, after)) = call(rest, "json_each(") {
            rest = after;
            let parameter = to_postgres_from(parameter, &mut given);
            out.push_str(&format!("json_array_elements_text(CAST({parameter} AS json))"));
        } else if let Some((arguments, after)) = call(rest, "json_extract(") {
            let (column, path) = arguments.split_once(", ").unwrap_or((arguments, ""));
            out.push_str(&format!("(CAST({column} AS json) ->> {})", path.replace("$.", "")));
            rest = after;
        } else {
            out.push(first);
            rest = &rest[first.len_utf8()..];
        }
    }
    out
}

#[cfg(test)]
tokio::task_local! {
    /// Set, what the task asks is asked without the condition on the tenant.
    pub(crate) static FORGETS_TENANTS: ();
}

/// As it is; in the tests above with a condition that always holds, and that still has the parameter.
#[cfg(test)]
pub(super) fn as_asked(text: Cow<'static, str>) -> Cow<'static, str> {
    const CONDITION: &str = "tenant_id = ";
    if FORGETS_TENANTS.try_with(|()| ()).is_err() {
        return text;
    }
    let (mut out, mut rest) = (String::new(), &*text);
    while let Some((before, after)) = rest.split_once(CONDITION) {
        let digits =
            after.strip_prefix(['?', '$']).map(|it| it.trim_start_matches(|c: char| c.is_ascii_digit()));
        out += before;
        match digits {
            Some(behind) => {
                out += &format!("tenant_id > substr({}, 1, 0)", &after[..after.len() - behind.len()]);
                rest = behind;
            }
            None => {
                out += CONDITION;
                rest = after;
            }
        }
    }
    (out + rest).into()
}

#[cfg(not(test))]
pub(super) const fn as_asked(text: Cow<'static, str>) -> Cow<'static, str> {
    text
}

/// A parameter that stands alone.
fn to_postgres_from(parameter: &str, given: &mut usize) -> String {
    *given += 1;
    let number = parameter.trim_start_matches('?').parse().unwrap_or(*given);
    format!("${number}")
}

/// The arguments of a call that the text begins with, and what follows it. Arguments hold no parentheses.
fn call<'a>(text: &'a str, name: &str) -> Option<(&'a str, &'a str)> {
    text.strip_prefix(name)?.split_once(')')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_forgotten_tenant_leaves_every_parameter_in_its_place() {
        let texts =
            ["WHERE e.tenant_id = ? AND id = ?", "ON a.tenant_id = b.tenant_id WHERE a.tenant_id = $12"];
        let forgot = FORGETS_TENANTS.sync_scope((), || texts.map(|text| as_asked(text.into())));
        let expected = [
            "WHERE e.tenant_id > substr(?, 1, 0) AND id = ?",
            "ON a.tenant_id = b.tenant_id WHERE a.tenant_id > substr($12, 1, 0)",
        ];
        assert_eq!(forgot, expected);
        assert_eq!(texts.map(|text| as_asked(text.into())), texts);
    }

    #[test]
    fn parameters_are_numbered_and_hints_left_out() {
        let pairs = [
            ("SELECT a FROM t WHERE a = ? AND b = ?", "SELECT a FROM t WHERE a = $1 AND b = $2"),
            ("SELECT ?2, ?12", "SELECT $2, $12"),
            ("FROM e INDEXED BY some_index WHERE x", "FROM e WHERE x"),
            ("FROM v CROSS JOIN e ON e.a = v.b", "FROM v JOIN e ON e.a = v.b"),
            (
                "IN (SELECT given.value FROM json_each(?2) given)",
                "IN (SELECT given.value FROM json_array_elements_text(CAST($2 AS json)) given)",
            ),
            ("p.id = json_extract(e.origin, '$.parent')", "p.id = (CAST(e.origin AS json) ->> 'parent')"),
        ];
        for (sqlite, postgres) in pairs {
            assert_eq!(to_postgres(sqlite), postgres);
        }
    }
}
