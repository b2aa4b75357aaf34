//! Connections to a service: a Unix socket, TCP, or TLS over it.
//!
//! Bound: [`CONNECT`] for name, dial and TLS together; a peer that is gone is noticed within [`GONE`].

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use cofferdam_api::model::ErrorView;
use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use socket2::{SockRef, TcpKeepalive};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, UnixStream};
use tokio_rustls::TlsConnector;

use super::target::{Target, Tcp};
use crate::exit::ServiceError;

/// Longest time for a connection.
const CONNECT: Duration = Duration::from_secs(10);

/// After so long without a sign of life a connection is broken.
const GONE: Duration = Duration::from_secs(60);

/// How to prove who one is, and whom to believe.
#[derive(Debug, Clone, Default, clap::Args)]
pub(crate) struct Credentials {
    /// Token for the service at --url
    #[arg(
        long,
        global = true,
        env = "COFFERDAM_TOKEN",
        hide_env_values = true,
        default_value = "admin:admin",
        hide_default_value = true,
        value_name = "TOKEN",
        help = "Token for the service at --url; for noauth USER:PROJECT [default: admin:admin]"
    )]
    pub(crate) token: String,

    /// Believe https services whose certificate one of these authorities has signed; the system's when absent
    #[arg(long, global = true, env = "COFFERDAM_CACERT", value_name = "FILE")]
    pub(crate) cacert: Option<PathBuf>,

    /// Certificate to show to an https service that asks for one
    #[arg(
        long,
        global = true,
        env = "COFFERDAM_CERT",
        value_name = "FILE",
        requires = "key"
    )]
    pub(crate) cert: Option<PathBuf>,

    /// Its private key
    #[arg(
        long,
        global = true,
        env = "COFFERDAM_KEY",
        value_name = "FILE",
        requires = "cert"
    )]
    pub(crate) key: Option<PathBuf>,
}

/// What bytes go over.
pub(super) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// Makes connections to one service.
pub(super) struct Dial {
    pub(super) target: Target,
    tls: Option<TlsConnector>,
}

impl Dial {
    /// Reads the files of the credentials, if the target needs them.
    ///
    /// # Errors
    /// When one is not what it should be.
    pub(super) fn new(target: &Target, credentials: &Credentials) -> anyhow::Result<Self> {
        let tls = match target {
            Target::Tcp(Tcp { tls: true, .. }) => Some(TlsConnector::from(Arc::new(config(credentials)?))),
            _ => None,
        };
        Ok(Dial {
            target: target.clone(),
            tls,
        })
    }

    /// A new connection.
    ///
    /// # Errors
    /// With what was met on the way, and what may help.
    pub(super) async fn connect(&self) -> anyhow::Result<Box<dyn Stream>> {
        let late = || anyhow::anyhow!("no connection within {} s", CONNECT.as_secs());
        let connected = tokio::time::timeout(CONNECT, self.dial()).await;
        let connected = connected.map_err(|_| late()).and_then(|connected| connected);
        connected.map_err(|error| {
            let text = format!("{error:#}");
            let remedy = match &self.target {
                Target::Unix(_) => "start the service: cofferdam run",
                _ if text.contains("UnknownIssuer") => {
                    "name the authority that signed the service's certificate with --cacert FILE"
                }
                _ if text.contains("InvalidContentType") => {
                    "the service speaks no TLS there: write http:// instead"
                }
                _ => "is the service running, with osapi_volume_listen set, and the way there open?",
            };
            ServiceError(ErrorView {
                code: "unreachable".into(),
                message: format!("the service at {} cannot be reached: {text}", self.target),
                remedy: remedy.into(),
            })
            .into()
        })
    }

    async fn dial(&self) -> anyhow::Result<Box<dyn Stream>> {
        let tcp = match &self.target {
            Target::Unix(path) => return Ok(Box::new(UnixStream::connect(path).await?)),
            Target::Tcp(tcp) => tcp,
        };
        let stream = TcpStream::connect((tcp.host.as_str(), tcp.port)).await?;
        let _ = stream.set_nodelay(true);
        let socket = SockRef::from(&stream);
        let keepalive = TcpKeepalive::new().with_time(GONE / 4).with_interval(GONE / 4);
        let _ = socket.set_tcp_keepalive(&keepalive);
        let _ = socket.set_tcp_user_timeout(Some(GONE));
        match &self.tls {
            None => Ok(Box::new(stream)),
            Some(tls) => {
                let name = ServerName::try_from(tcp.host.clone())?;
                Ok(Box::new(tls.connect(name, stream).await?))
            }
        }
    }
}

fn config(credentials: &Credentials) -> anyhow::Result<ClientConfig> {
    let mut roots = RootCertStore::empty();
    match &credentials.cacert {
        Some(file) => {
            for certificate in certificates("--cacert", file)? {
                roots
                    .add(certificate)
                    .with_context(|| format!("--cacert {}", file.display()))?;
            }
        }
        None => {
            // Those that are odd are left out; the others do.
            roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        }
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots);
    match (&credentials.cert, &credentials.key) {
        (Some(cert), Some(key)) => {
            let chain = certificates("--cert", cert)?;
            let what = || format!("--key {}", key.display());
            let secret = PrivateKeyDer::from_pem_file(key).with_context(what)?;
            Ok(builder.with_client_auth_cert(chain, secret).with_context(what)?)
        }
        _ => Ok(builder.with_no_client_auth()),
    }
}

fn certificates(option: &str, file: &Path) -> anyhow::Result<Vec<CertificateDer<'static>>> {
    let what = || format!("{option} {}", file.display());
    let all: Vec<_> = CertificateDer::pem_file_iter(file)
        .with_context(what)?
        .collect::<Result<_, _>>()
        .with_context(what)?;
    anyhow::ensure!(
        !all.is_empty(),
        "{}: there is no certificate in PEM in it",
        what()
    );
    Ok(all)
}
