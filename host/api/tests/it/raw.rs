//! Bytes on a socket: what no HTTP client would send.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::world::World;

/// Sends the bytes, and gives everything that comes back until the other side closes.
async fn talk(world: &World, bytes: &[u8]) -> String {
    let mut stream = TcpStream::connect(world.address).await.unwrap();
    // The other side may close before it has read everything.
    let _early = stream.write_all(bytes).await;
    let mut answer = Vec::new();
    let _reset = stream.read_to_end(&mut answer).await;
    String::from_utf8_lossy(&answer).into_owned()
}

fn statuses(answer: &str) -> Vec<&str> {
    answer.split("HTTP/1.1 ").skip(1).map(|rest| &rest[..3]).collect()
}

#[tokio::test]
async fn a_smuggled_request_is_never_answered() {
    let world = World::start().await;
    let hidden = "GET /hidden HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    let heads = [
        // Read by its chunks alone, and closed after the answer.
        ("Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", &["404"][..]),
        ("Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n", &["404"]),
        ("Content-Length: 4\r\nContent-Length: 5\r\n\r\n", &["400"]),
        ("Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n", &["400"]),
        ("Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n", &["400"]),
        ("Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n", &["400"]),
        ("X: a\r\n b: c\r\n\r\n", &["400"]),
        ("Content-Length: +4\r\n\r\n", &["400"]),
    ];
    for (head, expected) in heads {
        let answer = talk(&world, format!("POST /x HTTP/1.1\r\nHost: x\r\n{head}{hidden}").as_bytes()).await;
        assert_eq!(statuses(&answer), expected, "{head}: {answer}");
    }
}

#[tokio::test]
async fn the_host_is_named_exactly_once() {
    let world = World::start().await;
    for head in ["", "Host: a\r\nHost: b\r\n"] {
        let answer =
            talk(&world, format!("GET / HTTP/1.1\r\n{head}Connection: close\r\n\r\n").as_bytes()).await;
        assert!(answer.starts_with("HTTP/1.1 400") && answer.contains("\"host-header\""), "{answer}");
    }
}

#[tokio::test]
async fn a_head_that_is_too_large_is_refused() {
    let world = World::start().await;
    let many: String = (0..65).map(|n| format!("X-{n}: y\r\n")).collect();
    let answer = talk(&world, format!("GET / HTTP/1.1\r\nHost: x\r\n{many}\r\n").as_bytes()).await;
    assert!(answer.starts_with("HTTP/1.1 431"), "{answer}");
    let long = format!("GET / HTTP/1.1\r\nHost: x\r\nX: {}\r\n\r\n", "y".repeat(33 * 1024));
    let answer = talk(&world, long.as_bytes()).await;
    assert!(answer.starts_with("HTTP/1.1 431"), "{answer}");
}

#[tokio::test]
async fn a_connection_that_asks_nothing_is_closed() {
    let world = World::with_limits(|limits| limits.header_read = Duration::from_millis(50)).await;
    for start in ["", "GET / HT", "PRI * HT"] {
        let answer = talk(&world, start.as_bytes()).await;
        assert!(!answer.contains("200"), "{start}: {answer}");
    }
}

#[tokio::test]
async fn a_body_that_does_not_come_is_not_waited_for() {
    let world = World::with_limits(|limits| limits.body_deadline = Duration::from_millis(50)).await;
    let token = world.admin("tenant-a");
    let head = format!(
        "POST /api/v1/intents HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\nContent-Type: application/json\r\n\
         Content-Length: 100\r\nConnection: close\r\n\r\n{{"
    );
    let answer = talk(&world, head.as_bytes()).await;
    assert!(answer.starts_with("HTTP/1.1 408") && answer.contains("\"body-timeout\""), "{answer}");
}

#[tokio::test]
async fn one_address_has_a_bounded_number_of_connections() {
    let world = World::with_limits(|limits| limits.connections_per_address_max = 2).await;
    let mut kept = Vec::new();
    for _ in 0..2 {
        let mut stream = TcpStream::connect(world.address).await.unwrap();
        stream.write_all(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
        stream.read_u8().await.unwrap();
        kept.push(stream);
    }
    assert_eq!(talk(&world, b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").await, "");
    drop(kept);
    loop {
        let answer = talk(&world, b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").await;
        if answer.starts_with("HTTP/1.1 404") {
            break;
        }
    }
}
