//! A server that speaks TLS, with certificates of the test's own.

use quantum_store::conformance::LOGIN;
use quantum_store::{Login, PostgresOptions, Store, prepare};
use quantum_testing::{Postgres, or_skip};
use rcgen::{BasicConstraints, Certificate, CertificateParams, CertifiedIssuer, IsCa, KeyPair};

use super::opening::assert_refused;

/// Who signs, as the server's clients know it.
fn authority() -> CertifiedIssuer<'static, KeyPair> {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

/// For a server of this name.
fn certificate(authority: &CertifiedIssuer<'static, KeyPair>, name: &str) -> (Certificate, KeyPair) {
    let key = KeyPair::generate().unwrap();
    let params = CertificateParams::new([name.to_owned()]).unwrap();
    (params.signed_by(&key, authority).unwrap(), key)
}

/// From the next start on.
fn serve_with(server: &mut Postgres, (certificate, key): &(Certificate, KeyPair)) {
    let data = server.query("postgres", "SHOW data_directory");
    for (name, pem) in [("server.crt", certificate.pem()), ("server.key", key.serialize_pem())] {
        let lines: Vec<String> = pem.lines().map(|line| format!("('{line}')")).collect();
        // A key that others can read is refused.
        let program = format!("umask 077; /bin/cat > {data}/{name}");
        server.query("postgres", &format!("COPY (VALUES {}) TO PROGRAM '{program}'", lines.join(", ")));
    }
    server.query("postgres", "ALTER SYSTEM SET ssl = on");
    server.restart();
}

#[tokio::test]
async fn a_server_is_believed_by_its_certificate_and_spoken_to_in_secret() {
    let Some(mut server) = or_skip(Postgres::start()) else { return };
    let database = server.database();
    prepare(&database.url(), Some(&Login { name: LOGIN.into(), password: None })).await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let root = |name: &str, authority: &CertifiedIssuer<'static, KeyPair>| {
        let path = folder.path().join(name);
        std::fs::write(&path, authority.as_ref().pem()).unwrap();
        path
    };
    let (own, other) = (authority(), authority());
    let (own_root, other_root) = (root("own.pem", &own), root("other.pem", &other));
    serve_with(&mut server, &certificate(&own, "127.0.0.1"));
    let url = server.url(database.name(), LOGIN);
    let options = |mode: &str, root: &std::path::Path| {
        PostgresOptions::new(format!("{url}?sslmode={mode}&sslrootcert={}", root.display()))
    };

    let store = Store::connect(options("verify-full", &own_root)).await.unwrap();
    let plain = format!(
        "SELECT count(*) FILTER (WHERE NOT s.ssl), count(*) > 0 FROM pg_stat_ssl s JOIN pg_stat_activity a USING (pid) \
         WHERE a.usename = '{LOGIN}'"
    );
    assert_eq!(database.query(&plain), "0|t");
    store.close().await;
    let hint = "TLS failed; look at sslmode and sslrootcert in the URL";
    assert_refused(options("verify-full", &other_root), &[hint]).await;
    assert_refused(options("verify-ca", &other_root), &[hint]).await;

    serve_with(&mut server, &certificate(&own, "db.example.com"));
    assert_refused(options("verify-full", &own_root), &[hint]).await;
    Store::connect(options("verify-ca", &own_root)).await.unwrap().close().await;

    let hba = server.query("postgres", "SHOW hba_file");
    let lines = format!("VALUES ('local all all trust'), ('hostssl all {LOGIN} 127.0.0.1/32 trust')");
    server.query("postgres", &format!("COPY ({lines}) TO '{hba}'"));
    server.restart();
    let hint = "the user or the password is not right; look at the URL and at pg_hba.conf";
    assert_refused(options("disable", &own_root), &[hint]).await;
}
