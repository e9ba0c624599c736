//! Artifacts, values, secrets and streamed bodies, as an action uses them.

use std::io::{self, Read, Write};

use quantum_sdk::http::ErrorKind;
use quantum_sdk::prelude::*;
use quantum_sdk::testing::{Answer, Host};

const URL: &str = "https://a.example/blob";
/// Bytes of what does not fit into one piece.
const MANY: usize = 300_000;

fn many() -> Vec<u8> {
    (0..MANY).map(|n| u8::try_from(n % 251).unwrap()).collect()
}

fn code(failure: &Failure) -> &str {
    &failure.problem().unwrap().code
}

/// Gives the bytes a few at a time, then this error.
struct Failing<'a>(&'a [u8], Option<io::Error>);

impl Read for Failing<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let few = buffer.len().min(7);
        match (self.0.read(&mut buffer[..few])?, self.1.take()) {
            (0, Some(error)) => Err(error),
            (bytes, error) => {
                self.1 = error;
                Ok(bytes)
            }
        }
    }
}

#[test]
fn an_answer_goes_into_an_artifact_and_from_there_into_a_request() {
    let host = Host::new();
    host.answer("GET", URL, Answer::bytes(200, many()));
    host.answer("PUT", URL, Answer::status(201));
    let ctx = host.context();
    let copy = || {
        let mut answer = ctx.http().get(URL).send_streaming()?.error_for_status()?;
        let mut artifact = ctx.artifacts().create(answer.header("content-type"))?;
        io::copy(&mut answer, &mut artifact)?;
        let info = artifact.finish("blob")?;
        let reader = ctx.artifacts().open(&info.digest)?;
        ctx.http().request("PUT", URL).body_from(reader, info.size).send()?.error_for_status()?;
        Ok::<_, Failure>(info)
    };
    let info = copy().unwrap();
    assert_eq!(info.media_type.as_deref(), Some("application/octet-stream"));
    assert_eq!((host.artifacts()[0].bytes == many(), host.requests()[1].body == many()), (true, true));
    assert_eq!(host.requests()[1].header("content-length"), Some("300000"));
}

#[test]
fn an_artifact_is_found_by_digest_then_in_the_execution_then_in_the_tenant() {
    let host = Host::new().artifact("app", None, b"of the tenant");
    let ctx = host.context();
    let read = |reference: &str| io::read_to_string(ctx.artifacts().open(reference).unwrap()).unwrap();
    assert_eq!(read("app"), "of the tenant");
    let tenants = ctx.artifacts().stat("app").unwrap().unwrap();
    ctx.artifacts().put("app", None, b"of the execution").unwrap();
    assert_eq!(read("app"), "of the execution");
    assert_eq!(read(&tenants.digest), "of the tenant");
    ctx.artifacts().put("app", None, b"the newer one").unwrap();
    assert_eq!(read("app"), "the newer one");
}

#[test]
fn an_artifact_is_read_from_any_byte() {
    let host = Host::new().artifact("app", None, many());
    for offset in [0, 1, MANY - 1, MANY, MANY + 1] {
        let mut bytes = Vec::new();
        let reader = host.context().artifacts().open_at("app", u64::try_from(offset).unwrap());
        reader.unwrap().read_to_end(&mut bytes).unwrap();
        assert_eq!(bytes, many().get(offset..).unwrap_or_default(), "{offset}");
    }
}

#[test]
fn small_and_large_writes_are_kept_in_their_order() {
    let host = Host::new();
    let mut writer = host.context().artifacts().create(None).unwrap();
    let (small, large) = (b"small".as_slice(), many());
    for bytes in [small, &large, small, &large[..65_536], small] {
        writer.write_all(bytes).unwrap();
    }
    writer.finish(None).unwrap();
    let expected = [small, &large, small, &large[..65_536], small].concat();
    assert!(host.artifacts()[0].bytes == expected);
}

#[test]
fn an_artifact_that_is_not_finished_is_not_stored() {
    let host = Host::new();
    let mut writer = host.context().artifacts().create(None).unwrap();
    writer.write_all(&many()).unwrap();
    drop(writer);
    assert!(host.artifacts().is_empty());
}

