//! The network between one node and the database: forwards bytes, and delays them, holds them back or cuts.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::error::{Error, Result};

/// How long the server needs to notice that the other end of a forgotten connection is gone, as by its own probes.
const NOTICED_AFTER: Duration = Duration::from_secs(5);
/// Bytes that are read at a time; each portion is delayed by itself.
const PORTION_BYTES: usize = 64 * 1024;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Weather {
    Clear,
    /// Each portion of bytes comes so much later, in both directions.
    Slow(Duration),
    /// Nothing passes; connections stay open, and new ones are taken and not answered.
    Held,
    /// Connections end, and new ones end at once.
    Cut,
}

/// Forwards until it is dropped.
pub struct Proxy {
    port: u16,
    shared: Arc<Shared>,
}

struct Shared {
    upstream: u16,
    stopping: AtomicBool,
    now: Mutex<Now>,
    changed: Condvar,
}

struct Now {
    weather: Weather,
    connections: BTreeMap<u64, Connection>,
    /// Connections so far.
    count: u64,
}

struct Connection {
    ends: [TcpStream; 2],
    /// By which the server knows it.
    port: u16,
    /// Nothing passes any more, and neither end is told.
    is_forgotten: Arc<AtomicBool>,
}

impl Proxy {
    /// From a free port of loopback to this one.
    pub fn start(upstream: u16) -> Result<Self> {
        let failed = || Error::network("127.0.0.1");
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).map_err(failed())?;
        let port = listener.local_addr().map_err(failed())?.port();
        let now = Now { weather: Weather::Clear, connections: BTreeMap::new(), count: 0 };
        let (stopping, changed) = (AtomicBool::new(false), Condvar::new());
        let shared = Arc::new(Shared { upstream, stopping, now: Mutex::new(now), changed });
        let accepting = Arc::clone(&shared);
        std::thread::spawn(move || accept(&listener, &accepting));
        Ok(Self { port, shared })
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    pub fn set(&self, weather: Weather) {
        let mut now = self.shared.lock();
        now.weather = weather;
        if weather == Weather::Cut {
            now.connections.values().for_each(Connection::end);
        }
        self.shared.changed.notify_all();
    }

    /// Connections that are open now are dead from now on: whatever is sent is lost, and neither end is told, not even when
    /// the other one closes. Gives how many there were.
    pub fn forget(&self) -> u32 {
        let now = self.shared.lock();
        let alive = now.connections.values().filter(|one| !one.is_forgotten.swap(true, Ordering::SeqCst));
        u32::try_from(alive.count()).unwrap_or(u32::MAX)
    }

    /// By which the server knows the connections that are open.
    pub fn ports(&self) -> Vec<u16> {
        let now = self.shared.lock();
        let alive = now.connections.values().filter(|one| !one.is_forgotten.load(Ordering::SeqCst));
        alive.map(|connection| connection.port).collect()
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.shared.stopping.store(true, Ordering::SeqCst);
        self.set(Weather::Cut);
        // Wakes the thread that accepts.
        _ = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port));
    }
}

