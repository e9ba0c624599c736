//! What a start finds: logins that would see too much, schemas that would not keep tenants apart, and servers that are not
//! there. Each is told with what to type, and without a password.

use std::error::Error as _;

use quantum_store::conformance::{create, scope, with_tenants};
use quantum_store::{CommitError, Error, Finding, Login, PostgresOptions, Store, inspect, prepare};
use quantum_testing::{Postgres, or_skip};

use super::{LOGIN, Prepared, prepared};

const PASSWORD: &str = "s3cret";

/// All that a person is shown, and what a log would show.
async fn refusal(options: PostgresOptions) -> (Error, String) {
    let error = Store::connect(options).await.err().expect("it is refused");
    let mut told = error.to_string();
    let mut cause = error.source();
    while let Some(source) = cause {
        told += &format!(": {source}");
        cause = source.source();
    }
    let whole = format!("{told} {error:?}");
    assert!(!whole.contains(PASSWORD) && !whole.contains("s3c"), "no password is shown: {whole}");
    (error, told)
}

pub async fn assert_refused(options: PostgresOptions, parts: &[&str]) {
    let (_, told) = refusal(options).await;
    for part in parts {
        assert!(told.contains(part), "\"{part}\" is said in: {told}");
    }
}

impl Prepared {
    /// The login, made with these attributes and these roles, of this database alone.
    fn login(&self, attributes: &str, roles: &str) -> (String, PostgresOptions) {
        let name = format!("{}_login", self.database.name());
        self.query(&format!("CREATE ROLE {name} LOGIN {attributes} PASSWORD '{PASSWORD}'"));
        if !roles.is_empty() {
            self.query(&format!("GRANT {roles} TO {name}"));
        }
        let url = self.server.url(self.database.name(), &format!("{name}:{PASSWORD}"));
        (name, PostgresOptions::new(url))
    }

    /// Refused by a start, and told by `inspect` as well.
    async fn assert_unsafe(&self, options: PostgresOptions, parts: &[&str]) {
        let findings = inspect(&options.url).await.unwrap();
        let told = |finding: &Finding| format!("{}; {}", finding.text, finding.remedy);
        let is_found =
            |finding: &Finding| finding.is_fatal && parts.iter().all(|part| told(finding).contains(part));
        assert!(findings.iter().any(is_found), "{parts:?}: {findings:?}");
        assert_refused(options.clone(), &["open the database postgres://127.0.0.1:"]).await;
        if findings.len() == 1 {
            assert_refused(options, parts).await;
        }
    }
}

const ROLES: &str = "app_user, app_journal, app_reader, app_platform";

#[tokio::test]
async fn a_login_that_would_see_every_tenant_is_refused() {
    let Some(database) = prepared().await else { return };
    let prepare = "make a login of its own with: quantum store prepare --owner URL --login NAME";
    let administrator = PostgresOptions::new(database.database.url());
    database.assert_unsafe(administrator, &["\"postgres\" is a superuser", prepare]).await;
    for (attributes, roles, parts) in [
        ("BYPASSRLS", ROLES, &["bypasses row-level security (BYPASSRLS)", prepare][..]),
        ("CREATEROLE", ROLES, &["may make roles (CREATEROLE)", "ALTER ROLE \"", "\" NOCREATEROLE"]),
        (
            "",
            "app_user, app_journal, app_reader, app_platform, app_owner",
            &["is a member of its owner", prepare],
        ),
        (
            "",
            "app_user, app_journal, app_platform",
            &["not a member of the role \"app_reader\"", "GRANT app_reader TO \""],
        ),
        ("", "", &["not a member of the role \"app_user\"", "quantum store prepare --owner URL --login"]),
    ] {
        let Some(database) = prepared().await else { return };
        let (_, options) = database.login(attributes, roles);
        database.assert_unsafe(options, parts).await;
    }
}

#[tokio::test]
async fn a_login_that_owns_a_table_is_refused() {
    let Some(database) = prepared().await else { return };
    let (name, options) = database.login("", ROLES);
    database.query(&format!("ALTER TABLE kv OWNER TO {name}"));
    database.assert_unsafe(options, &["owns the table \"kv\"", "could switch row-level security off"]).await;
}

