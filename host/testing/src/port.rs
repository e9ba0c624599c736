//! Free loopback ports for servers that must be told theirs.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::io;
use std::net::{Ipv4Addr, TcpListener};

/// Below the ports that systems give to outgoing connections and to port 0: nobody else gets this one while a server
/// that was killed is down. Above the ports that services have by custom.
const FIRST: u16 = 20_000;
/// How many ports there are to choose from.
const COUNT: u16 = 10_000;

/// A port that nobody listens on. Somebody may before it is used: whoever starts a server tries again with another.
pub fn free() -> io::Result<u16> {
    let chance = RandomState::new().build_hasher().finish();
    let start = u16::try_from(chance % u64::from(COUNT)).unwrap_or_default();
    let ports = (0..COUNT).map(|step| FIRST + (start + step) % COUNT);
    let mut free = ports.filter(|port| TcpListener::bind((Ipv4Addr::LOCALHOST, *port)).is_ok());
    free.next().ok_or_else(|| io::Error::other("no loopback port is free"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_in_use_is_not_given() {
        let port = free().unwrap();
        let _listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).unwrap();
        assert!((FIRST..FIRST + COUNT).contains(&port));
        assert!((0..100).all(|_| free().unwrap() != port));
    }
}
