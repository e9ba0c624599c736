//! A PostgreSQL server, from its start to its end, with the ways to hurt it.

use std::panic::catch_unwind;
use std::path::Path;
use std::time::Duration;

use quantum_testing::{Postgres, Settings, or_skip};
use rustix::process::{Pid, test_kill_process};

use crate::client::Client;

const PATIENCE: Duration = Duration::from_secs(60);
/// Long enough for a server that answers at once.
const SILENCE: Duration = Duration::from_millis(300);

pub fn lives(process: u32) -> bool {
    let process = Pid::from_raw(i32::try_from(process).unwrap()).unwrap();
    test_kill_process(process).is_ok()
}

#[test]
fn it_lets_in_over_loopback_and_its_socket() {
    let Some(postgres) = or_skip(Postgres::shared()) else { return };
    let port = postgres.port();
    assert_eq!(postgres.url("a", "b"), format!("postgres://b@127.0.0.1:{port}/a"));
    assert!(postgres.socket_dir().join(format!(".s.PGSQL.{port}")).exists());
    assert_eq!(Client::connect(port, "postgres").answer(PATIENCE).unwrap(), 'R');
    let settings = "SELECT name, setting FROM pg_settings WHERE name IN \
                    ('fsync', 'lc_collate', 'max_connections', 'server_encoding') ORDER BY name";
    let expected = "fsync|off\nlc_collate|C\nmax_connections|200\nserver_encoding|UTF8";
    assert_eq!(postgres.query("postgres", settings), expected);
}

#[test]
fn databases_are_apart_and_gone_when_they_are_dropped() {
    let Some(postgres) = or_skip(Postgres::shared()) else { return };
    let (first, second) = (postgres.database(), postgres.database());
    first.query("CREATE TABLE notes (text TEXT); INSERT INTO notes VALUES ('mine')");
    let tables = "SELECT count(*) FROM pg_tables WHERE tablename = 'notes'";
    assert_eq!((first.query(tables).as_str(), second.query(tables).as_str()), ("1", "0"));
    assert_eq!(first.url(), postgres.url(first.name(), "postgres"));

    let copy = postgres.database_from(first.name());
    copy.query("INSERT INTO notes VALUES ('copied')");
    assert_eq!(copy.query("SELECT text FROM notes"), "mine\ncopied");
    assert_eq!(first.query("SELECT text FROM notes"), "mine");

    let name = copy.name().to_owned();
    let mut connected = Client::connect(postgres.port(), &name);
    assert_eq!(connected.answer(PATIENCE).unwrap(), 'R');
    drop(copy);
    let known = format!("SELECT count(*) FROM pg_database WHERE datname = '{name}'");
    assert_eq!(postgres.query("postgres", &known), "0");
}

#[test]
fn the_shared_server_outlives_the_thread_that_started_it() {
    let ask = || or_skip(Postgres::shared()).and_then(Postgres::pid);
    let Some(first) = std::thread::spawn(ask).join().unwrap() else { return };
    let Some(postgres) = or_skip(Postgres::shared()) else { return };
    assert_eq!(postgres.pid(), Some(first));
    assert_eq!(postgres.query("postgres", "SELECT 1"), "1");
}

#[test]
fn what_is_committed_survives_kills_and_restarts_on_the_same_port() {
    let settings = Settings { fsync: true, ..Settings::default() };
    let Some(mut postgres) = or_skip(Postgres::start_with(&settings)) else { return };
    assert_eq!(postgres.query("postgres", "SHOW fsync"), "on");
    let (port, database) = (postgres.port(), postgres.database());
    database.query("CREATE TABLE notes (id INT)");
    for round in 0..3 {
        database.query(&format!("INSERT INTO notes VALUES ({round})"));
        let mut connected = Client::connect(port, database.name());
        assert_eq!(connected.answer(PATIENCE).unwrap(), 'R');
        let killed = postgres.pid().unwrap();
        postgres.kill();
        assert!(!lives(killed) && postgres.pid().is_none());
        postgres.start_again();
    }
    postgres.restart();
    assert_eq!(postgres.port(), port);
    assert_eq!(database.query("SELECT count(*) FROM notes"), "3");
    assert!(postgres.log().contains("automatic recovery in progress"), "{}", postgres.log());
    postgres.kill();
    // Neither waits for a server that is not there.
    drop(database);
    postgres.stop();
}

#[test]
fn a_paused_server_is_silent_until_it_is_resumed() {
    let Some(mut postgres) = or_skip(Postgres::start()) else { return };
    postgres.pause();
    let mut waits = Client::connect(postgres.port(), "postgres");
    assert!(waits.answer(SILENCE).is_err());
    postgres.resume();
    assert_eq!(waits.answer(PATIENCE).unwrap(), 'R');
    postgres.pause();
    postgres.stop();
    assert!(postgres.log().contains("database system is shut down"), "{}", postgres.log());
}

#[test]
fn a_dropped_server_leaves_nothing() {
    let Some(mut postgres) = or_skip(Postgres::start()) else { return };
    let first = ends_whole(&postgres);
    postgres.restart();
    let second = ends_whole(&postgres);
    postgres.pause();
    drop(postgres);
    assert!(!first() && !second());
}

/// Whether anything of it is still there: its process or its folder.
fn ends_whole(postgres: &Postgres) -> impl Fn() -> bool + use<> {
    let (process, folder) = (postgres.pid().unwrap(), postgres.socket_dir().to_owned());
    assert!(lives(process) && folder.exists());
    move || lives(process) || folder.exists()
}

#[test]
fn a_server_that_does_not_start_says_why_and_leaves_nothing() {
    if or_skip(Postgres::shared()).is_none() {
        return;
    }
    let extra = vec![("shared_buffers".to_owned(), "nonsense".to_owned())];
    let started = catch_unwind(|| Postgres::start_with(&Settings { extra, ..Settings::default() }));
    let told = started.unwrap_err().downcast::<String>().unwrap();
    assert!(told.contains("ended with exit status: 1 while it started"), "{told}");
    let (_, log) = told.split_once("invalid value for parameter \"shared_buffers\": \"nonsense\"").unwrap();
    let (_, file) = log.split_once("configuration file \"").unwrap();
    let (file, _) = file.split_once('"').unwrap();
    assert!(!Path::new(file).parent().unwrap().parent().unwrap().exists(), "{file}");
}
