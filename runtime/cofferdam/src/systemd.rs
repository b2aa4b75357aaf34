//! What systemd is told over its notification socket: ready, how many backends are up, alive, reloading, stopping.
//!
//! Without `NOTIFY_SOCKET` nothing is sent. What cannot be sent is lost: the service goes on. The watchdog is fed only
//! while the process passes its own check of life, so that systemd restarts one that is stuck.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use cofferdam_manager::{Manager, ServiceState};
use sd_notify::NotifyState;

/// How often the counts of the status line are looked at.
const LOOK: Duration = Duration::from_secs(1);

/// Whether systemd, or somebody in its place, listens.
pub(crate) fn listens() -> bool {
    std::env::var_os("NOTIFY_SOCKET").is_some()
}

fn send(states: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(states) {
        tracing::debug!(%error, "systemd cannot be told");
    }
}

/// Requests are served.
pub(crate) fn ready(status: &str) {
    send(&[NotifyState::Ready, NotifyState::Status(status)]);
}

/// The configuration is being read again; [`ready`] says that it was.
pub(crate) fn reloading() {
    match NotifyState::monotonic_usec_now() {
        Ok(now) => send(&[NotifyState::Reloading, now]),
        Err(error) => tracing::debug!(%error, "the monotonic clock cannot be read"),
    }
}

/// The service stops, and wants so much time for what comes next.
pub(crate) fn stopping(status: &str, next: Duration) {
    let next = u32::try_from(next.as_micros()).unwrap_or(u32::MAX);
    send(&[
        NotifyState::Stopping,
        NotifyState::Status(status),
        NotifyState::ExtendTimeoutUsec(next),
    ]);
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

/// Keeps the status line true, from the one that was sent last on.
pub(crate) async fn follow(manager: Arc<Manager>, mut sent: String) {
    loop {
        tokio::time::sleep(LOOK).await;
        let now = status(&manager);
        if now != sent {
            send(&[NotifyState::Status(&now)]);
            sent = now;
        }
    }
}

/// Feeds the watchdog, if there is one.
pub(crate) async fn watchdog(manager: Arc<Manager>) {
    if let Some(span) = sd_notify::watchdog_enabled() {
        let alive = || async { cofferdam_api::health::is_alive(&manager).await };
        feed(span / 2, alive, || send(&[NotifyState::Watchdog])).await;
    }
}

/// Does so at each interval at which the check passes.
async fn feed<F: Future<Output = bool>>(every: Duration, alive: impl Fn() -> F, beat: impl Fn()) {
    let mut ticks = tokio::time::interval(every.max(Duration::from_millis(1)));
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        if alive().await {
            beat();
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
        let fed = feed(every, || async { healthy.get() }, || beats.set(beats.get() + 1));
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
