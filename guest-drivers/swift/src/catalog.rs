//! Keystone's catalog: where the object store is, for the region and interface that the settings want. Pure.
//!
//! The catalogs of versions 2 and 3 say the same in two forms; both become one list of [`Endpoint`]s. What stands in them is
//! somebody else's text: only shortened and cleaned does it reach an error.

use cofferdam_driver::Error;
use cofferdam_driver::http::shown;
use serde::Deserialize;

use crate::options;

/// Endpoints that an error lists.
const SHOWN: usize = 5;

/// What is looked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Wanted {
    service_type: String,
    interface: Interface,
    region: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Interface {
    Public,
    Internal,
    Admin,
}

impl Interface {
    /// Version 2 and Cinder say `publicURL`, version 3 says `public`.
    fn parse(text: &str) -> Option<Self> {
        match text.strip_suffix("URL").unwrap_or(text) {
            "public" => Some(Self::Public),
            "internal" => Some(Self::Internal),
            "admin" => Some(Self::Admin),
            _ => None,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Public => "public",
            Self::Internal => "internal",
            Self::Admin => "admin",
        }
    }
}

impl Wanted {
    /// `None` when there is no such interface.
    pub(crate) fn new(service_type: &str, interface: &str, region: Option<String>) -> Option<Self> {
        Some(Self {
            service_type: service_type.to_owned(),
            interface: Interface::parse(interface)?,
            region,
        })
    }

    /// The URL of the first endpoint that fits.
    pub(crate) fn find(&self, endpoints: &[Endpoint]) -> Result<String, Error> {
        let fits = |endpoint: &&Endpoint| {
            endpoint.service_type == self.service_type
                && endpoint.interface == Some(self.interface)
                && self
                    .region
                    .as_ref()
                    .is_none_or(|region| *region == endpoint.region)
        };
        match endpoints.iter().find(fits) {
            Some(endpoint) => Ok(endpoint.url.clone()),
            None => Err(self.missing(endpoints)),
        }
    }

    fn missing(&self, endpoints: &[Endpoint]) -> Error {
        let of_type = endpoints
            .iter()
            .filter(|endpoint| endpoint.service_type == self.service_type);
        let mut there: Vec<String> = of_type
            .map(|endpoint| {
                let interface = endpoint.interface.map_or("other", Interface::name);
                format!("{interface} in {}", shown(&endpoint.region))
            })
            .collect();
        there.sort();
        there.dedup();
        let more = if there.len() > SHOWN { " and more" } else { "" };
        there.truncate(SHOWN);
        let there = if there.is_empty() {
            format!("it has none of type {}", self.service_type)
        } else {
            format!("it has {}{more}", there.join(", "))
        };
        let option = if self.region.is_some() {
            options::REGION
        } else {
            options::CATALOG_INFO
        };
        let region = self
            .region
            .as_deref()
            .map_or("any region".to_owned(), |region| format!("the region {region}"));
        Error::invalid_configuration(
            option,
            format!(
                "the catalog has no endpoint of type {} with the interface {} in {region}: {there}; \
                 backup_swift_url would do without the catalog",
                self.service_type,
                self.interface.name()
            ),
        )
    }
}

/// One way to one service.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Endpoint {
    service_type: String,
    /// `None` when it is an interface that nobody can ask for.
    interface: Option<Interface>,
    region: String,
    url: String,
}

/// A service in the catalog of version 3.
#[derive(Debug, Deserialize)]
pub(crate) struct ServiceV3 {
    #[serde(rename = "type", default)]
    service_type: String,
    #[serde(default)]
    endpoints: Vec<EndpointV3>,
}

#[derive(Debug, Deserialize)]
struct EndpointV3 {
    #[serde(default)]
    interface: String,
    region: Option<String>,
    region_id: Option<String>,
    url: Option<String>,
}

/// A service in the catalog of version 2.
#[derive(Debug, Deserialize)]
pub(crate) struct ServiceV2 {
    #[serde(rename = "type", default)]
    service_type: String,
    #[serde(default)]
    endpoints: Vec<EndpointV2>,
}

#[derive(Debug, Deserialize)]
struct EndpointV2 {
    region: Option<String>,
    #[serde(rename = "publicURL")]
    public: Option<String>,
    #[serde(rename = "internalURL")]
    internal: Option<String>,
    #[serde(rename = "adminURL")]
    admin: Option<String>,
}

