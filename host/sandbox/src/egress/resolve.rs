//! From a name to addresses.

use std::net::IpAddr;
use std::time::Duration;

use tokio::time::timeout;
use wasmtime_wasi_http::Error;

use super::target::Target;

/// Addresses of one name that are looked at.
const ADDRESSES_MAX: usize = 8;

/// Asked anew for each request: a name that changes its address is checked with the new one. Odd spellings such as
/// `0x7f.1` or `2130706433` are addresses to the system's resolver, and are classified as what it makes of them.
pub(crate) async fn resolve(target: &Target, time_max: Duration) -> Result<Vec<IpAddr>, Error> {
    if let Ok(address) = target.host.parse() {
        return Ok(vec![address]);
    }
    let lookup = tokio::net::lookup_host((target.host.as_str(), target.port));
    let found = timeout(time_max, lookup).await.map_err(|_| Error::DnsTimeout)?;
    let unknown =
        |_| Error::DnsError { rcode: Some("the name does not resolve".to_owned()), info_code: None };
    let found = found.map_err(unknown)?;
    let mut addresses = Vec::new();
    for socket in found.take(ADDRESSES_MAX) {
        if !addresses.contains(&socket.ip()) {
            addresses.push(socket.ip());
        }
    }
    Ok(addresses)
}
