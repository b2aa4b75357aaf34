//! The three ways in which `watch` speaks.

use std::collections::HashMap;
use std::io::IsTerminal;

use cofferdam_api::model::{OperationView, ServiceView};
use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::Rate;
use crate::show;

pub(super) enum Output {
    /// On a terminal: a bar for each operation that runs, and lines above them.
    Bars(MultiProgress, HashMap<String, ProgressBar>),
    /// Elsewhere.
    Lines,
    /// For programs.
    Json,
}

impl Output {
    pub(super) fn new(json: bool) -> Self {
        if json {
            Output::Json
        } else if std::io::stdout().is_terminal() {
            let target = ProgressDrawTarget::stdout();
            Output::Bars(MultiProgress::with_draw_target(target), HashMap::new())
        } else {
            Output::Lines
        }
    }

    /// What there is when the watch begins.
    pub(super) fn begin(&self, operations: &[OperationView], services: &[ServiceView]) {
        let running = operations.iter().filter(|operation| operation.state == "running");
        let up = services.iter().filter(|service| service.state == "up").count();
        self.note(&format!(
            "watching: {} running, {up} of {} up; end with Ctrl-C",
            count(running.count(), "operation"),
            count(services.len(), "backend"),
        ));
    }

    /// Something about the watch itself; programs need no such thing.
    pub(super) fn note(&self, text: &str) {
        if !matches!(self, Output::Json) {
            self.line(text);
        }
    }

    fn line(&self, text: &str) {
        let text = format!("{}  {text}", show::now());
        match self {
            // What cannot be drawn is lost, as with a reader that went away.
            Output::Bars(bars, _) => drop(bars.println(text)),
            Output::Lines | Output::Json => show::line(&text),
        }
    }

    /// An operation that runs: new, or due to be told of again, or just as far as it is now.
    pub(super) fn running(
        &mut self,
        operation: &OperationView,
        rate: &Rate,
        new: bool,
        due: bool,
    ) -> anyhow::Result<()> {
        match self {
            Output::Json if new || due => {
                let document = serde_json::json!({
                    "type": "operation",
                    "operation": operation,
                    "bytes_per_second": rate.per_second(),
                    "seconds_left": rate.left(operation.bytes_total).map(|left| left.as_secs_f64()),
                });
                show::line(&serde_json::to_string(&document)?);
            }
            Output::Lines if new || due => {
                self.line(&format!("{}: {}", subject(operation), progress(operation, rate)));
            }
            Output::Json | Output::Lines => {}
            Output::Bars(bars, shown) => {
                let bar = shown.entry(operation.id.clone()).or_insert_with(|| {
                    let bar = bars.add(ProgressBar::new(0));
                    if let Ok(style) = ProgressStyle::with_template("[{bar:10}] {percent:>3}% {wide_msg}") {
                        bar.set_style(style.progress_chars("=> "));
                    }
                    bar
                });
                bar.set_length(operation.bytes_total.max(1));
                bar.set_position(operation.bytes_done);
                // What may be too long for the line stands at its end.
                let short = format!("{} {}", operation.kind, short(operation));
                bar.set_message(format!(
                    "{short} {}{}",
                    progress(operation, rate),
                    place(operation)
                ));
            }
        }
        Ok(())
    }

    /// An operation that has ended.
    pub(super) fn ended(&mut self, operation: &OperationView) -> anyhow::Result<()> {
        self.forget(&operation.id);
        if matches!(self, Output::Json) {
            let document = serde_json::json!({ "type": "operation", "operation": operation });
            show::line(&serde_json::to_string(&document)?);
            return Ok(());
        }
        let outcome = match (&operation.error, &operation.summary) {
            (Some(error), _) => format!("FAILED: {} [{}]", error.message, error.code),
            (None, Some(summary)) => format!("done: {summary}"),
            (None, None) => operation.state.clone(),
        };
        self.line(&format!("{}: {outcome}", subject(operation)));
        Ok(())
    }

    /// Takes an operation's bar away.
    pub(super) fn forget(&mut self, id: &str) {
        if let Output::Bars(bars, shown) = self
            && let Some(bar) = shown.remove(id)
        {
            bar.finish_and_clear();
            bars.remove(&bar);
        }
    }

    /// A backend whose phase or reason has changed; at the beginning, one that is there.
    pub(super) fn service(&self, service: &ServiceView, first: bool) -> anyhow::Result<()> {
        if matches!(self, Output::Json) {
            let document = serde_json::json!({ "type": "service", "service": service });
            show::line(&serde_json::to_string(&document)?);
        } else if !first || service.state != "up" {
            let reason = match (&service.code, &service.message) {
                (Some(code), Some(message)) => format!(", {code}: {message}"),
                _ => String::new(),
            };
            let (name, state, phase) = (&service.name, &service.state, &service.phase);
            let phase = if phase == state {
                String::new()
            } else {
                format!(" ({phase})")
            };
            self.line(&format!("backend {name} is {state}{phase}{reason}"));
        }
        Ok(())
    }

    /// Takes the bars away.
    pub(super) fn finish(&mut self) {
        if let Output::Bars(bars, _) = self {
            let _ = bars.clear();
        }
    }
}

/// `135ec9d8`
fn short(operation: &OperationView) -> String {
    operation.backup_id.chars().take(8).collect()
}

/// ` of /srv/disk on archive`
fn place(operation: &OperationView) -> String {
    let part = |word: &str, name: &Option<String>| {
        name.as_ref()
            .map_or_else(String::new, |name| format!(" {word} {name}"))
    };
    part("of", &operation.volume) + &part("on", &operation.backend)
}

/// `create 135ec9d8 of /srv/disk on archive`
fn subject(operation: &OperationView) -> String {
    format!("{} {}{}", operation.kind, short(operation), place(operation))
}

/// `12.0 MiB of 256.0 MiB, 40.0 MiB/s, 6s left`
fn progress(operation: &OperationView, rate: &Rate) -> String {
    if operation.bytes_total == 0 {
        return operation.phase.clone();
    }
    let (done, total) = (
        show::bytes(operation.bytes_done),
        show::bytes(operation.bytes_total),
    );
    let mut text = format!("{done} of {total}");
    if let Some(rate) = rate.per_second() {
        text.push_str(&format!(", {}/s", show::bytes(rate as u64)));
    }
    if let Some(left) = rate.left(operation.bytes_total) {
        let left = i64::try_from(left.as_secs()).unwrap_or(i64::MAX);
        text.push_str(&format!(", {} left", show::span(left)));
    }
    text
}

fn count(number: usize, noun: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {noun}{plural}")
}
