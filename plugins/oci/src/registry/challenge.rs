//! What a registry asks for when it does not know who asks: the header `WWW-Authenticate`.

/// One way to identify.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Challenge {
    /// User and password.
    Basic,
    /// A token of a service.
    Bearer { realm: String, service: Option<String> },
}

/// All challenges of all such headers; what is of another scheme, or incomplete, is left out.
pub fn read<'h>(headers: impl Iterator<Item = &'h str>) -> Vec<Challenge> {
    headers.flat_map(challenges).filter_map(Raw::typed).collect()
}

/// A scheme with its parameters.
struct Raw {
    scheme: String,
    parameters: Vec<(String, String)>,
}

impl Raw {
    fn new(scheme: &str) -> Self {
        Self { scheme: scheme.to_owned(), parameters: Vec::new() }
    }

    fn typed(self) -> Option<Challenge> {
        let value = |name: &str| {
            let named = self.parameters.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
            named.map(|(_, value)| value.clone())
        };
        match self.scheme.to_ascii_lowercase().as_str() {
            "basic" => Some(Challenge::Basic),
            "bearer" => Some(Challenge::Bearer { realm: value("realm")?, service: value("service") }),
            _ => None,
        }
    }
}

/// `Bearer realm="…",service="…", Basic realm="…"`: a piece with a space before its `=` begins a new one.
fn challenges(header: &str) -> Vec<Raw> {
    let mut found: Vec<Raw> = Vec::new();
    for piece in pieces(header) {
        let Some((name, value)) = piece.split_once('=') else {
            found.push(Raw::new(piece));
            continue;
        };
        let name = match name.trim().split_once(char::is_whitespace) {
            Some((scheme, name)) => {
                found.push(Raw::new(scheme));
                name
            }
            None => name,
        };
        if let Some(last) = found.last_mut() {
            last.parameters.push((name.trim().to_owned(), unquoted(value.trim())));
        }
    }
    found
}

/// What commas outside of quotes separate.
fn pieces(header: &str) -> Vec<&str> {
    let (mut pieces, mut start, mut quoted, mut escaped) = (Vec::new(), 0, false, false);
    for (at, c) in header.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            ',' if !quoted => {
                pieces.extend(header.get(start..at));
                start = at + 1;
            }
            _ => {}
        }
    }
    pieces.extend(header.get(start..));
    pieces.into_iter().map(str::trim).filter(|piece| !piece.is_empty()).collect()
}

fn unquoted(value: &str) -> String {
    let Some(inside) = value.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) else {
        return value.to_owned();
    };
    let mut text = String::new();
    let mut escaped = false;
    for c in inside.chars() {
        if c == '\\' && !escaped {
            escaped = true;
            continue;
        }
        escaped = false;
        text.push(c);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bearer(realm: &str, service: Option<&str>) -> Challenge {
        Challenge::Bearer { realm: realm.to_owned(), service: service.map(str::to_owned) }
    }

    #[test]
    fn challenges_are_read_with_quotes_and_without() {
        let realm = "https://auth.example/token";
        let long = r#"Bearer realm="https://auth.example/token",service="registry.example",scope="repository:a:pull,push""#;
        for (header, expected) in [
            (long, vec![bearer(realm, Some("registry.example"))]),
            ("bearer Realm=https://auth.example/token", vec![bearer(realm, None)]),
            (r#"Basic realm="Registry, \"main\"""#, vec![Challenge::Basic]),
            ("Basic", vec![Challenge::Basic]),
            (
                r#"Basic realm="x", Bearer realm="https://auth.example/token" , service=s"#,
                vec![Challenge::Basic, bearer(realm, Some("s"))],
            ),
            (r#"Negotiate, Bearer service="s""#, vec![]),
            ("", vec![]),
            (",,=,\"", vec![]),
        ] {
            assert_eq!(read([header].into_iter()), expected, "{header}");
        }
    }

    #[test]
    fn several_headers_are_all_read() {
        let headers = ["Basic realm=a", "Bearer realm=b"];
        assert_eq!(read(headers.into_iter()), [Challenge::Basic, bearer("b", None)]);
    }
}
