//! What systemd is told over its notification socket: ready, how many backends are up, alive, reloading, stopping.
//!
//! Without `NOTIFY_SOCKET` nothing is sent. Bound: what is not taken within [`TAKEN`] is lost, and the service goes on. The
//! watchdog is fed only while the process passes its own check of life, so that systemd restarts one that is stuck.

use std::ffi::OsStr;
use std::future::Future;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram as StdDatagram};
use std::sync::Arc;
use std::time::Duration;

use cofferdam_manager::{Manager, ServiceState};
use rustix::time::{ClockId, clock_gettime};
use tokio::net::UnixDatagram;

/// How often the counts of the status line are looked at.
const LOOK: Duration = Duration::from_secs(1);

/// Longest time until a message is taken.
const TAKEN: Duration = Duration::from_secs(1);

/// The way to systemd, or to somebody in its place.
pub(crate) struct Systemd {
    socket: Option<UnixDatagram>,
    watchdog: Option<Duration>,
}

impl Systemd {
    /// As the environment says.
    pub(crate) fn from_environment() -> Self {
        let path = std::env::var_os("NOTIFY_SOCKET").filter(|path| !path.is_empty());
        let socket = path.and_then(|path| match connect(&path) {
            Ok(socket) => Some(socket),
            Err(error) => {
                tracing::warn!(socket = %path.display(), %error, "systemd cannot be told anything");
                None
            }
        });
        let number = |name: &str| std::env::var(name).ok()?.parse::<u64>().ok();
        let is_ours = number("WATCHDOG_PID").is_none_or(|pid| pid == u64::from(std::process::id()));
        let span = number("WATCHDOG_USEC").filter(|span| *span > 0 && is_ours);
        Systemd {
            socket,
            watchdog: span.map(Duration::from_micros),
        }
    }

    async fn send(&self, message: &str) {
        let Some(socket) = &self.socket else { return };
        match tokio::time::timeout(TAKEN, socket.send(message.as_bytes())).await {
            Ok(Ok(_)) => {}
            Ok(Err(error)) => tracing::debug!(%error, "systemd cannot be told"),
            Err(_) => tracing::debug!("systemd does not listen"),
        }
    }

    /// Requests are served.
    pub(crate) async fn ready(&self, status: &str) {
        self.send(&format!("READY=1\nSTATUS={status}")).await;
    }

    /// The configuration is being read again; [`Self::ready`] says that it was.
    pub(crate) async fn reloading(&self) {
        let now = clock_gettime(ClockId::Monotonic);
        let now = i128::from(now.tv_sec) * 1_000_000 + i128::from(now.tv_nsec) / 1000;
        self.send(&format!("RELOADING=1\nMONOTONIC_USEC={now}")).await;
    }

    /// The service stops, and wants so much time for what comes next.
    pub(crate) async fn stopping(&self, status: &str, next: Duration) {
        let next = next.as_micros();
        self.send(&format!(
            "STOPPING=1\nSTATUS={status}\nEXTEND_TIMEOUT_USEC={next}"
        ))
        .await;
    }

    /// Keeps the status line true, from the one that was sent last on.
    pub(crate) async fn follow(&self, manager: Arc<Manager>, mut sent: String) {
        while self.socket.is_some() {
            tokio::time::sleep(LOOK).await;
            let now = status(&manager);
            if now != sent {
                self.send(&format!("STATUS={now}")).await;
                sent = now;
            }
        }
    }

    /// Feeds the watchdog, if there is one.
    pub(crate) async fn watchdog(&self, manager: Arc<Manager>) {
        if let (Some(span), true) = (self.watchdog, self.socket.is_some()) {
            let alive = || cofferdam_api::health::is_alive(&manager);
            feed(span / 2, alive, || self.send("WATCHDOG=1")).await;
        }
    }
}

/// Connects to a socket in the file system, or, behind `@`, in the abstract namespace.
fn connect(path: &OsStr) -> std::io::Result<UnixDatagram> {
    let socket = StdDatagram::unbound()?;
    match path.as_bytes().strip_prefix(b"@") {
        Some(name) => socket.connect_addr(&SocketAddr::from_abstract_name(name)?)?,
        None => socket.connect(path)?,
    }
    socket.set_nonblocking(true)?;
    UnixDatagram::from_std(socket)
}

/// The status line: `3 backends up, 1 down`.
pub(crate) fn status(manager: &Manager) -> String {
    let services = manager.services();
    let up = services
        .iter()
        .filter(|service| service.status.state == ServiceState::Up);
    let up = up.count();
    let noun = if up == 1 { "backend" } else { "backends" };
    format!("{up} {noun} up, {} down", services.len() - up)
}

/// Does so at each interval at which the check passes.
async fn feed<F: Future<Output = bool>, B: Future<Output = ()>>(
    every: Duration,
    alive: impl Fn() -> F,
    beat: impl Fn() -> B,
) {
    let mut ticks = tokio::time::interval(every.max(Duration::from_millis(1)));
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        if alive().await {
            beat().await;
        } else {
            tracing::error!("the service fails its own check of life; systemd restarts it if that lasts");
        }
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn the_watchdog_is_fed_only_while_the_check_passes() {
        let (beats, healthy) = (Cell::new(0), Cell::new(true));
        let every = Duration::from_secs(5);
        let fed = feed(
            every,
            || async { healthy.get() },
            || async { beats.set(beats.get() + 1) },
        );
        let watched = async {
            tokio::time::sleep(every * 4 + every / 2).await;
            assert_eq!(beats.get(), 5, "one at once, then one each interval");
            healthy.set(false);
            tokio::time::sleep(every * 4).await;
            assert_eq!(beats.get(), 5, "nothing while it fails");
            healthy.set(true);
            tokio::time::sleep(every).await;
            assert_eq!(beats.get(), 6, "and again when it passes");
        };
        tokio::select! {
            () = fed => {}
            () = watched => {}
        }
    }
}
