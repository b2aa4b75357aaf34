//! What kind of place an address is. Pure.
//!
//! Three answers: anybody may be sent there (`Public`), only an explicit grant leads there (`Guarded`: loopback, private
//! and reserved ranges), nothing leads there (`Never`: link-local, where clouds hand out credentials; multicast; no address
//! at all). An IPv4 address inside an IPv6 address (mapped, 6to4, NAT64, …) is judged as the IPv4 address that it reaches.
//! Ranges: RFC 6890 and its updates; metadata addresses as the clouds document them.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::str::FromStr;

use ipnet::IpNet;
use serde::Serialize;

/// How an address may be reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reach {
    /// By any grant that leads there.
    Public,
    /// Only by a grant that says so; why.
    Guarded(&'static str),
    /// Not at all; why.
    Never(&'static str),
}

/// Metadata services at addresses that look like any other.
const METADATA: &[IpAddr] = &[
    IpAddr::V4(Ipv4Addr::new(100, 100, 100, 200)),
    IpAddr::V4(Ipv4Addr::new(168, 63, 129, 16)),
    IpAddr::V4(Ipv4Addr::new(192, 0, 0, 192)),
    IpAddr::V6(Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254)),
    IpAddr::V6(Ipv6Addr::new(0xfd20, 0xce, 0, 0, 0, 0, 0, 0x254)),
    IpAddr::V6(Ipv6Addr::new(0xfd00, 0x42, 0, 0, 0, 0, 0, 0x42)),
];

/// The address that is reached in the end: the IPv4 one inside an IPv6 one, else the address itself.
pub(crate) fn reached(address: IpAddr) -> IpAddr {
    let IpAddr::V6(six) = address else {
        return address;
    };
    let embedded = match six.segments() {
        // Mapped (::ffff:a.b.c.d), translated (::ffff:0:a.b.c.d) and NAT64's two prefixes.
        [0, 0, 0, 0, 0, 0xffff, high, low]
        | [0, 0, 0, 0, 0xffff, 0, high, low]
        | [0x64, 0xff9b, 0, 0, 0, 0, high, low]
        | [0x64, 0xff9b, 1, _, _, _, high, low] => Some((high, low)),
        // "Compatible": ::a.b.c.d; but :: and ::1 are addresses of their own.
        [0, 0, 0, 0, 0, 0, high, low] if (high, low) != (0, 0) && (high, low) != (0, 1) => Some((high, low)),
        // 6to4.
        [0x2002, high, low, ..] => Some((high, low)),
        _ => None,
    };
    embedded.map_or(address, |(high, low)| {
        IpAddr::V4(Ipv4Addr::from_bits(u32::from(high) << 16 | u32::from(low)))
    })
}

/// Judges an address.
pub(crate) fn judge(address: IpAddr) -> Reach {
    let address = reached(address);
    if METADATA.contains(&address) {
        return Reach::Never("a cloud's metadata service");
    }
    match address {
        IpAddr::V4(four) => judge_four(four),
        IpAddr::V6(six) => judge_six(six),
    }
}

fn judge_four(four: Ipv4Addr) -> Reach {
    match four.octets() {
        [0, ..] => Reach::Never("no address of a host"),
        [169, 254, ..] => Reach::Never("link-local, where clouds keep their metadata service"),
        [224..=239, ..] => Reach::Never("multicast"),
        [240..=255, ..] => Reach::Never("broadcast or reserved"),
        [127, ..] => Reach::Guarded("loopback"),
        [10, ..] | [172, 16..=31, ..] | [192, 168, ..] => Reach::Guarded("private"),
        [100, 64..=127, ..] => Reach::Guarded("shared by a provider"),
        [192, 0, 0 | 2, _] | [198, 18 | 19, ..] | [198, 51, 100, _] | [203, 0, 113, _] => {
            Reach::Guarded("reserved")
        }
        _ => Reach::Public,
    }
}

fn judge_six(six: Ipv6Addr) -> Reach {
    match six.segments() {
        [0, 0, 0, 0, 0, 0, 0, 0] => Reach::Never("no address of a host"),
        [0xfe80..=0xfebf, ..] => Reach::Never("link-local"),
        [0xff00..=0xffff, ..] => Reach::Never("multicast"),
        [0x2001, 0, ..] => Reach::Never("a Teredo tunnel"),
        [0, 0, 0, 0, 0, 0, 0, 1] => Reach::Guarded("loopback"),
        [0xfc00..=0xfdff, ..] => Reach::Guarded("private"),
        [0x2001, 0xdb8, ..] | [0x3fff, 0..=0xfff, ..] => Reach::Guarded("reserved"),
        [0x2000..=0x3fff, ..] => Reach::Public,
        _ => Reach::Guarded("reserved"),
    }
}

/// A range of addresses that the deployer lets names resolve to: `10.0.0.0/8`, or one address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Network(IpNet);

impl Network {
    /// Whether the address that is reached in the end lies in it.
    pub(crate) fn contains(&self, address: IpAddr) -> bool {
        self.0.contains(&reached(address))
    }
}

