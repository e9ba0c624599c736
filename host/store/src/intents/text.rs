//! Full text: what is indexed, and how a person's words become a query.

use quantum_core::id::TenantId;

/// One word for the tenant: the tokenizer would cut `tenant-1` into two, and a part of it is not it.
pub(super) fn tenant_word(tenant: &TenantId) -> String {
    let hex: String = tenant.as_str().bytes().map(|byte| format!("{byte:02x}")).collect();
    format!("t{hex}")
}

/// Each word, or a word that begins with it, in name or description; only in the tenant's rows. None: no word in it.
pub(super) fn query(tenant: &TenantId, q: &str) -> Option<String> {
    let words = q.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    let words: Vec<String> = words.map(|word| format!("\"{word}\"*")).collect();
    if words.is_empty() {
        return None;
    }
    Some(format!("tenant : {} AND {{name description}} : ({})", tenant_word(tenant), words.join(" AND ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn operators_of_the_search_language_are_words_like_any_other() {
        let tenant = TenantId::new("t-1").unwrap();
        let expected = "tenant : t742d31 AND {name description} : (\"NOT\"* AND \"a\"* AND \"web\"*)";
        assert_eq!(query(&tenant, "NOT a\" : web*").as_deref(), Some(expected));
        assert_eq!(query(&tenant, " -\"* "), None);
    }
}
