//! The listener's TLS: certificate, key and, if clients must show one too, their authorities.
//!
//! Files are read at the start and at each reload. What is wrong with one is an error with the file, what was found and
//! what to do, and the certificate that is in use stays. Connections that are open keep the one that they began with.

use std::path::Path;
use std::sync::{Arc, PoisonError, RwLock};

use cofferdam_api::model::ErrorView;
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};
use rustls_pki_types::pem::{self, PemObject};
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::TlsAcceptor;

use crate::config::listen::TlsFiles;
use crate::exit::ServiceError;

/// What TLS is spoken with now.
pub(crate) struct Tls {
    current: RwLock<Arc<ServerConfig>>,
}

impl Tls {
    /// Reads the files for the first time.
    ///
    /// # Errors
    /// See [`read`].
    pub(crate) fn new(files: &TlsFiles) -> Result<Self, ServiceError> {
        Ok(Tls {
            current: RwLock::new(read(files)?),
        })
    }

    /// For the next connection.
    pub(crate) fn acceptor(&self) -> TlsAcceptor {
        let current = self.current.read().unwrap_or_else(PoisonError::into_inner);
        TlsAcceptor::from(current.clone())
    }

    /// New connections use this from now on.
    pub(crate) fn replace(&self, config: Arc<ServerConfig>) {
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = config;
    }
}

/// Reads the files.
///
/// # Errors
/// When one cannot be read, is not what it should be, or they do not belong together.
pub(crate) fn read(files: &TlsFiles) -> Result<Arc<ServerConfig>, ServiceError> {
    let chain = certificates("ssl_cert_file", &files.certificate)?;
    let key = key(&files.key)?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ServerConfig::builder_with_provider(provider.clone()).with_safe_default_protocol_versions();
    let builder = builder.map_err(|wrong| error(format!("TLS cannot be set up: {wrong}"), "report this"))?;
    let builder = match &files.authorities {
        None => builder.with_no_client_auth(),
        Some(file) => {
            let mut roots = RootCertStore::empty();
            for certificate in certificates("ssl_ca_file", file)? {
                roots.add(certificate).map_err(|wrong| {
                    unfit(
                        "ssl_ca_file",
                        file,
                        &wrong.to_string(),
                        "name certificates of authorities",
                    )
                })?;
            }
            let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider).build();
            builder.with_client_cert_verifier(verifier.map_err(|wrong| {
                unfit(
                    "ssl_ca_file",
                    file,
                    &wrong.to_string(),
                    "name certificates of authorities",
                )
            })?)
        }
    };
    let mut config = builder.with_single_cert(chain, key).map_err(|wrong| {
        let wrong = match wrong {
            rustls::Error::InconsistentKeys(_) => "the key is not that of the certificate".into(),
            other => other.to_string(),
        };
        let files = format!("{} and {}", files.certificate.display(), files.key.display());
        error(
            format!("{files} cannot be used as ssl_cert_file and ssl_key_file: {wrong}"),
            "name a certificate and the key that was made with it",
        )
    })?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

fn certificates(option: &str, file: &Path) -> Result<Vec<CertificateDer<'static>>, ServiceError> {
    let remedy = "it must hold certificates in PEM: -----BEGIN CERTIFICATE-----";
    let all: Result<Vec<_>, pem::Error> =
        CertificateDer::pem_file_iter(file).and_then(|certificates| certificates.collect());
    match all {
        Ok(all) if all.is_empty() => Err(unfit(option, file, "there is no certificate in it", remedy)),
        Ok(all) => Ok(all),
        Err(wrong) => Err(broken(option, file, wrong, remedy)),
    }
}

fn key(file: &Path) -> Result<PrivateKeyDer<'static>, ServiceError> {
    match PrivateKeyDer::from_pem_file(file) {
        Ok(key) => Ok(key),
        Err(pem::Error::NoItemsFound) if is_encrypted(file) => Err(unfit(
            "ssl_key_file",
            file,
            "the key is protected by a passphrase",
            "take it off (`openssl pkey -in FILE -out NEW`), and guard the file by its mode",
        )),
        Err(wrong) => Err(broken(
            "ssl_key_file",
            file,
            wrong,
            "it must hold a private key in PEM: -----BEGIN PRIVATE KEY-----",
        )),
    }
}

fn is_encrypted(file: &Path) -> bool {
    std::fs::read(file).is_ok_and(|bytes| bytes.windows(9).any(|part| part == b"ENCRYPTED"))
}

fn broken(option: &str, file: &Path, wrong: pem::Error, remedy: &str) -> ServiceError {
    match wrong {
        // Of a key not even a part is shown.
        pem::Error::Io(wrong) => unfit(option, file, &wrong.to_string(), "let the service's user read it"),
        pem::Error::NoItemsFound => unfit(option, file, "there is none in it", remedy),
        _ => unfit(option, file, "it is damaged", remedy),
    }
}

fn unfit(option: &str, file: &Path, wrong: &str, remedy: &str) -> ServiceError {
    error(
        format!("{} cannot be used as {option}: {wrong}", file.display()),
        remedy,
    )
}

fn error(message: String, remedy: &str) -> ServiceError {
    ServiceError(ErrorView {
        code: "configuration".into(),
        message,
        remedy: remedy.into(),
    })
}
