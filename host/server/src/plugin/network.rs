//! What of the real network a call may reach: nothing, unless the author of the plugin says so in so many words.

use std::net::IpAddr;

use ipnet::IpNet;
use quantum_core::manifest::{HostPattern, RequestTarget};
use quantum_core::port::HttpCall;

/// What the author allows, beside what the manifest declares: both have to agree.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct Network {
    /// A host that may really be called, for example https://api.example.com; may be repeated [default: none]
    #[arg(long = "allow-host", value_name = "URL", value_parser = HostPattern::parse)]
    pub hosts: Vec<HostPattern>,
    /// A range of addresses that are not public, which those hosts may have, for example 10.0.0.0/8; may be repeated
    #[arg(long = "allow-cidr", value_name = "RANGE", value_parser = range)]
    pub cidrs: Vec<IpNet>,
}

/// A range, or one address.
pub(super) fn range(text: &str) -> Result<IpNet, String> {
    let address = || text.parse::<IpAddr>().map(IpNet::from);
    let wrong = |_| "it is a range such as 10.0.0.0/8, or an address such as 10.0.0.7".to_owned();
    text.parse().or_else(|_| address()).map_err(wrong)
}

impl Network {
    /// The author named the host that this call goes to.
    pub fn allows(&self, call: &HttpCall<'_>) -> bool {
        let HttpCall { method, host, port, path, tls, .. } = *call;
        self.names(&RequestTarget { method, tls, host, port, path })
    }

    pub fn names(&self, target: &RequestTarget<'_>) -> bool {
        self.hosts.iter().any(|pattern| pattern.allows(target))
    }
}
