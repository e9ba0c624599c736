//! {{title}}: counts the words of a text.

use quantum_sdk::prelude::*;

#[derive(Deserialize, JsonSchema)]
struct Text {
    /// The text whose words are counted.
    text: String,
    /// Words with fewer letters are left out.
    #[serde(default)]
    letters_min: usize,
}

#[derive(Serialize, JsonSchema)]
struct Counted {
    words: usize,
    /// The first of the longest words.
    longest: Option<String>,
}

/// Counts the words of a text.
#[action(name = "{{name}}", idempotent, no_side_effects)]
fn count_words(ctx: &Context, p: Text) -> Result<Counted> {
    if p.text.trim().is_empty() {
        return Err(Failure::permanent("no-text", "the text is empty"));
    }
    let words = p
        .text
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty());
    let words: Vec<&str> = words
        .filter(|word| word.chars().count() >= p.letters_min)
        .collect();
    let longest = words.iter().rev().max_by_key(|word| word.chars().count());
    ctx.log().info("counted", &[("words", &words.len())]);
    Ok(Counted {
        words: words.len(),
        longest: longest.map(|word| (*word).to_owned()),
    })
}

plugin!(count_words);

#[cfg(test)]
mod tests {
    use quantum_sdk::testing::Host;
    use serde_json::json;

    use super::*;

    #[test]
    fn words_are_counted_and_it_is_logged() {
        let host = Host::new();
        let counted =
            host.run::<count_words>(json!({ "text": "to be, or not to be", "letters_min": 3 }));
        assert_eq!(counted.unwrap(), json!({ "words": 1, "longest": "not" }));
        assert_eq!(host.logs()[0].field("words"), Some("1"));
    }

    #[test]
    fn an_empty_text_is_refused() {
        let failure = Host::new()
            .run::<count_words>(json!({ "text": " " }))
            .unwrap_err();
        assert_eq!(failure.to_string(), "no-text: the text is empty");
    }
}