#[tokio::test]
async fn a_schema_that_would_not_keep_tenants_apart_is_refused() {
    let forced = "has a tenant_id and no forced row-level security";
    let switch_on = "ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY";
    for (sql, parts) in [
        ("ALTER TABLE kv DISABLE ROW LEVEL SECURITY", &["\"kv\"", forced, switch_on][..]),
        ("ALTER TABLE kv NO FORCE ROW LEVEL SECURITY", &["\"kv\"", forced, switch_on]),
        ("CREATE TABLE extra (tenant_id text, PRIMARY KEY (tenant_id))", &["\"extra\"", forced, switch_on]),
        (
            "CREATE TABLE extra (tenant_id text, PRIMARY KEY (tenant_id)); \
             ALTER TABLE extra ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY",
            &["\"extra\" has a tenant_id and no policy", "drop it, or give it a policy"],
        ),
        (
            "CREATE POLICY more ON kv TO app_user USING (true)",
            &["policy \"more\" of \"kv\"", "DROP POLICY \"more\" ON \"kv\""],
        ),
        ("CREATE POLICY more ON kv FOR SELECT USING (key = 'a')", &["policy \"more\" of \"kv\""]),
        ("CREATE POLICY more ON logs TO app_journal USING (true)", &["policy \"more\" of \"logs\""]),
        ("ALTER POLICY tenant_isolation ON kv WITH CHECK (true)", &["policy \"tenant_isolation\" of \"kv\""]),
        (
            "CREATE UNIQUE INDEX one_key ON kv (key)",
            &["key \"one_key\" of \"kv\"", "drop \"one_key\", or make it start with tenant_id"],
        ),
        (
            "CREATE UNIQUE INDEX one_id ON executions (id); \
             ALTER TABLE logs ADD CONSTRAINT loose FOREIGN KEY (execution_id) REFERENCES executions (id)",
            &["key \"loose\" of \"logs\" does not start with tenant_id"],
        ),
    ] {
        let Some(database) = prepared().await else { return };
        assert_eq!(inspect(&database.options().url).await.unwrap(), []);
        database.query(sql);
        database.assert_unsafe(database.options(), parts).await;
    }
}

#[tokio::test]
async fn a_schema_that_is_not_there_is_made_when_the_owner_is_known() {
    let Some(server) = or_skip(Postgres::shared()) else { return };
    // Makes the login, which is the server's.
    let Some(_other) = prepared().await else { return };
    let database = server.database();
    let options = PostgresOptions::new(server.url(database.name(), LOGIN));
    let what_to_type = "run: quantum store prepare --owner URL, with a login that may change the schema";
    assert_refused(
        options.clone(),
        &["its schema is older than this program's, or is not there", what_to_type],
    )
    .await;
    assert_eq!(
        database.query("SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace"),
        "0"
    );
    let options = PostgresOptions { owner_url: Some(database.url()), ..options };
    Store::connect(options.clone()).await.unwrap().close().await;
    Store::connect(PostgresOptions { owner_url: None, ..options }).await.unwrap().close().await;
}

#[tokio::test]
async fn a_database_that_needs_a_newer_program_is_refused_and_says_which() {
    let Some(database) = prepared().await else { return };
    let newer = |oldest| {
        format!(
            "INSERT INTO schema_migrations (number, name, oldest_schema, oldest_binary) VALUES ({oldest}000, 'x', {oldest}, '0.9.0')"
        )
    };
    database.query(&newer(1));
    Store::connect(database.options()).await.expect("it may run beside it").close().await;
    database.query(&newer(2_000));
    let (error, told) = refusal(database.options()).await;
    assert!(matches!(error, Error::NewerDatabase { found: 2_000_000, .. }), "{error:?}");
    assert!(told.contains("start quantum 0.9.0 or newer"), "{told}");
    let owner = PostgresOptions { owner_url: Some(database.database.url()), ..database.options() };
    assert!(matches!(refusal(owner).await.0, Error::NewerDatabase { .. }));
    let prepared = prepare(&database.database.url(), None).await;
    assert!(matches!(prepared, Err(Error::NewerDatabase { .. })), "{prepared:?}");
}

#[tokio::test]
async fn a_password_that_is_wrong_is_told_and_not_shown() {
    let Some(mut server) = or_skip(Postgres::start()) else { return };
    let database = server.database();
    // Of a password that it reads, this server would keep another form.
    database.query(&format!("ALTER DATABASE {} SET password_encryption = 'md5'", database.name()));
    let login = Login { name: LOGIN.into(), password: Some("it's \u{fb01}ne".into()) };
    prepare(&database.url(), Some(&login)).await.unwrap();
    let kept = database.query(&format!("SELECT rolpassword FROM pg_authid WHERE rolname = '{LOGIN}'"));
    assert!(kept.starts_with("SCRAM-SHA-256$4096:"), "{kept}");
    let hba = server.query("postgres", "SHOW hba_file");
    let lines = format!("VALUES ('local all all trust'), ('host all {LOGIN} 127.0.0.1/32 scram-sha-256')");
    server.query("postgres", &format!("COPY ({lines}) TO '{hba}'"));
    server.restart();
    let url = |login: &str| server.url(database.name(), login);
    let hint = "the user or the password is not right; look at the URL and at pg_hba.conf";
    assert_refused(PostgresOptions::new(url(&format!("{LOGIN}:{PASSWORD}"))), &[hint]).await;
    assert_refused(PostgresOptions::new(url(&format!("nobody:{PASSWORD}"))), &[hint, "pg_hba.conf"]).await;
    Store::connect(PostgresOptions::new(url(&format!("{LOGIN}:it's%20fine")))).await.unwrap().close().await;
}

