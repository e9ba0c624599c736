//! What kind of address a request goes to. IPv4 inside of IPv6 is unfolded first, so that no spelling of an address
//! has another class than the address itself. What is not known to be public is not public.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::IpNet;
use quantum_core::vocabulary::AddressClass;

/// Ranges that are not public, the narrow ones first. From the IANA special-purpose registries; the single addresses
/// are where clouds hand out credentials.
const RANGES: &[(&str, AddressClass)] = &[
    ("169.254.169.254/32", AddressClass::Metadata),
    ("169.254.170.2/32", AddressClass::Metadata),
    ("169.254.170.23/32", AddressClass::Metadata),
    ("100.100.100.200/32", AddressClass::Metadata),
    ("168.63.129.16/32", AddressClass::Metadata),
    ("192.0.0.192/32", AddressClass::Metadata),
    ("fd00:ec2::254/128", AddressClass::Metadata),
    ("fd00:ec2::23/128", AddressClass::Metadata),
    ("fd20:ce::254/128", AddressClass::Metadata),
    ("127.0.0.0/8", AddressClass::Loopback),
    ("0.0.0.0/8", AddressClass::Loopback),
    ("::1/128", AddressClass::Loopback),
    ("::/128", AddressClass::Loopback),
    ("169.254.0.0/16", AddressClass::LinkLocal),
    ("fe80::/10", AddressClass::LinkLocal),
    ("224.0.0.0/4", AddressClass::Multicast),
    ("ff00::/8", AddressClass::Multicast),
    ("10.0.0.0/8", AddressClass::Private),
    ("172.16.0.0/12", AddressClass::Private),
    ("192.168.0.0/16", AddressClass::Private),
    ("100.64.0.0/10", AddressClass::Private),
    ("192.0.0.0/24", AddressClass::Private),
    ("192.0.2.0/24", AddressClass::Private),
    ("192.31.196.0/24", AddressClass::Private),
    ("192.52.193.0/24", AddressClass::Private),
    ("192.88.99.0/24", AddressClass::Private),
    ("192.175.48.0/24", AddressClass::Private),
    ("198.18.0.0/15", AddressClass::Private),
    ("198.51.100.0/24", AddressClass::Private),
    ("203.0.113.0/24", AddressClass::Private),
    ("240.0.0.0/4", AddressClass::Private),
    ("fc00::/7", AddressClass::Private),
    ("2001::/23", AddressClass::Private),
    ("2001:db8::/32", AddressClass::Private),
    ("2620:4f:8000::/48", AddressClass::Private),
    ("3fff::/20", AddressClass::Private),
];

/// The only part of IPv6 from which public addresses are given out (RFC 4291).
const GLOBAL_V6: &str = "2000::/3";

/// Classifies addresses, with the ranges that the operator allows.
#[derive(Debug, Clone)]
pub struct AddressClasses {
    ranges: Vec<(IpNet, AddressClass)>,
    global_v6: IpNet,
    allowed: Vec<IpNet>,
}

/// An address's class, and the range that gave it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Classified {
    pub class: AddressClass,
    /// What an operator would allow; none when it is allowed already or can never be.
    pub range: Option<IpNet>,
}

impl AddressClasses {
    /// `allowed`: private, loopback and other ranges that the operator's configuration names.
    pub fn new(allowed: Vec<IpNet>) -> Self {
        let net = |text: &str| text.parse::<IpNet>().expect("the ranges above are written as networks");
        let ranges = RANGES.iter().map(|(text, class)| (net(text), *class)).collect();
        Self { ranges, global_v6: net(GLOBAL_V6), allowed }
    }

    pub fn classify(&self, address: IpAddr) -> Classified {
        let unfolded = unfold(address);
        let (class, range) = self.special(unfolded);
        let allowed = || self.allowed.iter().any(|net| net.contains(&unfolded) || net.contains(&address));
        match class {
            AddressClass::Public | AddressClass::Metadata => Classified { class, range: None },
            _ if allowed() => Classified { class: AddressClass::OperatorAllowed, range: None },
            _ => Classified { class, range: Some(range) },
        }
    }

    fn special(&self, address: IpAddr) -> (AddressClass, IpNet) {
        let only = IpNet::from(address);
        if let Some((range, class)) = self.ranges.iter().find(|(range, _)| range.contains(&address)) {
            return (*class, *range);
        }
        if address.is_ipv6() && !self.global_v6.contains(&address) {
            return (AddressClass::Private, only);
        }
        (AddressClass::Public, only)
    }
}

