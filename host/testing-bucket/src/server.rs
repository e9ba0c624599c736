//! The store, its thread, and its files.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;

use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use s3s::auth::SimpleAuth;
use s3s::service::{S3Service, S3ServiceBuilder};
use s3s_fs::FileSystem;
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::sync::oneshot;

use crate::rules::Rules;

/// The only account.
pub const ACCESS_KEY: &str = "AKIAQUANTUMTESTS";
pub const SECRET_KEY: &str = "a-secret-that-no-log-may-show";
/// The only bucket.
pub const BUCKET: &str = "quantum-tests";

/// Gone with its value.
pub struct ObjectStore {
    folder: TempDir,
    address: SocketAddr,
    read_only: Arc<AtomicBool>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl ObjectStore {
    /// # Panics
    ///
    /// When it cannot listen or write, as everything here: a test has nothing better to do.
    #[must_use]
    pub fn start() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::create_dir(folder.path().join(BUCKET)).expect("the bucket");
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address");
        let read_only = Arc::<AtomicBool>::default();
        let mut service = S3ServiceBuilder::new(FileSystem::new(folder.path()).expect("a file system"));
        service.set_auth(SimpleAuth::from_single(ACCESS_KEY, SECRET_KEY));
        service.set_access(Rules { root: folder.path().to_owned(), read_only: read_only.clone() });
        let (stop, stopped) = oneshot::channel();
        let service = service.build();
        let thread = std::thread::spawn(move || run(listener, &service, stopped));
        Self { folder, address, read_only, stop: Some(stop), thread: Some(thread) }
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Where the bytes of an object lie.
    pub fn file(&self, path: &str) -> PathBuf {
        self.folder.path().join(BUCKET).join(path)
    }

    /// From now on, whoever writes or deletes is denied it.
    pub fn deny_writes(&self, denied: bool) {
        self.read_only.store(denied, Ordering::SeqCst);
    }

    /// Files of uploads in parts that are neither complete nor aborted.
    pub fn unfinished_parts(&self) -> Vec<String> {
        let entries = std::fs::read_dir(self.folder.path()).expect("the folder");
        let names = entries.map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned());
        names.filter(|name| name.starts_with(".upload")).collect()
    }
}

impl Drop for ObjectStore {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // One that panicked has failed its test already.
            drop(thread.join());
        }
    }
}

fn run(listener: std::net::TcpListener, service: &S3Service, stopped: oneshot::Receiver<()>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        listener.set_nonblocking(true).expect("a listener that does not block");
        let listener = TcpListener::from_std(listener).expect("a listener");
        tokio::select! {
            () = accept(listener, service) => {}
            // Told, or the value is gone.
            _ = stopped => {}
        }
    });
}

async fn accept(listener: TcpListener, service: &S3Service) {
    while let Ok((socket, _)) = listener.accept().await {
        let service = service.clone();
        tokio::spawn(async move {
            let builder = Builder::new(TokioExecutor::new());
            // A client that went away is none of the store's troubles.
            drop(builder.serve_connection(TokioIo::new(socket), service).await);
        });
    }
}
