//! Requests and addresses held against what was granted. Pure.
//!
//! A request must lie in a granted origin. Then each address that its host resolves to is judged by itself: public ones may
//! be dialled; guarded ones only when the origin names that very address (or `localhost` for loopback), or when one of the
//! granted networks holds it; some never. So a name that suddenly resolves to the loopback leads nowhere.

use std::net::{IpAddr, SocketAddr};

use super::address::{Network, Reach, TcpAddress, judge, reached};
use super::origin::{Host, Origin, Target};

/// What was wanted, and the line that would allow it; empty when none would.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Denial {
    pub(crate) wanted: String,
    pub(crate) grant: String,
}

impl Denial {
    fn never(wanted: String) -> Self {
        Denial {
            wanted,
            grant: String::new(),
        }
    }
}

/// What one instance may reach.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Policy {
    /// Origins of HTTP.
    pub(crate) http: Vec<Origin>,
    /// Guarded addresses that names may resolve to.
    pub(crate) networks: Vec<Network>,
    /// Addresses of raw TCP connections.
    pub(crate) tcp: Vec<TcpAddress>,
    /// Whether the driver says that it wants HTTP at all.
    pub(crate) wants_http: bool,
}

impl Policy {
    /// Where the request goes, if it may.
    ///
    /// # Errors
    /// The denial.
    pub(crate) fn admit(&self, uri: &http::Uri) -> Result<Target, Denial> {
        let target = Target::of_request(uri).map_err(|why| {
            let authority = uri.authority().map_or("", |authority| authority.as_str());
            let host = authority.rsplit('@').next().unwrap_or_default();
            Denial::never(format!("HTTP to {host:?} ({why})"))
        })?;
        self.admit_target(&target).map(|()| target)
    }

    /// Whether requests may go there.
    ///
    /// # Errors
    /// The denial.
    pub(crate) fn admit_target(&self, target: &Target) -> Result<(), Denial> {
        let wanted = format!("HTTP to {target}");
        if let Host::Address(address) = target.host
            && let Reach::Never(why) = judge(address)
        {
            return Err(Denial::never(format!("{wanted} ({why})")));
        }
        if !self.wants_http {
            return Err(Denial::never(format!(
                "{wanted}, of which the driver's description says nothing,"
            )));
        }
        if self.http.iter().any(|origin| origin.covers(target)) {
            return Ok(());
        }
        Err(Denial {
            wanted,
            grant: format!("http = [\"{target}\"] to the backend's grants"),
        })
    }

    /// Whether the target may be reached at this address, which may be one of this host's own.
    ///
    /// # Errors
    /// The denial.
    pub(crate) fn admit_address(&self, target: &Target, address: IpAddr, own: bool) -> Result<(), Denial> {
        let wanted = |why: &str| format!("HTTP to {target} at {address} ({why})");
        let why = match judge(address) {
            Reach::Never(why) => return Err(Denial::never(wanted(why))),
            Reach::Public if !own => return Ok(()),
            Reach::Public => "this host's own",
            Reach::Guarded(why) => why,
        };
        let named = match &target.host {
            Host::Address(host) => reached(*host) == reached(address),
            Host::Name(name) => name == "localhost" && reached(address).is_loopback(),
        };
        if named || self.networks.iter().any(|network| network.contains(address)) {
            return Ok(());
        }
        Err(Denial {
            wanted: wanted(why),
            grant: format!("networks = [\"{}\"] to the backend's grants", reached(address)),
        })
    }

    /// Whether a raw TCP connection may be opened.
    ///
    /// # Errors
    /// The denial.
    pub(crate) fn admit_tcp(&self, address: SocketAddr) -> Result<(), Denial> {
        let wanted = format!("a TCP connection to {address}");
        if let Reach::Never(why) = judge(address.ip()) {
            return Err(Denial::never(format!("{wanted} ({why})")));
        }
        if address.port() != 0 && self.tcp.iter().any(|granted| granted.is(address)) {
            return Ok(());
        }
        Err(Denial {
            wanted,
            grant: format!("tcp = [\"{address}\"] to the backend's grants"),
        })
    }
}

#[cfg(test)]
mod tests;
