//! Binding the API's sockets, with errors that say what is in the way.

use std::io::ErrorKind;
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use anyhow::{Context as _, bail};
use cofferdam_api::model::ErrorView;
use tokio::net::{TcpListener, UnixListener, UnixStream};

use crate::exit::ServiceError;

/// Binds the TCP port.
///
/// # Errors
/// When it is taken, when the address is not one of this machine, or when this user may not.
pub(crate) async fn tcp(address: SocketAddr) -> anyhow::Result<TcpListener> {
    let error = match TcpListener::bind(address).await {
        Ok(listener) => return Ok(listener),
        Err(error) => error,
    };
    let (code, remedy) = match error.kind() {
        ErrorKind::AddrInUse => (
            "address-in-use",
            format!(
                "`ss -ltnp sport = :{}` shows who listens there; stop it, or set osapi_volume_listen_port",
                address.port()
            ),
        ),
        ErrorKind::AddrNotAvailable => (
            "address-not-available",
            "set osapi_volume_listen to an address of this machine (`ip address` lists them)".into(),
        ),
        ErrorKind::PermissionDenied => (
            "permission-denied",
            "ports below 1024 need CAP_NET_BIND_SERVICE; set osapi_volume_listen_port to a greater one"
                .into(),
        ),
        _ => ("listen", "see the error".into()),
    };
    Err(ServiceError(ErrorView {
        code: code.into(),
        message: format!("the API cannot listen on {address}: {error}"),
        remedy,
    })
    .into())
}

/// Binds the Unix socket; a stale one that nobody answers on is replaced.
///
/// # Errors
/// When somebody answers on it, or it cannot be made.
pub(crate) async fn unix(socket: &Path) -> anyhow::Result<UnixListener> {
    if UnixStream::connect(socket).await.is_ok() {
        bail!("another service answers on {}", socket.display());
    }
    match std::fs::remove_file(socket) {
        Ok(()) => {}
        Err(error) if error.kind() == ErrorKind::NotFound => {}
        Err(error) => bail!("the old socket {} cannot be removed: {error}", socket.display()),
    }
    let listener = UnixListener::bind(socket).with_context(|| {
        format!(
            "{} cannot be bound (a socket's path may have 107 bytes)",
            socket.display()
        )
    })?;
    std::fs::set_permissions(socket, std::fs::Permissions::from_mode(0o600))
        .with_context(|| format!("the mode of {} cannot be set", socket.display()))?;
    Ok(listener)
}
