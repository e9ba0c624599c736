//! The network between a client and the store, which can be cut and can go silent.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// Forwards connections to an address. Its threads end with the connections, and the one that accepts with the process.
pub struct Line {
    address: SocketAddr,
    state: Arc<State>,
}

struct State {
    to: SocketAddr,
    silent: AtomicBool,
    /// Bytes that clients may still send before their connections are cut.
    left: AtomicU64,
    /// Connections that were cut.
    cuts: AtomicU64,
}

impl Line {
    /// # Panics
    ///
    /// When it cannot listen.
    #[must_use]
    pub fn to(to: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address");
        let state = Arc::new(State {
            to,
            silent: AtomicBool::new(false),
            left: AtomicU64::new(u64::MAX),
            cuts: AtomicU64::new(0),
        });
        let shared = state.clone();
        std::thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                let state = shared.clone();
                std::thread::spawn(move || forward(&client, &state));
            }
        });
        Self { address, state }
    }

    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Every connection is cut, once clients have sent so many bytes from now on.
    pub fn cut_after(&self, bytes: u64) {
        self.state.left.store(bytes, Ordering::SeqCst);
    }

    /// How many connections were cut until now.
    pub fn cuts(&self) -> u64 {
        self.state.cuts.load(Ordering::SeqCst)
    }

    pub fn mend(&self) {
        self.state.left.store(u64::MAX, Ordering::SeqCst);
        self.state.silent.store(false, Ordering::SeqCst);
    }

    /// Connections are accepted, and what comes on them is never answered.
    pub fn silence(&self) {
        self.state.silent.store(true, Ordering::SeqCst);
    }
}

fn forward(client: &TcpStream, state: &State) {
    let Ok(server) = TcpStream::connect(state.to) else { return };
    std::thread::scope(|scope| {
        scope.spawn(|| copy(&server, client, || !state.silent.load(Ordering::SeqCst), |_| true));
        copy(client, &server, || true, |bytes| state.spend(bytes));
    });
}

/// Until one end is closed, or the line is cut. What is not wanted is swallowed.
fn copy(mut from: &TcpStream, mut to: &TcpStream, wanted: impl Fn() -> bool, goes_on: impl Fn(u64) -> bool) {
    let mut piece = [0; 16 * 1024];
    while let Ok(read) = from.read(&mut piece) {
        let Some(bytes) = piece.get(..read).filter(|bytes| !bytes.is_empty()) else { break };
        if !goes_on(read as u64) || (wanted() && to.write_all(bytes).is_err()) {
            break;
        }
    }
    // Already closed is closed too.
    let _closed = (from.shutdown(Shutdown::Both), to.shutdown(Shutdown::Both));
}

impl State {
    /// False: the line is cut now.
    fn spend(&self, bytes: u64) -> bool {
        let spent = self.left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| match left {
            u64::MAX => Some(left),
            _ => Some(left.saturating_sub(bytes)),
        });
        let goes_on = spent.is_ok_and(|before| before == u64::MAX || before > bytes);
        if !goes_on {
            self.cuts.fetch_add(1, Ordering::SeqCst);
        }
        goes_on
    }
}