/// The IPv4 address inside of an IPv6 address, if there is one that a gateway or the system would send to.
fn unfold(address: IpAddr) -> IpAddr {
    let IpAddr::V6(v6) = address else { return address };
    let s = v6.segments();
    let v4 = match s {
        // Loopback and unspecified look like embedded IPv4, and are themselves.
        [0, 0, 0, 0, 0, 0, 0, 0 | 1] => None,
        // Compatible ::a.b.c.d, mapped ::ffff:a.b.c.d, translated ::ffff:0:a.b.c.d.
        [0, 0, 0, 0, 0, 0, high, low]
        | [0, 0, 0, 0, 0, 0xffff, high, low]
        | [0, 0, 0, 0, 0xffff, 0, high, low] => Some(v4(high, low)),
        // NAT64, the well-known prefix (RFC 6052) and the local one (RFC 8215).
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] | [0x64, 0xff9b, 1, _, _, _, high, low] => Some(v4(high, low)),
        // 6to4.
        [0x2002, high, low, ..] => Some(v4(high, low)),
        // ISATAP: the interface id says that it holds an IPv4 address.
        [_, _, _, _, 0 | 0x200, 0x5efe, high, low] => Some(v4(high, low)),
        _ => None,
    };
    v4.map_or(IpAddr::V6(v6), IpAddr::V4)
}

fn v4(high: u16, low: u16) -> Ipv4Addr {
    Ipv6Addr::new(0, 0, 0, 0, 0, 0xffff, high, low).to_ipv4_mapped().unwrap_or(Ipv4Addr::UNSPECIFIED)
}

#[cfg(test)]
mod tests {
    use super::*;
    use AddressClass::{LinkLocal, Loopback, Metadata, Multicast, OperatorAllowed, Private, Public};

    fn check(allowed: &[&str], cases: &[(&str, AddressClass)]) {
        let classes = AddressClasses::new(allowed.iter().map(|net| net.parse().unwrap()).collect());
        for (address, class) in cases {
            assert_eq!(classes.classify(address.parse().unwrap()).class, *class, "{address}");
        }
    }

    #[test]
    fn every_spelling_of_an_address_has_its_class() {
        check(
            &[],
            &[
                ("1.1.1.1", Public),
                ("127.0.0.1", Loopback),
                ("127.255.0.9", Loopback),
                ("0.0.0.0", Loopback),
                ("10.1.2.3", Private),
                ("172.31.255.255", Private),
                ("172.32.0.0", Public),
                ("192.168.0.1", Private),
                ("100.64.0.1", Private),
                ("100.128.0.1", Public),
                ("169.254.1.1", LinkLocal),
                ("169.254.169.254", Metadata),
                ("224.0.0.1", Multicast),
                ("255.255.255.255", Private),
                ("::1", Loopback),
                ("::", Loopback),
                ("fe80::1", LinkLocal),
                ("fc00::1", Private),
                ("fd00:ec2::254", Metadata),
                ("ff02::1", Multicast),
                ("2606:4700::1111", Public),
                ("2001:db8::1", Private),
                ("4000::1", Private),
                ("::ffff:127.0.0.1", Loopback),
                ("::ffff:169.254.169.254", Metadata),
                ("::127.0.0.1", Loopback),
                ("::ffff:0:10.0.0.1", Private),
                ("64:ff9b::a00:1", Private),
                ("64:ff9b::808:808", Public),
                ("64:ff9b:1::a9fe:a9fe", Metadata),
                ("2002:7f00:1::", Loopback),
                ("2002:808:808::", Public),
                ("2606:4700::5efe:a00:1", Private),
            ],
        );
    }

    #[test]
    fn the_operator_allows_ranges_but_never_metadata() {
        check(
            &["127.0.0.0/8", "169.254.0.0/16", "fd00::/8"],
            &[
                ("127.0.0.1", OperatorAllowed),
                ("::ffff:127.0.0.1", OperatorAllowed),
                ("::1", Loopback),
                ("169.254.1.1", OperatorAllowed),
                ("169.254.169.254", Metadata),
                ("fd00::1", OperatorAllowed),
                ("fd00:ec2::254", Metadata),
                ("10.0.0.1", Private),
                ("1.1.1.1", Public),
            ],
        );
    }

    #[test]
    fn the_range_to_allow_is_named() {
        let range = |address: &str| AddressClasses::new(vec![]).classify(address.parse().unwrap()).range;
        assert_eq!(range("127.0.0.1").unwrap().to_string(), "127.0.0.0/8");
        assert_eq!(range("::ffff:10.1.1.1").unwrap().to_string(), "10.0.0.0/8");
        assert_eq!(range("169.254.169.254"), None);
        assert_eq!(range("1.1.1.1"), None);
    }
}