impl Connection {
    fn end(&self) {
        for end in &self.ends {
            _ = end.shutdown(Shutdown::Both);
        }
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Now> {
        self.now.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns when something may pass; false: never.
    fn pass(&self) -> bool {
        let held = self.changed.wait_while(self.lock(), |now| now.weather == Weather::Held);
        let weather = held.unwrap_or_else(PoisonError::into_inner).weather;
        if let Weather::Slow(by) = weather {
            super::super::pause(by);
        }
        weather != Weather::Cut
    }

    /// Bytes of one direction, until either end closes.
    fn carry(&self, mut from: &TcpStream, mut to: &TcpStream, is_forgotten: &AtomicBool) {
        let mut portion = vec![0; PORTION_BYTES];
        while let Ok(count @ 1..) = from.read(&mut portion) {
            let Some(bytes) = portion.get(..count) else { break };
            let passes = self.pass();
            if is_forgotten.load(Ordering::SeqCst) {
                continue;
            }
            if !passes || to.write_all(bytes).is_err() {
                break;
            }
        }
        // Its end is news like any other.
        self.pass();
    }

    fn connect_ends(&self, client: &TcpStream, server: &TcpStream, is_forgotten: &AtomicBool) {
        let end = |one: &TcpStream| _ = one.shutdown(Shutdown::Both);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                self.carry(client, server, is_forgotten);
                if is_forgotten.load(Ordering::SeqCst) {
                    super::super::pause(NOTICED_AFTER);
                }
                end(client);
                end(server);
            });
            self.carry(server, client, is_forgotten);
            if !is_forgotten.load(Ordering::SeqCst) {
                end(client);
                end(server);
            }
        });
    }

    fn connect(&self, client: TcpStream) -> std::io::Result<()> {
        let server = TcpStream::connect((Ipv4Addr::LOCALHOST, self.upstream))?;
        _ = (client.set_nodelay(true), server.set_nodelay(true));
        let is_forgotten = Arc::new(AtomicBool::new(false));
        let connection = Connection {
            ends: [client.try_clone()?, server.try_clone()?],
            port: server.local_addr()?.port(),
            is_forgotten: Arc::clone(&is_forgotten),
        };
        let number = self.note(connection);
        self.connect_ends(&client, &server, &is_forgotten);
        self.lock().connections.remove(&number);
        Ok(())
    }

    fn note(&self, connection: Connection) -> u64 {
        let mut now = self.lock();
        if now.weather == Weather::Cut {
            connection.end();
        }
        now.count += 1;
        let number = now.count;
        now.connections.insert(number, connection);
        number
    }
}

fn accept(listener: &TcpListener, shared: &Arc<Shared>) {
    for client in listener.incoming().flatten() {
        if shared.stopping.load(Ordering::SeqCst) {
            return;
        }
        let shared = Arc::clone(shared);
        std::thread::spawn(move || {
            if shared.pass() {
                // A server that does not listen is a connection that ends.
                _ = shared.connect(client);
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use std::io::ErrorKind;
    use std::time::Instant;

    use super::*;

    /// A server that says everything again, behind a proxy.
    fn echo() -> Proxy {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let proxy = Proxy::start(listener.local_addr().unwrap().port()).unwrap();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                std::thread::spawn(move || std::io::copy(&mut &stream, &mut &stream));
            }
        });
        proxy
    }

    fn ask(mut stream: &TcpStream) -> std::io::Result<u8> {
        stream.write_all(b"x")?;
        let mut answer = [0];
        stream.read_exact(&mut answer).map(|()| answer[0])
    }

    #[test]
    fn a_forgotten_connection_is_silent_for_good_and_new_ones_are_not() {
        let proxy = echo();
        let connect = || TcpStream::connect((Ipv4Addr::LOCALHOST, proxy.port())).unwrap();
        let stream = connect();
        assert_eq!(ask(&stream).unwrap(), b'x');
        assert_eq!((proxy.forget(), proxy.forget(), proxy.ports().len()), (1, 0, 0));
        stream.set_read_timeout(Some(Duration::from_millis(40))).unwrap();
        for _ in 0..2 {
            assert!(matches!(ask(&stream).unwrap_err().kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut));
        }
        assert_eq!(ask(&connect()).unwrap(), b'x');
    }

    #[test]
    fn bytes_pass_late_are_held_back_and_are_cut() {
        let proxy = echo();
        let connect = || TcpStream::connect((Ipv4Addr::LOCALHOST, proxy.port())).unwrap();
        let stream = connect();
        assert_eq!(ask(&stream).unwrap(), b'x');
        assert_eq!(proxy.ports().len(), 1);
        let late = Duration::from_millis(40);
        proxy.set(Weather::Slow(late));
        let asked = Instant::now();
        assert_eq!(ask(&stream).unwrap(), b'x');
        assert!(asked.elapsed() >= late * 2);
        proxy.set(Weather::Held);
        stream.set_read_timeout(Some(late)).unwrap();
        assert!(matches!(ask(&stream).unwrap_err().kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut));
        proxy.set(Weather::Clear);
        stream.set_read_timeout(None).unwrap();
        (&stream).read_exact(&mut [0]).unwrap();
        proxy.set(Weather::Cut);
        assert!(ask(&stream).is_err() && ask(&connect()).is_err());
        proxy.set(Weather::Clear);
        assert_eq!(ask(&connect()).unwrap(), b'x');
    }
}
