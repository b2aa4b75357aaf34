//! A registry: where a driver's image is fetched from, and pushed to (`push`).
//!
//! The protocol is oci-client's. Ours: https unless the host is this machine, one image for WebAssembly, every byte counted and hashed
//! as it comes, and time limits on all of it.
//!
//! Bound: blobs by their descriptors and the component's limit; everything by [`RegistryOptions::timeout`]. Manifests, tokens and
//! texts of errors are read whole by oci-client before their length is looked at, so a registry can make this process hold what
//! it sends in [`ANSWER_TIMEOUT`]: a registry is named by the deployer, and no daemon fetches. Redirects are followed, as registries need.

use std::panic::AssertUnwindSafe;
use std::time::Duration;

use futures::{FutureExt, StreamExt};
use oci_client::client::{Certificate, CertificateEncoding, ClientConfig, ClientProtocol};
use oci_client::manifest::OciDescriptor;
use oci_client::secrets::RegistryAuth;
use oci_client::{Client, Reference};
use oci_spec::image::ImageManifest;

use crate::credentials::Credentials;
use crate::digest::Sha256Digest;
use crate::error::{DistributionError, Result};
use crate::image::{Blob, Blobs, IMAGE_TYPE, INDEX_SIZE, INDEX_TYPE, Parsed, check, for_wasm, parse};

/// How long one answer that is no blob may take.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(30);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// How long a blob may stand still.
const READ_TIMEOUT: Duration = Duration::from_secs(30);

/// How to speak to registries.
#[derive(Debug, Clone)]
pub struct RegistryOptions {
    /// With TLS or without.
    pub transport: Transport,
    /// Who asks; none: who this user is there, if anybody ([`Credentials::of_this_user`]).
    pub credentials: Option<Credentials>,
    /// PEM certificates that are trusted besides the system's.
    pub certificates: Vec<Vec<u8>>,
    /// How long fetching or pushing may take altogether; 15 minutes.
    pub timeout: Duration,
}

impl Default for RegistryOptions {
    fn default() -> Self {
        RegistryOptions {
            transport: Transport::Automatic,
            credentials: None,
            certificates: Vec::new(),
            timeout: Duration::from_secs(15 * 60),
        }
    }
}

/// With TLS or without.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Transport {
    /// http for this machine's own loopback, https for all others.
    #[default]
    Automatic,
    /// https always.
    Https,
    /// http always: whoever is on the way can give another driver, unless it is pinned or signed.
    Http,
}

/// One repository, spoken to as one user.
pub(crate) struct Registry {
    pub(crate) client: Client,
    reference: Reference,
}

impl Registry {
    pub(crate) fn open(reference: &Reference, options: &RegistryOptions) -> Result<(Self, RegistryAuth)> {
        // The TLS library wants one choice of cryptography for the process; whoever chose before us is right.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let plain = match options.transport {
            Transport::Automatic => is_loopback(reference.registry()),
            Transport::Https => false,
            Transport::Http => true,
        };
        let certificates = options.certificates.iter().map(|data| Certificate {
            encoding: CertificateEncoding::Pem,
            data: data.clone(),
        });
        let config = ClientConfig {
            protocol: if plain {
                ClientProtocol::Http
            } else {
                ClientProtocol::Https
            },
            extra_root_certificates: certificates.collect(),
            platform_resolver: None,
            read_timeout: Some(READ_TIMEOUT),
            connect_timeout: Some(CONNECT_TIMEOUT),
            user_agent: concat!("cofferdam/", env!("CARGO_PKG_VERSION")),
            ..ClientConfig::default()
        };
        let client = Client::try_from(config).map_err(|error| failed(reference, "fetched", &error))?;
        let credentials = options.credentials.clone();
        let auth = credentials
            .or_else(|| Credentials::of_this_user(reference.registry()))
            .map_or(RegistryAuth::Anonymous, |known| {
                RegistryAuth::Basic(known.user, known.password)
            });
        Ok((
            Registry {
                client,
                reference: reference.clone(),
            },
            auth,
        ))
    }

    /// Finds an image; says its manifest, and where the manifest itself is.
    pub(crate) async fn find(
        reference: &Reference,
        options: &RegistryOptions,
    ) -> Result<(Self, ImageManifest, Blob)> {
        let (registry, auth) = Self::open(reference, options)?;
        let (mut blob, mut parsed) = registry.manifest(reference, &auth).await?;
        if let Parsed::Index(images) = parsed {
            let chosen = for_wasm(&registry.what(), &images)?;
            let by_digest = Reference::with_digest(
                reference.registry().to_owned(),
                reference.repository().to_owned(),
                format!("sha256:{}", chosen.digest),
            );
            (blob, parsed) = registry.manifest(&by_digest, &auth).await?;
            check(&registry.what(), &chosen, blob.digest)?;
        }
        match parsed {
            Parsed::Image(manifest) => Ok((registry, *manifest, blob)),
            Parsed::Index(_) => Err(DistributionError::Image {
                what: registry.what(),
                reason: "it is a list of lists of images".into(),
            }),
        }
    }

    async fn manifest(&self, reference: &Reference, auth: &RegistryAuth) -> Result<(Blob, Parsed)> {
        let types = [IMAGE_TYPE, INDEX_TYPE];
        let pulled = tokio::time::timeout(
            ANSWER_TIMEOUT,
            self.client.pull_manifest_raw(reference, auth, &types),
        );
        let (bytes, _) = pulled
            .await
            .map_err(|_| late(reference, "fetched", ANSWER_TIMEOUT))?
            .map_err(|error| failed(reference, "fetched", &error))?;
        let found = bytes.len() as u64;
        if found > INDEX_SIZE {
            let what = format!("{}, manifest", self.what());
            return Err(DistributionError::TooLarge {
                what,
                found,
                limit: INDEX_SIZE,
            });
        }
        let blob = Blob {
            digest: Sha256Digest::of(&bytes),
            size: found,
            media_type: IMAGE_TYPE.into(),
        };
        if let Some(wanted) = reference.digest() {
            let wanted = Blob {
                digest: wanted.parse()?,
                ..blob.clone()
            };
            check(&self.what(), &wanted, blob.digest)?;
        }
        Ok((blob, parse(&self.what(), &bytes)?))
    }
}

