//! `cofferdam run`: the service. It listens first and initialises its backends then, so that `service list` shows the
//! truth from the first moment.
//!
//! The end: at the first signal no new operations and no new connections over TCP; operations that run have
//! `graceful_shutdown_timeout`, and whoever waits for one can see how it ends; then they are cancelled, and backups go on at
//! the next start. A second signal aborts. Bound: the timeout, 30 s for what was cancelled, and some seconds for the rest.

use std::sync::Arc;
use std::time::Duration;

use axum::serve::ListenerExt;
use cofferdam_manager::Manager;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::task::JoinHandle;
use tokio::time::Instant;

use crate::client;
use crate::config::Config;
use crate::reload::Reloader;
use crate::serve::{self, Server, Tls};
use crate::systemd::{self, Systemd};

/// How often systemd is told that the service still stops.
const TELL: Duration = Duration::from_secs(5);

/// Time for the next word after each.
const NEXT: Duration = Duration::from_secs(45);

/// Longest wait for operations that were cancelled.
const CANCELLED: Duration = Duration::from_secs(30);

/// Time in which whoever waited for an operation can see how it ended.
const LAST_LOOK: Duration = Duration::from_millis(500);

pub(crate) async fn run(config: Config) -> anyhow::Result<()> {
    let systemd = Arc::new(Systemd::from_environment());
    let socket = config.api_socket();
    let limit = config.max_connections();
    let listen = config.listen();
    let tls = match listen.as_ref().and_then(|listen| listen.tls.as_ref()) {
        Some(files) => Some(Arc::new(Tls::new(files)?)),
        None => None,
    };
    let tcp = match &listen {
        Some(listen) => Some(serve::tcp(listen.address).await?),
        None => None,
    };
    // The manager takes the lock on the state folder: from here on the socket is ours alone.
    let manager = client::manager(&config, true).await?;
    let unix = serve::unix(&socket).await?;
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    let patience = config.graceful_shutdown_timeout();
    let is_open = config.is_open_to_network();
    let public = config.public(if tls.is_some() { "https" } else { "http" });
    let reloader = Arc::new(Reloader {
        file: std::path::absolute(&config.file)?,
        started: config,
        manager: manager.clone(),
        tls: tls.clone(),
        systemd: systemd.clone(),
        one: tokio::sync::Mutex::default(),
    });
    let routers = serve::routers(&manager, reloader.for_api(), public);
    let local = Server::start(unix, routers.local, None, limit);
    let file = &reloader.file;
    tracing::info!(socket = %socket.display(), config = %file.display(), "listening");
    let mut public = None;
    if let Some(listener) = tcp {
        let (address, ssl) = (listener.local_addr()?, tls.is_some());
        let listener = listener.tap_io(|stream| {
            let _ = stream.set_nodelay(true);
            let _ = socket2::SockRef::from(&*stream).set_tcp_user_timeout(Some(serve::UNTAKEN));
        });
        public = Some(Server::start(listener, routers.public, tls, limit));
        tracing::info!(%address, ssl, "listening");
    }
    if is_open {
        tracing::warn!(
            "the API is open to the network without authentication (allow_noauth_on_network): everybody who reaches it can \
             read, overwrite and delete every backup"
        );
    }
    let reloads = reload_at_hangup(&reloader)?;
    let status = systemd::status(&manager);
    systemd.ready(&status).await;
    let (teller, told) = (systemd.clone(), manager.clone());
    let follow = tokio::spawn(async move { teller.follow(told, status).await });
    // It is fed while the service stops, too.
    let (feeder, fed) = (systemd.clone(), manager.clone());
    let watchdog = tokio::spawn(async move { feeder.watchdog(fed).await });
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    tracing::info!("stopping; a second signal aborts");
    abort_at_next(terminate, interrupt);
    reloads.abort();
    follow.abort();
    drain(&manager, &systemd, public.as_ref(), patience).await;
    futures::join!(local.end(), async {
        if let Some(public) = public {
            public.end().await;
        }
    });
    watchdog.abort();
    manager.shutdown().await;
    let _ = std::fs::remove_file(&socket);
    tracing::info!("stopped");
    Ok(())
}

/// Reloads at each SIGHUP.
fn reload_at_hangup(reloader: &Arc<Reloader>) -> anyhow::Result<JoinHandle<()>> {
    let mut hangup = signal(SignalKind::hangup())?;
    let reloader = reloader.clone();
    Ok(tokio::spawn(async move {
        while hangup.recv().await.is_some() {
            // What became of it is in the log.
            let _ = reloader.logged().await;
        }
    }))
}

fn abort_at_next(mut terminate: Signal, mut interrupt: Signal) {
    tokio::spawn(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        tracing::warn!("aborted");
        std::process::exit(130);
    });
}

/// Lets operations end, cancels those that do not, and lets whoever waits see it.
async fn drain(manager: &Manager, systemd: &Systemd, public: Option<&Server>, patience: Duration) {
    manager.stop_accepting();
    if let Some(public) = public {
        public.close();
    }
    let running = manager.running_operations();
    systemd
        .stopping(&format!("stopping, {running} operations run"), NEXT)
        .await;
    if running == 0 {
        return;
    }
    tracing::info!(running, patience = ?patience, "waiting for operations to end");
    if !idle_within(manager, systemd, patience).await {
        let running = manager.running_operations();
        tracing::warn!(
            running,
            "operations are cancelled; backups go on at the next start"
        );
        manager.cancel_operations();
        idle_within(manager, systemd, CANCELLED).await;
    }
    tokio::time::sleep(LAST_LOOK).await;
}

/// Waits until no operation runs; answers whether that came within the time.
async fn idle_within(manager: &Manager, systemd: &Systemd, time: Duration) -> bool {
    let deadline = Instant::now() + time;
    let mut idle = std::pin::pin!(manager.idle());
    loop {
        let next = deadline.min(Instant::now() + TELL);
        tokio::select! {
            biased;
            () = &mut idle => return true,
            () = tokio::time::sleep_until(next) => {}
        }
        if next == deadline {
            return false;
        }
        let running = manager.running_operations();
        systemd
            .stopping(&format!("stopping, {running} operations run"), NEXT)
            .await;
    }
}
