//! `cofferdam run`: the service. It listens first and initialises its backends then, so that `service list` shows the
//! truth from the first moment.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use anyhow::{Context as _, bail};
use tokio::net::{UnixListener, UnixStream};
use tokio::signal::unix::{SignalKind, signal};

use super::Context;
use crate::client;

pub(crate) async fn run(context: &Context) -> anyhow::Result<()> {
    let config = context.read()?;
    let socket = config.api_socket();
    // The manager takes the lock on the state folder: from here on the socket is ours alone.
    let manager = client::manager(&config).await?;
    let listener = listen(&socket).await?;
    tracing::info!(socket = %socket.display(), config = %config.file.display(), "listening");
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    let router = cofferdam_api::router(manager.clone());
    let stop = async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        tracing::info!("stopping; a second signal aborts");
        tokio::spawn(async move {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
            tracing::warn!("aborted");
            std::process::exit(130);
        });
    };
    axum::serve(listener, router)
        .with_graceful_shutdown(stop)
        .await
        .context("the API broke down")?;
    manager.shutdown().await;
    let _ = std::fs::remove_file(&socket);
    tracing::info!("stopped");
    Ok(())
}

/// Binds the socket; a stale one that nobody answers on is replaced.
async fn listen(socket: &Path) -> anyhow::Result<UnixListener> {
    if UnixStream::connect(socket).await.is_ok() {
        bail!("another service answers on {}", socket.display());
    }
    match std::fs::remove_file(socket) {
        Ok(()) => {}
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
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
