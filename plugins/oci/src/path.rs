//! Paths inside a context: relative, normal, and never out of it.

use quantum_sdk::prelude::*;

/// Bytes of a path, and of one name in it: what Linux takes.
const PATH_BYTES_MAX: usize = 4096;
const NAME_BYTES_MAX: usize = 255;
/// Names with it mean removals in a layer, so no file can have one.
const WHITEOUT: &str = ".wh.";

/// Code of a path that leaves the context.
const ESCAPES: &str = "context-escapes";
const INVALID: &str = "context-invalid-path";

/// The path without `.`, doubled and trailing slashes; empty for the root.
pub fn normal(path: &str) -> Result<String> {
    if path.starts_with('/') {
        return Err(escape(path, "is absolute"));
    }
    let parts: Vec<&str> = path.split('/').filter(|part| !matches!(*part, "" | ".")).collect();
    for part in &parts {
        if *part == ".." {
            return Err(escape(path, "has .. in it"));
        }
        check_name(path, part)?;
    }
    let normal = parts.join("/");
    if normal.len() > PATH_BYTES_MAX {
        return Err(invalid(path, "is longer than 4096 bytes"));
    }
    Ok(normal)
}

/// Checks the target of a symbolic link at `path`, without following anything.
///
/// `..` is taken at the beginning only, and at most up to the root: then whatever links are on the way, each of them
/// stays inside, so the whole does.
pub fn check_target(path: &str, target: &str) -> Result<()> {
    let link = format!("{path} -> {target}");
    if target.is_empty() {
        return Err(invalid(path, "is a link to nothing"));
    }
    if target.starts_with('/') {
        return Err(escape(&link, "is a link to an absolute path"));
    }
    if target.contains('\0') || target.len() > PATH_BYTES_MAX {
        return Err(invalid(path, "is a link to what cannot be a path"));
    }
    let parts: Vec<&str> = target.split('/').filter(|part| !matches!(*part, "" | ".")).collect();
    let up = parts.iter().take_while(|part| **part == "..").count();
    let depth = path.matches('/').count();
    if up > depth {
        return Err(escape(&link, "is a link that leaves the context"));
    }
    if parts.iter().skip(up).any(|part| *part == "..") {
        return Err(escape(&link, "is a link with .. behind a name, which may lead anywhere"));
    }
    Ok(())
}

/// The directory that holds a path; none for what lies at the root.
pub fn parent(path: &str) -> Option<&str> {
    path.rsplit_once('/').map(|(parent, _)| parent)
}

/// `a/b` of `/a/b/`: a directory of the image that a step names.
pub fn in_image(text: &str) -> Result<String> {
    let refused = |reason: &str| {
        let message = format!("\"{text}\" is not a directory of an image: {reason}; write for example /app");
        Failure::permanent("prefix-invalid", message)
    };
    if !text.starts_with('/') {
        return Err(refused("it does not start with a slash"));
    }
    normal(text.trim_start_matches('/'))
        .map_err(|failure| refused(failure.problem().map_or("", |problem| &problem.message)))
}

fn check_name(path: &str, name: &str) -> Result<()> {
    if name.len() > NAME_BYTES_MAX {
        return Err(invalid(path, "has a name that is longer than 255 bytes"));
    }
    if name.contains('\0') {
        return Err(invalid(path, "has a zero byte in it"));
    }
    if name.starts_with(WHITEOUT) {
        let message = format!(
            "\"{path}\" in the context has a name that starts with .wh., which removes files in an image: rename it"
        );
        return Err(Failure::permanent("context-reserved-name", message));
    }
    Ok(())
}

fn escape(path: &str, how: &str) -> Failure {
    let message = format!(
        "\"{path}\" in the context {how}: everything in it must be named from its root and stay below it"
    );
    Failure::permanent(ESCAPES, message)
}

pub fn invalid(path: &str, how: &str) -> Failure {
    Failure::permanent(INVALID, format!("\"{path}\" in the context {how}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code<T: std::fmt::Debug>(result: Result<T>) -> String {
        result.unwrap_err().problem().unwrap().code.clone()
    }

    #[test]
    fn a_path_becomes_normal() {
        for (path, expected) in [("./a//b/./c/", "a/b/c"), (".", ""), ("./", ""), ("a..b/.c", "a..b/.c")] {
            assert_eq!(normal(path).unwrap(), expected, "{path}");
        }
    }

    #[test]
    fn paths_that_leave_the_root_or_mean_something_else_are_refused() {
        let (long_name, long_path) = ("n".repeat(256), "n/".repeat(2049));
        for (path, expected) in [
            ("/etc/passwd", "context-escapes"),
            ("//a", "context-escapes"),
            ("../a", "context-escapes"),
            ("a/../../b", "context-escapes"),
            ("a/..", "context-escapes"),
            ("a/.wh.b", "context-reserved-name"),
            (".wh..wh..opq", "context-reserved-name"),
            ("a\0b", "context-invalid-path"),
            (long_name.as_str(), "context-invalid-path"),
            (long_path.as_str(), "context-invalid-path"),
        ] {
            assert_eq!(code(normal(path)), expected, "{path}");
        }
    }

    #[test]
    fn a_link_may_point_anywhere_below_the_root() {
        for (path, target) in
            [("a", "b"), ("a/b", "../c"), ("a/b/c", "../../d/e"), ("a", "./b/"), ("a/b", "..")]
        {
            check_target(path, target).unwrap();
        }
    }

    #[test]
    fn a_link_that_leaves_the_root_is_refused() {
        for (path, target, expected) in [
            ("a", "/etc/passwd", "context-escapes"),
            ("a", "..", "context-escapes"),
            ("a/b", "../../c", "context-escapes"),
            ("a/b", "./../.././c", "context-escapes"),
            // With `b/c -> ..` in the same context this would end above the root.
            ("a", "b/c/..", "context-escapes"),
            ("a", "", "context-invalid-path"),
        ] {
            assert_eq!(code(check_target(path, target)), expected, "{path} -> {target}");
        }
    }

    #[test]
    fn a_directory_of_the_image_is_absolute() {
        assert_eq!(in_image("/usr//share/").unwrap(), "usr/share");
        assert_eq!(in_image("/").unwrap(), "");
        for bad in ["", "app", "/a/../b", "/.wh.a"] {
            assert_eq!(code(in_image(bad)), "prefix-invalid", "{bad}");
        }
    }
}
