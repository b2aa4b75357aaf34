//! `GET /livez` and `GET /readyz`: whether the process should be restarted, and whether it can take requests. For systemd's
//! watchdog, load balancers and Kubernetes, whose manner they have: plain text, `?verbose` lists every check,
//! `?exclude=NAME` leaves one out. No authentication, and nothing that needs any: checks, counts and codes, no names.
//!
//! *Live*: the event loop runs a new task and the catalog answers, both within [`BOUND`]. *Ready*: live; every backend's first
//! initialisation has an outcome; some backend is up, since a backend that is down is its own affair and all of them
//! are the service's; and the service is not stopping. That the listener is up is said by the answer.

use std::fmt::Write as _;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{RawQuery, State};
use axum::http::StatusCode;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderName};
use axum::routing::get;
use cofferdam_manager::{Manager, ServiceState};
use futures::FutureExt;

/// Longest time that the process has for each proof of life.
const BOUND: Duration = Duration::from_secs(5);

/// Names of checks that `?exclude=` may give; more are not looked at.
const MOST_EXCLUDED: usize = 16;

/// One check: its name, and why it fails if it does.
type Check = (&'static str, Result<(), String>);

/// The routes, for every router that people and machines ask for health.
pub(crate) fn routes() -> Router<Arc<Manager>> {
    Router::new()
        .route("/livez", get(livez))
        .route("/readyz", get(readyz))
}

/// Whether the process does its work; what `/livez` says.
pub async fn is_alive(manager: &Manager) -> bool {
    live(manager).await.iter().all(|(_, result)| result.is_ok())
}

type Answer = (StatusCode, [(HeaderName, &'static str); 2], String);

async fn livez(State(manager): State<Arc<Manager>>, RawQuery(query): RawQuery) -> Answer {
    answer(
        "livez",
        live(&manager).await,
        query.as_deref().unwrap_or_default(),
    )
}

async fn readyz(State(manager): State<Arc<Manager>>, RawQuery(query): RawQuery) -> Answer {
    let mut checks = live(&manager).await;
    checks.extend(ready(&manager));
    answer("readyz", checks, query.as_deref().unwrap_or_default())
}

async fn live(manager: &Manager) -> Vec<Check> {
    let woken = async { tokio::spawn(async {}).await.map_err(|error| error.to_string()) };
    // What broke is in the log; it may hold a path or an address.
    let catalog = async {
        manager
            .check_catalog()
            .await
            .map_err(|error| error.code().to_owned())
    };
    let (woken, catalog) = futures::join!(within(woken), within(catalog));
    vec![("event-loop", woken), ("catalog", catalog)]
}

async fn within(check: impl Future<Output = Result<(), String>>) -> Result<(), String> {
    let late = |_| Err(format!("no answer within {} s", BOUND.as_secs()));
    tokio::time::timeout(BOUND, check).await.unwrap_or_else(late)
}

fn ready(manager: &Manager) -> Vec<Check> {
    let settled = manager.settled().now_or_never();
    let services = manager.services();
    let up = services
        .iter()
        .filter(|service| service.status.state == ServiceState::Up);
    let backends = match up.count() {
        0 => Err(format!("none of {} is up", services.len())),
        _ => Ok(()),
    };
    let stopping = manager.is_stopping();
    vec![
        (
            "initialization",
            settled.ok_or_else(|| "some backend's first initialisation has no outcome yet".into()),
        ),
        ("backends", backends),
        (
            "running",
            if stopping {
                Err("the service is stopping".into())
            } else {
                Ok(())
            },
        ),
    ]
}

fn answer(what: &str, checks: Vec<Check>, query: &str) -> Answer {
    let parts = || {
        query
            .split('&')
            .map(|part| part.split_once('=').unwrap_or((part, "")))
    };
    let verbose = parts().any(|(name, _)| name == "verbose");
    let asked = parts().filter(|(name, value)| *name == "exclude" && !value.is_empty());
    let excluded: Vec<_> = asked.map(|(_, value)| value).take(MOST_EXCLUDED).collect();
    let holds = |(name, result): &Check| excluded.contains(name) || result.is_ok();
    let passed = checks.iter().all(holds);
    let mut text = String::new();
    for (name, result) in &checks {
        // Writing to a string does not fail.
        let _ = match result {
            _ if excluded.contains(name) => writeln!(text, "[+]{name} excluded: ok"),
            Ok(()) => writeln!(text, "[+]{name} ok"),
            Err(reason) => writeln!(text, "[-]{name} failed: {reason}"),
        };
    }
    for name in excluded {
        if !checks.iter().any(|(known, _)| *known == name) {
            text.push_str("warn: some checks to exclude are not there\n");
            break;
        }
    }
    let (status, text) = match (passed, verbose) {
        (true, false) => (StatusCode::OK, "ok\n".to_owned()),
        (true, true) => (StatusCode::OK, format!("{text}{what} check passed\n")),
        (false, _) => (
            StatusCode::SERVICE_UNAVAILABLE,
            format!("{text}{what} check failed\n"),
        ),
    };
    let headers = [
        (CONTENT_TYPE, "text/plain; charset=utf-8"),
        (CACHE_CONTROL, "no-store"),
    ];
    (status, headers, text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checks() -> Vec<Check> {
        vec![("a", Ok(())), ("b", Err("it hangs".into()))]
    }

    #[test]
    fn one_check_that_fails_fails_the_whole_and_is_named_with_its_reason() {
        let (status, _, text) = answer("readyz", checks(), "");
        assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(text, "[+]a ok\n[-]b failed: it hangs\nreadyz check failed\n");
    }

    #[test]
    fn an_excluded_check_does_not_count_and_verbose_says_so() {
        let (status, _, text) = answer("readyz", checks(), "verbose&exclude=b");
        assert_eq!(status, StatusCode::OK);
        assert_eq!(text, "[+]a ok\n[+]b excluded: ok\nreadyz check passed\n");
        let (status, _, text) = answer("livez", checks(), "exclude=b");
        assert_eq!((status, text.as_str()), (StatusCode::OK, "ok\n"));
        let (status, _, text) = answer("livez", checks(), "exclude=nothing");
        assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
        assert!(text.contains("warn:"), "{text}");
    }
}