#[tokio::test]
async fn a_database_or_a_server_that_is_not_there_is_told() {
    let Some(mut server) = or_skip(Postgres::start()) else { return };
    let options = |name: &str| PostgresOptions::new(server.url(name, &format!("postgres:{PASSWORD}")));
    assert_refused(options("nothing"), &["/nothing: the database does not exist; make it with: createdb"])
        .await;
    let gone = options("postgres");
    server.stop();
    let hint = "is the server running, and is this its address?";
    assert_refused(gone, &["connect to the database postgres://127.0.0.1:", hint]).await;
    for broken in [
        format!("postgres://quantum:{PASSWORD}@127.0.0.1:port/quantum"),
        format!("postgres://127.0.0.1:port/quantum?password={PASSWORD}"),
        format!("postgres://127.0.0.1:port/quantum?password=a@{PASSWORD}"),
        format!("quantum:{PASSWORD}@127.0.0.1"),
    ] {
        assert_refused(
            PostgresOptions::new(broken),
            &["write it as postgres://user:password@host:5432/database"],
        )
        .await;
    }
}

#[tokio::test]
async fn a_database_that_takes_no_writes_is_refused_and_told_when_it_becomes_so() {
    let Some(database) = prepared().await else { return };
    let name = database.database.name();
    let store = with_tenants(&*database.opener(), &["t-1"]).await.unwrap();
    database.query(&format!("ALTER DATABASE {name} SET default_transaction_read_only = on"));
    let remedy = "RESET default_transaction_read_only";
    database
        .assert_unsafe(database.options(), &["takes no writes (default_transaction_read_only)", remedy])
        .await;
    database.end_sessions();
    let refused = store.journal().commit(create(&scope("t-1"), 1)).await;
    assert!(
        matches!(&refused, Err(CommitError::Unavailable(told)) if told.reason.contains("takes no writes")),
        "{refused:?}"
    );
    assert_eq!(store.platform().tenants().await.unwrap().len(), 1, "reads go on");
    let reset = format!("ALTER DATABASE {name} RESET default_transaction_read_only");
    database.server.query("postgres", &reset);
    database.end_sessions();
    store.journal().commit(create(&scope("t-1"), 1)).await.unwrap();
}

/// A server in recovery, which has lost its primary.
#[tokio::test]
async fn a_replica_is_refused() {
    let Some(mut server) = or_skip(Postgres::start()) else { return };
    let database = server.database();
    prepare(&database.url(), Some(&Login { name: LOGIN.into(), password: None })).await.unwrap();
    let data = server.query("postgres", "SHOW data_directory");
    server.query("postgres", &format!("COPY (SELECT 1 LIMIT 0) TO '{data}/standby.signal'"));
    server.restart();
    let options = PostgresOptions::new(server.url(database.name(), LOGIN));
    assert_refused(options, &["the server is a replica (in recovery)", "connect to the primary"]).await;
}

/// Hosts that start at once on a new server, whose roles are made as well.
#[tokio::test]
async fn a_database_is_prepared_once_by_many() {
    let Some(server) = or_skip(Postgres::start()) else { return };
    let databases = [server.database(), server.database()];
    let login = Login { name: LOGIN.into(), password: Some(PASSWORD.into()) };
    let tasks: Vec<_> = (0..8)
        .map(|number| {
            let (url, login) = (databases[number % 2].url(), login.clone());
            tokio::spawn(async move { prepare(&url, Some(&login)).await })
        })
        .collect();
    for task in tasks {
        task.await.unwrap().unwrap();
    }
    for database in &databases {
        let options = PostgresOptions::new(server.url(database.name(), LOGIN));
        Store::connect(options).await.unwrap().close().await;
        assert_eq!(database.query("SELECT count(*) = count(DISTINCT number) FROM schema_migrations"), "t");
    }
}
