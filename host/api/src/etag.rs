//! ETags of intents, and the condition that a change is based on. A tag is the intent's revision in quotes.

use http::{HeaderMap, header};

use crate::codes;
use crate::problem::Problem;

/// A revision that nothing has: a tag that was never given out matches nothing.
const NEVER: u64 = u64::MAX;

pub(crate) fn of(revision: u64) -> String {
    format!("\"{revision}\"")
}

/// `If-Match` where a change must name what it is based on. None: `*`.
pub(crate) fn required(headers: &HeaderMap) -> Result<Option<u64>, Problem> {
    if !headers.contains_key(header::IF_MATCH) {
        return Err(Problem::new(&codes::IF_MATCH_REQUIRED).detail("a change must say what it is based on"));
    }
    optional(headers)
}

/// `If-Match` where a change may go without.
pub(crate) fn optional(headers: &HeaderMap) -> Result<Option<u64>, Problem> {
    let malformed = || Problem::new(&codes::IF_MATCH_MALFORMED).detail("If-Match is not one ETag");
    let mut values = headers.get_all(header::IF_MATCH).iter();
    let Some(value) = values.next() else { return Ok(None) };
    if values.next().is_some() {
        return Err(malformed());
    }
    match value.to_str().map(str::trim) {
        Ok("*") => Ok(None),
        // A weak tag never matches strongly.
        Ok(weak) if weak.starts_with("W/\"") => Ok(Some(NEVER)),
        Ok(tag) => {
            let inner =
                tag.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).ok_or_else(malformed)?;
            if inner.contains('"') { Err(malformed()) } else { Ok(Some(inner.parse().unwrap_or(NEVER))) }
        }
        Err(_) => Err(malformed()),
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn read(value: &str) -> Result<Option<u64>, u16> {
        let headers = HeaderMap::from_iter([(header::IF_MATCH, HeaderValue::from_str(value).unwrap())]);
        required(&headers).map_err(|problem| problem.code().status)
    }

    #[test]
    fn a_condition_is_one_tag_or_a_star() {
        assert_eq!(read("\"3\""), Ok(Some(3)));
        assert_eq!(read("*"), Ok(None));
        assert_eq!(read("W/\"3\""), Ok(Some(NEVER)));
        assert_eq!(read("\"other\""), Ok(Some(NEVER)));
        for malformed in ["3", "\"3", "\"1\", \"2\"", ""] {
            assert_eq!(read(malformed), Err(400), "{malformed}");
        }
        assert_eq!(required(&HeaderMap::new()).unwrap_err().code().status, 428);
    }
}
