//! What a guest holds instead of a secret: a word that is new for each attempt and cannot be guessed, and that stands
//! in headers, URLs, JSON and forms as it is.

use aws_lc_rs::error::Unspecified;

const PREFIX: &[u8] = b"qsec_";
/// Bytes of randomness, written as hex digits: enough that a placeholder of another attempt is never guessed.
const RANDOM_BYTES: usize = 16;
const PLACEHOLDER_BYTES: usize = PREFIX.len() + 2 * RANDOM_BYTES;

/// Err: the system has no randomness.
pub(super) fn placeholder() -> Result<String, Unspecified> {
    let mut random = [0; RANDOM_BYTES];
    aws_lc_rs::rand::fill(&mut random)?;
    let hex = random.iter().map(|byte| format!("{byte:02x}"));
    Ok(String::from_utf8_lossy(PREFIX).into_owned() + &hex.collect::<String>())
}

/// Gives what a placeholder stands for, or none when it is not known: then it stays.
pub(crate) type Lookup<'a, E> = dyn FnMut(&str) -> Result<Option<Vec<u8>>, E> + 'a;

/// Replaces placeholders in text that comes in parts, wherever the parts are cut.
#[derive(Debug, Default)]
pub(crate) struct Finder {
    /// The end of the last part, when it may be the beginning of a placeholder.
    begun: Vec<u8>,
}

enum Next<'a> {
    Whole { before: &'a [u8], found: &'a [u8], after: &'a [u8] },
    Begun { before: &'a [u8], begun: &'a [u8] },
    Nothing,
}

impl Finder {
    /// What can be sent of the parts so far; none when it is this part as it came.
    pub fn part<E>(&mut self, part: &[u8], stand: &mut Lookup<'_, E>) -> Result<Option<Vec<u8>>, E> {
        if self.begun.is_empty() && matches!(next(part), Next::Nothing) {
            return Ok(None);
        }
        let mut joined = std::mem::take(&mut self.begun);
        joined.extend_from_slice(part);
        let mut filled = Vec::with_capacity(joined.len());
        let mut rest = joined.as_slice();
        loop {
            match next(rest) {
                Next::Whole { before, found, after } => {
                    filled.extend_from_slice(before);
                    let known = stand(&String::from_utf8_lossy(found))?;
                    filled.extend_from_slice(known.as_deref().unwrap_or(found));
                    rest = after;
                }
                Next::Begun { before, begun } => {
                    filled.extend_from_slice(before);
                    self.begun = begun.to_vec();
                    return Ok(Some(filled));
                }
                Next::Nothing => {
                    filled.extend_from_slice(rest);
                    return Ok(Some(filled));
                }
            }
        }
    }

    /// What was held back, after the last part.
    pub fn end(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.begun)
    }

    /// The same for a whole text; none when nothing of it was replaced.
    pub fn whole<E>(text: &[u8], stand: &mut Lookup<'_, E>) -> Result<Option<Vec<u8>>, E> {
        let mut finder = Self::default();
        let filled = finder.part(text, stand)?;
        Ok(filled.map(|filled| [filled, finder.end()].concat()).filter(|filled| filled != text))
    }
}

fn next(bytes: &[u8]) -> Next<'_> {
    let first = PREFIX.first();
    for (at, _) in bytes.iter().enumerate().filter(|(_, byte)| Some(*byte) == first) {
        let (before, candidate) = bytes.split_at(at);
        if !candidate.iter().take(PLACEHOLDER_BYTES).enumerate().all(|(at, byte)| belongs(at, *byte)) {
            continue;
        }
        return match candidate.split_at_checked(PLACEHOLDER_BYTES) {
            Some((found, after)) => Next::Whole { before, found, after },
            None => Next::Begun { before, begun: candidate },
        };
    }
    Next::Nothing
}

/// Whether a placeholder may have this byte at this place.
fn belongs(at: usize, byte: u8) -> bool {
    match PREFIX.get(at) {
        Some(expected) => *expected == byte,
        None => byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte),
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use super::*;

    const OURS: &str = "qsec_00112233445566778899aabbccddeeff";

    fn stand(found: &str) -> Result<Option<Vec<u8>>, Infallible> {
        Ok((found == OURS).then(|| b"value".to_vec()))
    }

    fn fill(parts: &[&[u8]]) -> String {
        let mut finder = Finder::default();
        let mut all = Vec::new();
        for part in parts {
            all.extend(finder.part(part, &mut stand).unwrap().unwrap_or_else(|| part.to_vec()));
        }
        all.extend(finder.end());
        String::from_utf8(all).unwrap()
    }

    #[test]
    fn a_placeholder_is_replaced_wherever_the_text_is_cut() {
        let text = format!("qq{OURS}qsec{OURS}{OURS}qsec_0");
        for first in 0..text.len() {
            for second in first..text.len() {
                let (head, tail) = text.as_bytes().split_at(first);
                let (middle, tail) = tail.split_at(second - first);
                assert_eq!(fill(&[head, middle, tail]), "qqvalueqsecvaluevalueqsec_0");
            }
        }
        let bytes: Vec<&[u8]> = text.as_bytes().chunks(1).collect();
        assert_eq!(fill(&bytes), "qqvalueqsecvaluevalueqsec_0");
    }

    #[test]
    fn what_only_looks_like_a_placeholder_stays() {
        let unknown = OURS.replace("00", "ff");
        for text in [unknown.as_str(), "qsec_", "q", "", "QSEC_00112233445566778899AABBCCDDEEFF"] {
            assert_eq!(fill(&[text.as_bytes()]), text);
            assert_eq!(Finder::whole(text.as_bytes(), &mut stand).unwrap(), None);
        }
    }

    #[test]
    fn each_placeholder_is_another() {
        let (one, other) = (placeholder().unwrap(), placeholder().unwrap());
        assert_ne!(one, other);
        assert!(matches!(next(one.as_bytes()), Next::Whole { before: [], after: [], .. }), "{one}");
    }
}