impl FromStr for Network {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let net = match text.parse::<IpAddr>() {
            Ok(address) => Ok(IpNet::from(address)),
            Err(_) => text.parse::<IpNet>(),
        };
        let net = net.map_err(|_| format!("{text:?} is no range of addresses such as \"10.0.0.0/8\""))?;
        if net.addr() != net.network() {
            return Err(format!(
                "{text:?} has bits behind its length; write \"{}\"",
                net.trunc()
            ));
        }
        if net.prefix_len() == net.max_prefix_len()
            && let Reach::Never(why) = judge(net.addr())
        {
            return Err(format!("{text:?} is {why} and never granted"));
        }
        Ok(Network(net))
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Serialize for Network {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// An address and port that a driver may open raw TCP connections to: `192.0.2.7:2049`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TcpAddress(SocketAddr);

impl TcpAddress {
    /// Whether that is what is reached in the end.
    pub(crate) fn is(&self, address: SocketAddr) -> bool {
        reached(self.0.ip()) == reached(address.ip()) && self.0.port() == address.port()
    }
}

impl FromStr for TcpAddress {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let address: SocketAddr = text
            .parse()
            .map_err(|_| format!("{text:?} is no address and port such as \"192.0.2.7:2049\""))?;
        if address.port() == 0 {
            return Err(format!("{text:?}: a port is 1 to 65535"));
        }
        if let Reach::Never(why) = judge(address.ip()) {
            return Err(format!("{text:?} is {why} and never granted"));
        }
        Ok(TcpAddress(address))
    }
}

impl fmt::Display for TcpAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Serialize for TcpAddress {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_address_is_judged_as_what_it_reaches() {
        for (text, kind) in [
            ("1.1.1.1", 'p'),
            ("8.8.8.8", 'p'),
            ("172.15.0.1", 'p'),
            ("172.32.0.1", 'p'),
            ("100.63.0.1", 'p'),
            ("100.128.0.1", 'p'),
            ("192.167.0.1", 'p'),
            ("223.255.255.254", 'p'),
            ("2606:4700::1111", 'p'),
            ("::ffff:1.1.1.1", 'p'),
            ("2002:101:101::", 'p'),
            ("64:ff9b::101:101", 'p'),
            ("127.0.0.1", 'g'),
            ("127.255.0.9", 'g'),
            ("10.0.0.1", 'g'),
            ("172.16.0.1", 'g'),
            ("172.31.255.1", 'g'),
            ("192.168.1.1", 'g'),
            ("100.64.0.1", 'g'),
            ("192.0.0.8", 'g'),
            ("192.0.2.7", 'g'),
            ("198.18.0.1", 'g'),
            ("198.51.100.1", 'g'),
            ("203.0.113.9", 'g'),
            ("::1", 'g'),
            ("fc00::1", 'g'),
            ("fd12::1", 'g'),
            ("2001:db8::1", 'g'),
            ("fec0::1", 'g'),
            ("4000::1", 'g'),
            ("::ffff:127.0.0.1", 'g'),
            ("::127.0.0.1", 'g'),
            ("::ffff:0:10.0.0.1", 'g'),
            ("2002:7f00:1::", 'g'),
            ("64:ff9b::a00:1", 'g'),
            ("64:ff9b:1::c0a8:101", 'g'),
            ("0.0.0.0", 'n'),
            ("0.1.2.3", 'n'),
            ("169.254.169.254", 'n'),
            ("169.254.0.1", 'n'),
            ("224.0.0.1", 'n'),
            ("239.1.1.1", 'n'),
            ("240.0.0.1", 'n'),
            ("255.255.255.255", 'n'),
            ("100.100.100.200", 'n'),
            ("168.63.129.16", 'n'),
            ("192.0.0.192", 'n'),
            ("::", 'n'),
            ("fe80::1", 'n'),
            ("febf::1", 'n'),
            ("ff02::1", 'n'),
            ("fd00:ec2::254", 'n'),
            ("fd20:ce::254", 'n'),
            ("2001::1", 'n'),
            ("::ffff:169.254.169.254", 'n'),
            ("::169.254.169.254", 'n'),
            ("2002:a9fe:a9fe::1", 'n'),
            ("64:ff9b::169.254.169.254", 'n'),
            ("64:ff9b:1::a9fe:a9fe", 'n'),
            ("::ffff:0.0.0.0", 'n'),
        ] {
            let found = match judge(text.parse().unwrap()) {
                Reach::Public => 'p',
                Reach::Guarded(_) => 'g',
                Reach::Never(_) => 'n',
            };
            assert_eq!(found, kind, "{text}");
        }
    }

    #[test]
    fn ranges_and_tcp_addresses_are_read_or_refused() {
        let net: Network = "10.0.0.0/8".parse().unwrap();
        assert!(net.contains("10.9.8.7".parse().unwrap()));
        assert!(net.contains("::ffff:10.9.8.7".parse().unwrap()));
        assert!(!net.contains("11.0.0.1".parse().unwrap()));
        let one: Network = "127.0.0.1".parse().unwrap();
        assert_eq!(one.to_string(), "127.0.0.1/32");
        for wrong in [
            "",
            "10.0.0.1/8",
            "10/8",
            "10.0.0.0/33",
            "example.com",
            "169.254.169.254",
            "fe80::1/128",
        ] {
            assert!(wrong.parse::<Network>().is_err(), "{wrong}");
        }
        let tcp: TcpAddress = "192.0.2.7:2049".parse().unwrap();
        assert!(tcp.is("[::ffff:192.0.2.7]:2049".parse().unwrap()));
        assert!(!tcp.is("192.0.2.7:2050".parse().unwrap()) && !tcp.is("192.0.2.8:2049".parse().unwrap()));
        for wrong in [
            "",
            "192.0.2.7",
            "192.0.2.7:0",
            "nfs.example.com:2049",
            "169.254.169.254:80",
            "[fe80::1]:80",
        ] {
            assert!(wrong.parse::<TcpAddress>().is_err(), "{wrong}");
        }
    }
}
