//! Full text: what is indexed, and how a person's words become a query.

use std::collections::BTreeSet;

use quantum_core::id::TenantId;

use crate::database::Dialect;

/// One word for the tenant: the tokenizer would cut `tenant-1` into two, and a part of it is not it.
pub(super) fn tenant_word(tenant: &TenantId) -> String {
    let hex: String = tenant.as_str().bytes().map(|byte| format!("{byte:02x}")).collect();
    format!("t{hex}")
}

/// What PostgreSQL finds an intent by: words, apart. SQLite's tokenizer cuts a text in the same places.
pub(crate) fn words(name: &str, description: &str) -> String {
    let words: BTreeSet<String> = split(name).chain(split(description)).map(str::to_lowercase).collect();
    words.into_iter().collect::<Vec<_>>().join(" ")
}

/// Each word, or a word that begins with it, in name or description; only in the tenant's rows. None: no word in it.
pub(super) fn query(dialect: Dialect, tenant: &TenantId, q: &str) -> Option<String> {
    let words: Vec<&str> = split(q).collect();
    if words.is_empty() {
        return None;
    }
    Some(match dialect {
        Dialect::Sqlite => {
            let words: Vec<String> = words.iter().map(|word| format!("\"{word}\"*")).collect();
            format!("tenant : {} AND {{name description}} : ({})", tenant_word(tenant), words.join(" AND "))
        }
        Dialect::Postgres => {
            let words: Vec<String> =
                words.iter().map(|word| format!("'{}':*", word.to_lowercase())).collect();
            words.join(" & ")
        }
    })
}

fn split(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn operators_of_the_search_language_are_words_like_any_other() {
        let tenant = TenantId::new("t-1").unwrap();
        let expected = "tenant : t742d31 AND {name description} : (\"NOT\"* AND \"a\"* AND \"web\"*)";
        assert_eq!(query(Dialect::Sqlite, &tenant, "NOT a\" : web*").as_deref(), Some(expected));
        let expected = "'not':* & 'a':* & 'web':*";
        assert_eq!(query(Dialect::Postgres, &tenant, "NOT a\" : web*").as_deref(), Some(expected));
        assert_eq!(words("deploy-web", "Ships web."), "deploy ships web");
        assert_eq!(query(Dialect::Sqlite, &tenant, " -\"* "), None);
    }
}
