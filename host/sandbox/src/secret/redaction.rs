//! Takes the values of secrets out of what a guest says. Linear in the text for each form that is looked for, whatever
//! the guest writes; what comes out is bounded by the caller.

use std::ops::Range;
use std::sync::{Arc, PoisonError, RwLock};

use serde_json::{Map, Value};

use super::forms::{FORM_BYTES_MIN, forms};

/// The values that one attempt has opened so far. Values below 4 bytes are not looked for: they are in every text.
#[derive(Default)]
pub(crate) struct Redactions(RwLock<Arc<Vec<Form>>>);

struct Form {
    text: String,
    /// `[secret NAME]`.
    label: Arc<str>,
}

impl Redactions {
    /// From now on this value is taken out.
    pub fn add(&self, name: &str, value: &str) {
        let label: Arc<str> = format!("[secret {name}]").into();
        let added = forms(value).into_iter().map(|text| Form { text, label: label.clone() });
        let mut all = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let kept = all.iter().map(|form| Form { text: form.text.clone(), label: form.label.clone() });
        *all = Arc::new(kept.chain(added).collect());
    }

    pub fn is_empty(&self) -> bool {
        self.forms().is_empty()
    }

    /// At most this many bytes of the text, at a character's border, without values.
    pub fn text(&self, text: &str, bytes_max: usize) -> String {
        let forms = self.forms();
        if forms.is_empty() {
            return head(text, bytes_max).to_owned();
        }
        let mut search = Search::new(&forms, text);
        let mut kept = String::new();
        let mut from = 0;
        while let Some(room) = bytes_max.checked_sub(kept.len()) {
            let Some((at, form)) = search.earliest(from, room) else { break };
            kept.push_str(text.get(from..at).unwrap_or_default());
            kept.push_str(&form.label);
            from = at + form.text.len();
        }
        let room = bytes_max.saturating_sub(kept.len());
        kept.push_str(head(text.get(from..).unwrap_or_default(), room));
        let end = head(&kept, bytes_max).len();
        kept.truncate(end);
        kept
    }

    /// Where values are in these bytes, from the left, with what stands for each. A value is text, so that it lies in
    /// what is text of them.
    pub fn found(&self, bytes: &[u8]) -> Vec<(Range<usize>, Arc<str>)> {
        let forms = self.forms();
        let mut found = Vec::new();
        let mut begin = 0;
        for chunk in bytes.utf8_chunks() {
            let text = chunk.valid();
            let mut search = Search::new(&forms, text);
            let mut from = 0;
            while let Some((at, form)) = search.earliest(from, text.len()) {
                from = at + form.text.len();
                found.push((begin + at..begin + from, form.label.clone()));
            }
            begin += text.len() + chunk.invalid().len();
        }
        found
    }

    /// Some value is in it.
    pub fn holds(&self, text: &str) -> bool {
        Search::new(&self.forms(), text).earliest(0, text.len()).is_some()
    }

    /// The text without a value that its end has the beginning of: for a text that was cut already.
    pub fn without_cut_value<'a>(&self, text: &'a str) -> &'a str {
        let forms = self.forms();
        let cut = forms.iter().filter_map(|form| begun_at_end(text, &form.text)).max();
        head(text, text.len() - cut.unwrap_or(0))
    }

    /// All strings and keys of a JSON value; `left` is how many bytes of them are kept.
    pub fn value(&self, value: Value, left: &mut usize) -> Value {
        match value {
            Value::String(text) => Value::String(self.take(&text, left)),
            Value::Number(number) => {
                let text = number.to_string();
                let kept = self.take(&text, left);
                if kept == text { Value::Number(number) } else { Value::String(kept) }
            }
            Value::Array(items) => items.into_iter().map(|item| self.value(item, left)).collect(),
            Value::Object(members) => {
                let mut kept = Map::new();
                for (name, member) in members {
                    let name = self.take(&name, left);
                    kept.insert(name, self.value(member, left));
                }
                Value::Object(kept)
            }
            other => other,
        }
    }

    fn take(&self, text: &str, left: &mut usize) -> String {
        let kept = self.text(text, *left);
        *left -= kept.len();
        kept
    }

    fn forms(&self) -> Arc<Vec<Form>> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Looks for all forms from the left. No further into the text than can be kept, and nowhere twice for the same form.
struct Search<'a> {
    text: &'a str,
    nexts: Vec<Next<'a>>,
    /// Bytes of the longest form.
    longest: usize,
}

struct Next<'a> {
    form: &'a Form,
    /// Where it comes next; none when it does not begin before `searched`.
    at: Option<usize>,
    searched: usize,
}

impl<'a> Search<'a> {
    fn new(forms: &'a [Form], text: &'a str) -> Self {
        let nexts = forms.iter().map(|form| Next { form, at: None, searched: 0 }).collect();
        Self { text, nexts, longest: forms.iter().map(|form| form.text.len()).max().unwrap_or(0) }
    }

