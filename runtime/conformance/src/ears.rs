//! Listening to what the driver writes to the log, for the cases about it.
//!
//! The sandbox writes a driver's lines as events of the target `driver` with the backend's name. [`layer`] is a layer for
//! whoever sets up the program's log; without it those cases are left out. Bound: the newest [`KEPT`] lines.

use std::collections::VecDeque;
use std::fmt::{self, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use tracing::field::{Field, Visit};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::Context;
use tracing_subscriber::registry::LookupSpan;

use crate::subject::BACKEND;

/// Lines that are kept.
const KEPT: usize = 10_000;

static OPEN: AtomicBool = AtomicBool::new(false);
static HEARD: Mutex<VecDeque<(String, Line)>> = Mutex::new(VecDeque::new());

/// One line of a driver.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Line {
    pub(crate) level: Level,
    pub(crate) text: String,
}

/// The layer that listens.
pub fn layer<S: Subscriber + for<'s> LookupSpan<'s>>() -> impl Layer<S> {
    OPEN.store(true, Ordering::Relaxed);
    Ears.with_filter(Targets::new().with_target("driver", Level::TRACE))
}

/// Whether anybody listens.
pub(crate) fn are_open() -> bool {
    OPEN.load(Ordering::Relaxed)
}

/// Forgets what was heard of a driver.
pub(crate) fn forget(backend: &str) {
    heard().retain(|(of, _)| of != backend);
}

/// What was heard of it since then.
pub(crate) fn lines(backend: &str) -> Vec<Line> {
    let heard = heard();
    let own = heard.iter().filter(|(of, _)| of == backend);
    own.map(|(_, line)| line.clone()).collect()
}

fn heard() -> MutexGuard<'static, VecDeque<(String, Line)>> {
    HEARD.lock().unwrap_or_else(PoisonError::into_inner)
}

struct Ears;

impl<S: Subscriber> Layer<S> for Ears {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let mut seen = Seen::default();
        event.record(&mut seen);
        if !seen.backend.starts_with(BACKEND) {
            return;
        }
        let mut heard = heard();
        if heard.len() == KEPT {
            heard.pop_front();
        }
        let line = Line {
            level: *event.metadata().level(),
            text: seen.text,
        };
        heard.push_back((seen.backend, line));
    }
}

#[derive(Default)]
struct Seen {
    backend: String,
    text: String,
}

impl Visit for Seen {
    fn record_str(&mut self, field: &Field, value: &str) {
        if field.name() == "backend" {
            value.clone_into(&mut self.backend);
        }
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        if field.name() == "message" {
            // Writing to a text does not fail.
            let _ = write!(self.text, "{value:?}");
        }
    }
}
