//! What can be a name of an artifact. Names are compared as they are written: `./app` is not `app`.

use crate::Error;

/// Characters of a name.
const NAME_CHARS_MAX: usize = 255;
/// Characters of a media type, as registries of them have it.
const MEDIA_TYPE_CHARS_MAX: usize = 255;
/// What a digest begins with, so that no name can be taken for one.
const DIGEST: &str = "sha256:";

/// To be asked before bytes are sent: a name is refused at their end all the same. Err: `InvalidName`.
pub fn check_artifact_name(name: &str) -> Result<(), Error> {
    let invalid = |rule| Err(Error::InvalidName { kind: "name of an artifact", name: shown(name), rule });
    if name.is_empty() || name.chars().count() > NAME_CHARS_MAX {
        return invalid("it has 1 to 255 characters");
    }
    if name.chars().any(char::is_control) {
        return invalid("it has no line breaks or other control characters");
    }
    if name.starts_with(DIGEST) {
        return invalid("it does not begin with sha256:, which digests do");
    }
    Ok(())
}

/// What is looked up. Err: `InvalidName` for what can be neither a digest nor a name.
pub(super) fn check_reference(reference: &str) -> Result<(), Error> {
    let kind = "reference to an artifact";
    if reference.starts_with(DIGEST) {
        let rule = "a digest is sha256: followed by 64 lowercase hex digits";
        return Err(Error::InvalidName { kind, name: shown(reference), rule });
    }
    check_artifact_name(reference)
}

/// Err: `InvalidName`.
pub(super) fn check_media_type(media_type: &str) -> Result<(), Error> {
    let plain = media_type.bytes().all(|byte| byte.is_ascii_graphic() || byte == b' ');
    let slash = media_type.split_once('/').is_some_and(|(kind, rest)| !kind.is_empty() && !rest.is_empty());
    if plain && slash && media_type.len() <= MEDIA_TYPE_CHARS_MAX {
        return Ok(());
    }
    let rule = "it is TYPE/SUBTYPE in at most 255 characters of ASCII, for example application/x-tar";
    Err(Error::InvalidName { kind: "media type", name: shown(media_type), rule })
}

fn shown(text: &str) -> String {
    text.chars().take(80).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_files_images_and_paths_are_names() {
        for good in ["./app", "myapp:latest", "a/b", "../x", "ü", " ", "sha256", &"x".repeat(255)] {
            assert!(check_artifact_name(good).is_ok(), "{good}");
        }
        for bad in ["", "a\nb", "a\0", "sha256:", "sha256:abc", &"ü".repeat(256)] {
            assert!(check_artifact_name(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn what_is_no_digest_says_what_a_digest_is() {
        let error = check_reference("sha256:ABC").unwrap_err().to_string();
        assert!(error.contains("64 lowercase hex digits"), "{error}");
        let error = check_artifact_name(&"x".repeat(10_000)).unwrap_err().to_string();
        assert!(error.len() < 300, "{error}");
    }

    #[test]
    fn a_media_type_is_short_and_plain() {
        for good in ["application/x-tar", "text/plain; charset=utf-8"] {
            assert!(check_media_type(good).is_ok(), "{good}");
        }
        for bad in ["", "tar", "/", "text/pläin", "text/plain\n", &format!("a/{}", "b".repeat(255))] {
            assert!(check_media_type(bad).is_err(), "{bad}");
        }
    }
}