    /// Of those that begin first the longest; none when none begins within the room.
    fn earliest(&mut self, from: usize, room: usize) -> Option<(usize, &'a Form)> {
        let end = head(self.text, from.saturating_add(room).saturating_add(self.longest)).len();
        for next in self.nexts.iter_mut().filter(|next| next.at.is_none_or(|at| at < from)) {
            next.look(self.text, from, end);
        }
        let found = self.nexts.iter().filter_map(|next| Some((next.at?, next.form)));
        found.min_by_key(|(at, form)| (*at, usize::MAX - form.text.len()))
    }
}

impl Next<'_> {
    fn look(&mut self, text: &str, from: usize, end: usize) {
        let begin = self.searched.max(from);
        let found = text.get(begin..end).and_then(|part| part.find(&self.form.text));
        self.at = found.map(|at| begin + at);
        // It may begin just before the end, and go on behind it.
        let behind = head(text, (end + 1).saturating_sub(self.form.text.len())).len();
        self.searched = self.at.unwrap_or(behind).max(begin);
    }
}

/// How many bytes at the end are a beginning of this form.
fn begun_at_end(text: &str, form: &str) -> Option<usize> {
    let longest = form.len().saturating_sub(1).min(text.len());
    let begins =
        |length: &usize| form.as_bytes().get(..*length).is_some_and(|it| text.as_bytes().ends_with(it));
    (FORM_BYTES_MIN..=longest).rev().find(begins)
}

/// The beginning of the text up to this many bytes, at a character's border.
fn head(text: &str, bytes_max: usize) -> &str {
    let end = text.floor_char_boundary(bytes_max);
    text.get(..end).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn redactions() -> Redactions {
        let redactions = Redactions::default();
        redactions.add("TOKEN", "s3cr3t-value");
        redactions.add("SHORT", "abcd");
        redactions.add("NAMED", "secret");
        redactions
    }

    #[test]
    fn values_are_replaced_once_and_the_longest_wins() {
        let check = |text: &str, expected: &str| assert_eq!(redactions().text(text, 1_000), expected);
        check("a s3cr3t-value b", "a [secret TOKEN] b");
        check("abcdabcd", "[secret SHORT][secret SHORT]");
        check("secret abc", "[secret NAMED] abc");
        check("p\u{e4}ss", "p\u{e4}ss");
        let redactions = redactions();
        redactions.add("LONGER", "s3cr3t-value-2");
        assert_eq!(redactions.text("s3cr3t-value-2", 1_000), "[secret LONGER]");
    }

    #[test]
    fn what_comes_out_is_bounded_however_often_a_value_comes() {
        let text = "abcd".repeat(100_000);
        assert_eq!(redactions().text(&text, 20), "[secret SHORT][secre");
        assert_eq!(redactions().text(&text, usize::MAX).len(), 100_000 * "[secret SHORT]".len());
        assert_eq!(Redactions::default().text("p\u{e4}ss", 2), "p");
    }

    #[test]
    fn a_value_is_found_wherever_it_is_and_however_little_is_kept() {
        let redactions = redactions();
        for before in 0..40 {
            let text = format!("{}s3cr3t-value{}", "x".repeat(before), "secret".repeat(3));
            let all = format!("{}[secret TOKEN]{}", "x".repeat(before), "[secret NAMED]".repeat(3));
            for bytes_max in 0..=all.len() + 1 {
                assert_eq!(redactions.text(&text, bytes_max), all[..all.len().min(bytes_max)], "{bytes_max}");
            }
        }
        let wide = format!("{}s3cr3t-value", "\u{e4}".repeat(10));
        for bytes_max in 0..20 {
            assert_eq!(redactions.text(&wide, bytes_max), "\u{e4}".repeat(bytes_max / 2));
        }
    }

    #[test]
    fn a_cut_text_does_not_end_in_the_beginning_of_a_value() {
        assert_eq!(redactions().without_cut_value("x s3cr3t-va"), "x ");
        assert_eq!(redactions().without_cut_value("x s3c"), "x s3c");
    }

    #[test]
    fn json_is_walked_keys_and_numbers_too() {
        let redactions = Redactions::default();
        redactions.add("PIN", "424242");
        redactions.add("QUOTED", "a\"bcd");
        let value = json!({ "424242": [424_242, 7, true, null, { "x": "a\"bcd" }] });
        let mut left = 1_000;
        let expected = json!({ "[secret PIN]": ["[secret PIN]", 7, true, null, { "x": "[secret QUOTED]" }] });
        assert_eq!(redactions.value(value, &mut left), expected);
        assert_eq!(left, 1_000 - 2 * "[secret PIN]".len() - "[secret QUOTED]".len() - 2);
    }
}