#[test]
fn a_typed_failure_survives_any_depth_of_io() {
    let artifact = quantum_sdk::artifacts::Error {
        code: "unavailable".to_owned(),
        message: "try later".to_owned(),
        retryable: true,
    };
    let deep = io::Error::other(io::Error::new(io::ErrorKind::InvalidData, io::Error::from(artifact)));
    let failure = Failure::from_io(deep, "broken-archive");
    assert_eq!((code(&failure), failure.is_retryable()), ("artifact-unavailable", true));
    let plain = Failure::from_io(io::Error::other("no magic number"), "broken-archive");
    assert_eq!((code(&plain), plain.is_retryable()), ("broken-archive", false));
}

#[test]
fn a_body_whose_reader_fails_is_that_failure() {
    let send = |error: io::Error| {
        let host = Host::new();
        host.answer("POST", URL, Answer::status(200));
        let body = Failing(b"some", Some(error));
        Failure::from(host.context().http().post(URL).body_from(body, None).send().unwrap_err())
    };
    let busy = send(io::Error::other(Failure::retryable("busy", "try later")));
    assert_eq!((code(&busy), busy.is_retryable()), ("busy", true));
    let plain = send(io::Error::other("the disk is gone"));
    let expected = format!("http-request-body: POST {URL}: the body cannot be read: the disk is gone");
    assert_eq!(plain.to_string(), expected);
}

#[test]
fn a_body_of_another_length_than_announced_is_refused() {
    for (length, reason) in [
        (5, "the body ended 1 bytes before its announced length"),
        (3, "the body is longer than it was announced"),
    ] {
        let host = Host::new();
        host.answer("PUT", URL, Answer::status(200));
        let error =
            host.context().http().request("PUT", URL).body_from(Failing(b"four", None), length).send();
        let error = error.unwrap_err();
        assert_eq!(
            (error.kind(), error.to_string()),
            (ErrorKind::RequestBody, format!("PUT {URL}: {reason}"))
        );
    }
}

#[test]
fn a_length_is_announced_where_it_is_known_and_means_something() {
    let length = |method: &str, body: &[u8]| {
        let host = Host::new();
        host.answer(method, URL, Answer::status(200));
        host.context().http().request(method, URL).body(body).send().unwrap();
        host.requests()[0].header("content-length").map(str::to_owned)
    };
    assert_eq!(length("GET", b""), None);
    assert_eq!(length("POST", b"").as_deref(), Some("0"));
    assert_eq!(length("DELETE", b"four").as_deref(), Some("4"));
    let host = Host::new();
    host.answer("POST", URL, Answer::status(200));
    host.context().http().post(URL).body_from(&b"four"[..], None).send().unwrap();
    assert_eq!(host.requests()[0].header("content-length"), None);
}

#[test]
fn an_answer_that_breaks_off_is_worth_another_attempt() {
    let host = Host::new();
    host.answer("GET", URL, Answer::bytes(200, many()).breaks_after(100_000));
    let mut answer = host.context().http().get(URL).send_streaming().unwrap();
    let mut bytes = Vec::new();
    let error = answer.read_to_end(&mut bytes).unwrap_err();
    assert!(bytes == many()[..100_000]);
    let failure = Failure::from(error);
    assert_eq!((code(&failure), failure.is_retryable()), ("http-connection", true));
}

#[test]
fn what_is_read_whole_is_bounded_and_what_is_streamed_is_not() {
    let eight_mib = 8 * 1024 * 1024;
    let host = Host::new();
    for bytes in [eight_mib, eight_mib + 1, eight_mib + 1] {
        host.answer("GET", URL, Answer::bytes(200, vec![0; bytes]));
    }
    let ctx = host.context();
    let get = || ctx.http().get(URL);
    assert_eq!(get().send().unwrap().bytes().len(), eight_mib);
    assert_eq!(get().send().unwrap_err().kind(), ErrorKind::TooLarge);
    let streamed = io::copy(&mut get().send_streaming().unwrap(), &mut io::sink()).unwrap();
    assert_eq!(streamed, u64::try_from(eight_mib + 1).unwrap());
}