impl ServiceV3 {
    pub(crate) fn endpoints(self) -> Vec<Endpoint> {
        let service_type = self.service_type;
        let endpoint = |found: EndpointV3| {
            Some(Endpoint {
                service_type: service_type.clone(),
                interface: Interface::parse(&found.interface),
                region: found.region_id.or(found.region).unwrap_or_default(),
                url: found.url?,
            })
        };
        self.endpoints.into_iter().filter_map(endpoint).collect()
    }
}

impl ServiceV2 {
    pub(crate) fn endpoints(self) -> Vec<Endpoint> {
        let mut all = Vec::new();
        for found in self.endpoints {
            for (interface, url) in [
                (Interface::Public, found.public),
                (Interface::Internal, found.internal),
                (Interface::Admin, found.admin),
            ] {
                all.extend(url.map(|url| Endpoint {
                    service_type: self.service_type.clone(),
                    interface: Some(interface),
                    region: found.region.clone().unwrap_or_default(),
                    url,
                }));
            }
        }
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const V3: &str = r#"[
        {"type": "identity", "endpoints": [{"interface": "public", "region_id": "one", "url": "http://k/v3"}]},
        {"type": "object-store", "name": "swift", "endpoints": [
            {"interface": "internal", "region": "one", "region_id": "one", "url": "http://in.one/v1/AUTH_p"},
            {"interface": "public", "region": "one", "region_id": "one", "url": "http://one/v1/AUTH_p"},
            {"interface": "public", "region": "two", "url": "http://two/v1/AUTH_p"},
            {"interface": "public", "region": "three", "url": null},
            {"interface": "odd", "region": "two", "url": "http://odd"}]},
        {"endpoints": [{}]}, {"type": "empty"}]"#;
    const V2: &str = r#"[{"type": "object-store", "endpoints": [
        {"region": "one", "publicURL": "http://one/v1/AUTH_p", "internalURL": "http://in.one/v1/AUTH_p"}]}]"#;

    fn v3() -> Vec<Endpoint> {
        let services: Vec<ServiceV3> = serde_json::from_str(V3).unwrap();
        services.into_iter().flat_map(ServiceV3::endpoints).collect()
    }

    fn wanted(interface: &str, region: Option<&str>) -> Wanted {
        Wanted::new("object-store", interface, region.map(str::to_owned)).unwrap()
    }

    #[test]
    fn region_and_interface_choose_the_endpoint() {
        assert_eq!(
            wanted("publicURL", None).find(&v3()).unwrap(),
            "http://one/v1/AUTH_p"
        );
        assert_eq!(
            wanted("public", Some("two")).find(&v3()).unwrap(),
            "http://two/v1/AUTH_p"
        );
        assert_eq!(
            wanted("internalURL", None).find(&v3()).unwrap(),
            "http://in.one/v1/AUTH_p"
        );
        let services: Vec<ServiceV2> = serde_json::from_str(V2).unwrap();
        let v2: Vec<Endpoint> = services.into_iter().flat_map(ServiceV2::endpoints).collect();
        assert_eq!(
            wanted("internalURL", Some("one")).find(&v2).unwrap(),
            "http://in.one/v1/AUTH_p"
        );
        wanted("adminURL", None).find(&v2).unwrap_err();
    }

    fn missing(wanted: &Wanted, endpoints: &[Endpoint]) -> (String, String) {
        match wanted.find(endpoints) {
            Err(Error::InvalidConfiguration(invalid)) => (invalid.option_name, invalid.reason),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn what_was_looked_for_and_what_is_there_is_said() {
        let (option, reason) = missing(&wanted("public", Some("four")), &v3());
        assert_eq!(option, options::REGION);
        assert!(
            reason.contains("the region four")
                && reason.contains("public in two")
                && reason.contains("other in two"),
            "{reason}"
        );
        let (option, reason) = missing(&wanted("public", None), &[]);
        assert_eq!(option, options::CATALOG_INFO);
        assert!(reason.contains("none of type object-store"), "{reason}");
    }

    #[test]
    fn a_great_or_odd_catalog_makes_a_short_reason() {
        let endpoint = |number: u32| Endpoint {
            service_type: "object-store".to_owned(),
            interface: Some(Interface::Admin),
            region: format!("{number}\n{}", "x".repeat(5000)),
            url: String::new(),
        };
        let (_, reason) = missing(
            &wanted("public", None),
            &(0..500).map(endpoint).collect::<Vec<_>>(),
        );
        assert!(reason.len() < 1500 && !reason.contains('\n'), "{reason}");
    }
}
