//! As much of PostgreSQL's protocol as it takes to be let in, or not.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::time::Duration;

/// Protocol 3.0, in the first message of a client.
const VERSION: u32 = 3 << 16;

pub struct Client {
    stream: TcpStream,
}

impl Client {
    /// Asks for the database, as the superuser, over loopback.
    pub fn connect(port: u16, database: &str) -> Self {
        let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).unwrap();
        let names = format!("user\0postgres\0database\0{database}\0\0");
        let length = u32::try_from(8 + names.len()).unwrap();
        let message = [&length.to_be_bytes(), &VERSION.to_be_bytes(), names.as_bytes()].concat();
        stream.write_all(&message).unwrap();
        Self { stream }
    }

    /// The kind of the first message back: `R` lets in, `E` is an error. Err: nothing came within this time.
    pub fn answer(&mut self, most: Duration) -> io::Result<char> {
        self.stream.set_read_timeout(Some(most)).unwrap();
        let mut kind = [0];
        self.stream.read_exact(&mut kind)?;
        Ok(char::from(kind[0]))
    }
}