#[test]
fn the_error_of_a_streamed_answer_has_the_bodys_start() {
    let host = Host::new();
    let answer = Answer::text(503, &"ä".repeat(5_000)).header("retry-after", "3").breaks_after(3_000);
    host.answer("GET", URL, answer);
    let error = host.context().http().get(URL).send_streaming().unwrap().error_for_status().unwrap_err();
    let failure = Failure::from(error);
    assert_eq!((code(&failure), failure.after_ms()), ("http-503", Some(3_000)));
    let details = failure.problem().unwrap().details.clone().unwrap();
    assert_eq!(details, format!(r#"{{"status":503,"body":"{}"}}"#, "ä".repeat(1_000)));
}

#[test]
fn a_revision_is_written_over_once() {
    let host = Host::new().kv_entry("n", "1");
    let ctx = host.context();
    let seen = ctx.kv().get("n").unwrap().unwrap();
    let next = ctx.kv().compare_and_set("n", Some(seen.revision), "2").unwrap();
    assert!(next.is_some() && next != Some(seen.revision));
    assert_eq!(ctx.kv().compare_and_set("n", Some(seen.revision), "3").unwrap(), None);
    assert_eq!(ctx.kv().compare_and_set("n", None, "3").unwrap(), None);
    assert_eq!(host.kv("n").as_deref(), Some(&b"2"[..]));
    ctx.kv().delete("n").unwrap();
    assert_eq!(ctx.kv().compare_and_set("n", next, "3").unwrap(), None);
    assert!(ctx.kv().compare_and_set("n", None, "3").unwrap() > next);
}

#[test]
fn a_signature_is_hmac_sha256_as_published() {
    // RFC 4231, test case 2.
    let host = Host::new().secret("KEY", "Jefe").secret("CODED", "base64:SmVmZQ==").secret("ODD", "whsec_?");
    let sign = |name| host.context().secrets().hmac_sha256(name, b"what do ya want for nothing?");
    let hex = |bytes: Vec<u8>| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let expected = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843";
    assert_eq!(hex(sign("KEY").unwrap()), expected);
    assert_eq!(hex(sign("CODED").unwrap()), expected);
    assert_eq!(sign("ODD").unwrap_err().code, "invalid-secret");
}

#[test]
fn a_secret_that_is_not_there_stays_so_and_a_host_that_cannot_look_is_asked_again() {
    let host = Host::new().secret("PASSWORD", "s3cret");
    let secrets = host.context();
    let missing = Failure::from(secrets.secrets().basic("ada", "OTHER").unwrap_err());
    assert_eq!((code(&missing), missing.is_retryable()), ("secret-missing", false));
    assert_eq!(secrets.secrets().basic("a:da", "PASSWORD").unwrap_err().code, "invalid-user");
    let message = "the database does not answer".to_owned();
    let unavailable = Failure::from(quantum_sdk::secrets::Error { code: "unavailable".to_owned(), message });
    assert_eq!((code(&unavailable), unavailable.is_retryable()), ("secret-unavailable", true));
}

#[test]
fn a_request_carries_the_placeholder_and_nothing_shows_the_value() {
    let host = Host::new().secret("TOKEN", "s3cret");
    host.answer("POST", URL, Answer::status(200));
    let ctx = host.context();
    let token = ctx.secret("TOKEN").unwrap();
    ctx.http().post(URL).header("authorization", token.bearer()).json(&token).send().unwrap();
    let placeholder = host.secret_placeholder("TOKEN");
    let sent = &host.requests()[0];
    assert_eq!(sent.header("authorization"), Some(format!("Bearer {placeholder}").as_str()));
    assert_eq!(sent.body, format!("\"{placeholder}\"").into_bytes());
    assert!(!format!("{sent:?} {token:?} {token}").contains("s3cret"));
}