impl Blobs for Registry {
    async fn pieces(&self, blob: &Blob, take: &mut (dyn FnMut(&[u8]) -> Result<()> + Send)) -> Result<()> {
        // Made anew, so that no other address in the image's own descriptor is asked.
        let descriptor = OciDescriptor {
            media_type: blob.media_type.clone(),
            digest: format!("sha256:{}", blob.digest),
            size: i64::try_from(blob.size).unwrap_or(i64::MAX),
            ..OciDescriptor::default()
        };
        let opened = tokio::time::timeout(
            ANSWER_TIMEOUT,
            self.client.pull_blob_stream(&self.reference, &descriptor),
        );
        let mut stream = opened
            .await
            .map_err(|_| late(&self.reference, "fetched", ANSWER_TIMEOUT))?
            .map_err(|error| failed(&self.reference, "fetched", &error))?;
        while let Some(piece) = stream.next().await {
            take(&piece.map_err(|error| failed(&self.reference, "fetched", &error))?)?;
        }
        Ok(())
    }

    fn what(&self) -> String {
        format!("oci://{}", self.reference)
    }
}

/// Does something with a registry, within the options' time. oci-client panics at some answers (a token with a line's end in it): that
/// is an error too.
pub(crate) async fn limited<T>(
    reference: &Reference,
    attempted: &'static str,
    options: &RegistryOptions,
    work: impl Future<Output = Result<T>>,
) -> Result<T> {
    let work = AssertUnwindSafe(work).catch_unwind();
    match tokio::time::timeout(options.timeout, work).await {
        Ok(Ok(done)) => done,
        Ok(Err(_)) => Err(DistributionError::Registry {
            reference: format!("oci://{reference}"),
            attempted,
            reason: "the registry's answer cannot be understood".into(),
        }),
        Err(_) => Err(late(reference, attempted, options.timeout)),
    }
}

fn late(reference: &Reference, attempted: &'static str, after: Duration) -> DistributionError {
    let reason = format!("there was no whole answer after {} s", after.as_secs_f64());
    DistributionError::Registry {
        reference: format!("oci://{reference}"),
        attempted,
        reason,
    }
}

/// An error with its causes, since a client's own word is often only "error sending request".
pub(crate) fn failed(
    reference: &Reference,
    attempted: &'static str,
    error: &dyn std::error::Error,
) -> DistributionError {
    let mut reason = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let more = error.to_string();
        if !reason.contains(&more) {
            reason = format!("{reason}: {more}");
        }
        cause = error.source();
    }
    let mut reason: String = reason
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .take(500)
        .collect();
    if reason.to_ascii_lowercase().contains("authori") {
        let host = reference.registry();
        reason = format!("{reason}; log in with `podman login {host}` or `docker login {host}`");
    }
    DistributionError::Registry {
        reference: format!("oci://{reference}"),
        attempted,
        reason,
    }
}

/// Whether a registry's host, which may have a port, is this machine by loopback.
fn is_loopback(registry: &str) -> bool {
    let host = registry.rsplit_once(':').map_or(registry, |(host, _)| host);
    host == "localhost"
        || host
            .parse::<std::net::Ipv4Addr>()
            .is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_loopback_is_spoken_to_without_tls() {
        for (host, loopback) in [
            ("localhost", true),
            ("localhost:5000", true),
            ("127.0.0.1:5000", true),
            ("127.8.9.1", true),
            ("localhost.example.org:5000", false),
            ("127.0.0.1.example.org", false),
            ("10.0.0.1:5000", false),
        ] {
            assert_eq!(is_loopback(host), loopback, "{host}");
        }
    }

    #[test]
    fn a_password_is_not_shown() {
        let credentials = Credentials {
            user: "u".into(),
            password: "hidden-4711".into(),
        };
        let options = RegistryOptions {
            credentials: Some(credentials),
            ..RegistryOptions::default()
        };
        assert!(!format!("{options:?}").contains("hidden-4711"));
    }
}
