//! TLS of one instance: the system's certificates and the backend's own file of them.
//!
//! The file is read when the instance is made, so that a bad one is told at once and by name; the system's are read once per
//! process, when the first instance wants TLS. A check that the deployer switched off accepts any certificate; whoever makes
//! instances says so in the log.

use std::sync::{Arc, OnceLock};

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use wasmtime_wasi_http::Error;

use super::faults;
use crate::failure::{Failure, Phase};
use crate::network::Host;
use crate::requirements::TlsSettings;

/// The system's certificates, read when they are first wanted.
#[derive(Debug, Clone, Default)]
pub(crate) struct SystemRoots(Arc<OnceLock<RootCertStore>>);

impl SystemRoots {
    fn get(&self) -> RootCertStore {
        let read = || {
            let mut roots = RootCertStore::empty();
            // What cannot be read is not trusted; that is all that can be done here.
            roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
            roots
        };
        self.0.get_or_init(read).clone()
    }
}

/// One instance's TLS.
#[derive(Debug)]
pub(crate) struct Tls {
    system: SystemRoots,
    own: Vec<CertificateDer<'static>>,
    verify: bool,
    config: OnceLock<Arc<ClientConfig>>,
}

impl Tls {
    /// Reads the backend's own certificates, if it has any.
    ///
    /// # Errors
    /// [`Failure::Host`] when the file cannot be read or holds none.
    pub(crate) fn new(settings: &TlsSettings, system: SystemRoots) -> Result<Self, Failure> {
        let mut own = Vec::new();
        if let Some(file) = &settings.ca_file {
            let unusable = |why: String| Failure::Host {
                phase: Phase::Grant,
                reason: format!("the certificates in {} cannot be used: {why}", file.display()),
                remedy: "put PEM certificates there; the backend comes up by itself then".into(),
            };
            let read = || CertificateDer::pem_file_iter(file)?.collect::<Result<Vec<_>, _>>();
            own = read().map_err(|error| unusable(error.to_string()))?;
            if own.is_empty() {
                return Err(unusable("there is none".into()));
            }
        }
        Ok(Tls {
            system,
            own,
            verify: settings.verify,
            config: OnceLock::new(),
        })
    }

    fn config(&self) -> Result<Arc<ClientConfig>, Error> {
        if let Some(config) = self.config.get() {
            return Ok(config.clone());
        }
        let provider = Arc::new(ring::default_provider());
        let builder = ClientConfig::builder_with_provider(provider.clone())
            .with_safe_default_protocol_versions()
            .map_err(|_| Error::ConfigurationError)?;
        let config = if self.verify {
            let mut roots = self.system.get();
            roots.add_parsable_certificates(self.own.iter().cloned());
            builder.with_root_certificates(roots).with_no_client_auth()
        } else {
            let any = Arc::new(AnyCertificate(provider));
            builder
                .dangerous()
                .with_custom_certificate_verifier(any)
                .with_no_client_auth()
        };
        Ok(self.config.get_or_init(|| Arc::new(config)).clone())
    }

    /// TLS over a connection to that host.
    ///
    /// # Errors
    /// What went wrong, in `wasi:http`'s words.
    pub(super) async fn connect(
        &self,
        host: &Host,
        stream: TcpStream,
    ) -> Result<TlsStream<TcpStream>, Error> {
        let name = match host {
            Host::Name(name) => {
                ServerName::try_from(name.clone()).map_err(|_| Error::HttpRequestUriInvalid)?
            }
            Host::Address(address) => ServerName::from(*address),
        };
        let connector = TlsConnector::from(self.config()?);
        connector
            .connect(name, stream)
            .await
            .map_err(|error| faults::handshake(&error))
    }
}

/// Accepts every certificate; signatures are still checked.
#[derive(Debug)]
struct AnyCertificate(Arc<CryptoProvider>);

impl ServerCertVerifier for AnyCertificate {
    fn verify_server_cert(
        &self,
        _certificate: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _name: &ServerName<'_>,
        _ocsp: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(
            message,
            certificate,
            signed,
            &self.0.signature_verification_algorithms,
        )
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(
            message,
            certificate,
            signed,
            &self.0.signature_verification_algorithms,
        )
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
