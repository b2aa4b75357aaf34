//! `cofferdam run`: the service. It listens first and initialises its backends then, so that `service list` shows the
//! truth from the first moment.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context as _, bail};
use cofferdam_manager::Manager;
use tokio::net::{UnixListener, UnixStream};
use tokio::signal::unix::{SignalKind, signal};
use tokio::task::JoinHandle;

use super::Context;
use crate::{client, reload};

pub(crate) async fn run(context: &Context) -> anyhow::Result<()> {
    let config = context.read()?;
    let socket = config.api_socket();
    // The manager takes the lock on the state folder: from here on the socket is ours alone.
    let manager = client::manager(&config, true).await?;
    let listener = listen(&socket).await?;
    tracing::info!(socket = %socket.display(), config = %config.file.display(), "listening");
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    let file = std::path::absolute(&config.file)?;
    let reloading = reload_on_hangup(file.clone(), manager.clone())?;
    let router = cofferdam_api::router(manager.clone(), Some(reload::for_api(file, manager.clone())));
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
    reloading.abort();
    manager.shutdown().await;
    let _ = std::fs::remove_file(&socket);
    tracing::info!("stopped");
    Ok(())
}

/// Takes the configuration anew at each SIGHUP.
fn reload_on_hangup(file: PathBuf, manager: Arc<Manager>) -> anyhow::Result<JoinHandle<()>> {
    let mut hangup = signal(SignalKind::hangup())?;
    Ok(tokio::spawn(async move {
        while hangup.recv().await.is_some() {
            // What became of it is in the log.
            let _ = reload::logged(&file, &manager).await;
        }
    }))
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
