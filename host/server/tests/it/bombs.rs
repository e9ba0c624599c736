//! A web server on loopback whose answers mean harm: what is asked for says which.

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

const MIB: usize = 1024 * 1024;
/// Mebibytes that the packed answer becomes: more than any plugin has.
const UNPACKED_MIB: usize = 300;

pub struct Bombs {
    pub port: u16,
    task: JoinHandle<()>,
}

impl Drop for Bombs {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Bombs {
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream));
            }
        });
        Self { port, task }
    }
}

/// One answer a connection. Who hangs up in its middle is no failure of the test.
async fn serve(mut stream: TcpStream) {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        if !stream.read_buf(&mut head).await.is_ok_and(|read| read > 0) {
            return;
        }
    }
    let head = String::from_utf8(head).unwrap();
    let path = head.split(' ').nth(1).unwrap();
    let _hung_up = match path {
        "/endless" => endless(&mut stream).await,
        // More is announced than comes: nobody reads it.
        "/announced" => stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 1073741824\r\n\r\n").await,
        "/silent" => stream.read(&mut [0]).await.map(drop),
        _ => stream.write_all(&answer(path, &head)).await,
    };
}

fn answer(path: &str, head: &str) -> Vec<u8> {
    match path {
        "/metadata" => with("302 Found", "location: http://169.254.169.254/latest/meta-data/\r\n", b""),
        "/fields" => with("200 OK", &"x-bomb: 1\r\n".repeat(200), b""),
        "/packed" => with("200 OK", "content-encoding: gzip\r\n", &packed()),
        "/echo" => with("200 OK", "", header(head, "authorization").as_bytes()),
        _ => with("200 OK", "", b"ok"),
    }
}

fn with(status: &str, headers: &str, body: &[u8]) -> Vec<u8> {
    let length = body.len();
    let head = format!("HTTP/1.1 {status}\r\nconnection: close\r\ncontent-length: {length}\r\n{headers}\r\n");
    [head.as_bytes(), body].concat()
}

fn header<'a>(head: &'a str, name: &str) -> &'a str {
    let mut fields = head.lines().filter_map(|line| line.split_once(": "));
    fields.find(|(known, _)| known.eq_ignore_ascii_case(name)).map_or("", |(_, value)| value)
}

/// Parts of a packed file, one after the other: each becomes a mebibyte.
fn packed() -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(&vec![0; MIB]).unwrap();
    encoder.finish().unwrap().repeat(UNPACKED_MIB)
}

/// A body that goes on until the other side hangs up.
async fn endless(stream: &mut TcpStream) -> std::io::Result<()> {
    stream.write_all(b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n").await?;
    let piece = vec![b'x'; MIB];
    loop {
        stream.write_all(&piece).await?;
    }
}
