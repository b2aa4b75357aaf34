//! How results look: tables for people, JSON for programs, a progress bar on a terminal and plain lines elsewhere.

use std::io::{IsTerminal, Write};

use cofferdam_api::model::{AdoptedView, BackupView, EventView, OperationView, OrphanView, ServiceView};
use cofferdam_distribution::{Condition, Listed};
use comfy_table::{Attribute, Cell, Color, ContentArrangement, Table, presets};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use jiff::Timestamp;
use serde::Serialize;

/// Prints a line on standard output. A reader that went away (`| head`) is no error.
pub(crate) fn line(text: &str) {
    let _ = writeln!(std::io::stdout().lock(), "{text}");
}

/// Prints one JSON document.
pub(crate) fn json(value: &(impl Serialize + ?Sized)) -> anyhow::Result<()> {
    line(&serde_json::to_string_pretty(value)?);
    Ok(())
}

fn table(headers: &[&str]) -> Table {
    let mut table = Table::new();
    table
        .load_style(presets::UTF8_HORIZONTAL_ONLY)
        .set_content_arrangement(ContentArrangement::Dynamic);
    if !std::io::stdout().is_terminal() {
        table
            .load_style(presets::NOTHING)
            .set_content_arrangement(ContentArrangement::Disabled);
    }
    table.set_header(
        headers
            .iter()
            .map(|header| Cell::new(header).add_attribute(Attribute::Bold)),
    );
    table
}

fn state_cell(state: &str) -> Cell {
    let color = match state {
        "up" | "available" | "ok" => Color::Green,
        "down" | "error" | "error_deleting" | "corrupt" => Color::Red,
        "-" => return Cell::new(state),
        _ => Color::Yellow,
    };
    Cell::new(state).fg(color)
}

/// A time to the second.
fn time(time: &str) -> String {
    time.parse::<Timestamp>()
        .map_or_else(|_| time.to_owned(), |time| format!("{time:.0}"))
}

/// The time now, to the second.
pub(crate) fn now() -> String {
    format!("{:.0}", Timestamp::now())
}

/// A span since a time, short: `12s`, `3m`, `2h`, `5d`.
pub(crate) fn ago(time: &str) -> String {
    let Ok(time) = time.parse::<Timestamp>() else {
        return time.to_owned();
    };
    span(Timestamp::now().as_second() - time.as_second())
}

pub(crate) fn span(seconds: i64) -> String {
    match seconds.max(0) {
        seconds @ 0..120 => format!("{seconds}s"),
        seconds @ 120..7200 => format!("{}m", seconds / 60),
        seconds @ 7200..172_800 => format!("{}h", seconds / 3600),
        seconds => format!("{}d", seconds / 86_400),
    }
}

fn until(time: &Option<String>) -> String {
    let Some(Ok(time)) = time.as_ref().map(|time| time.parse::<Timestamp>()) else {
        return "-".into();
    };
    format!("in {}", span(time.as_second() - Timestamp::now().as_second()))
}

/// Bytes in binary units.
pub(crate) fn bytes(bytes: u64) -> String {
    indicatif::BinaryBytes(bytes).to_string()
}

/// The status table.
pub(crate) fn services(services: &[ServiceView]) {
    let mut table = table(&[
        "BACKEND", "DRIVER", "STATE", "PHASE", "SINCE", "TRIES", "NEXT", "REASON",
    ]);
    for service in services {
        let reason = match (&service.code, &service.message) {
            (Some(code), Some(message)) => format!("{code}: {message}"),
            (Some(code), None) => code.clone(),
            _ => String::new(),
        };
        table.add_row(vec![
            Cell::new(&service.name),
            Cell::new(&service.driver),
            state_cell(&service.state),
            Cell::new(match service.disabled {
                true => format!("{}, disabled", service.phase),
                false => service.phase.clone(),
            }),
            Cell::new(ago(&service.since)),
            Cell::new(service.attempt),
            Cell::new(until(
                &service.next_try.clone().or_else(|| service.next_probe.clone()),
            )),
            Cell::new(reason),
        ]);
    }
    line(&table.to_string());
}

/// The table of installed drivers.
pub(crate) fn drivers(all: &[Listed]) {
    let mut table = table(&["DRIVER", "VERSION", "STATE", "SHA-256", "LICENCE", "FROM"]);
    for listed in all {
        let manifest = listed.installed.as_ref().and_then(|one| one.manifest.as_ref());
        let origin = listed.installed.as_ref().and_then(|one| one.origin.clone());
        let (state, digest) = match &listed.condition {
            Condition::Whole(digest) => ("ok", digest.to_string()),
            Condition::Unrecorded(digest) => ("-", digest.to_string()),
            Condition::Damaged(reason) => ("corrupt", reason.clone()),
        };
        table.add_row(vec![
            Cell::new(&listed.name),
            Cell::new(manifest.map_or("-", |manifest| manifest.version.as_str())),
            state_cell(state),
            Cell::new(digest),
            Cell::new(manifest.map_or("-", |manifest| manifest.licence.as_str())),
            Cell::new(origin.unwrap_or_else(|| "-".into())),
        ]);
    }
    line(&table.to_string());
}

/// A line beside the work, on standard error.
#[allow(clippy::print_stderr, reason = "the binary's way to speak")]
pub(crate) fn note(text: &str) {
    eprintln!("{text}");
}

/// Everything about one service.
pub(crate) fn service(service: &ServiceView) {
    let or_dash = |text: &Option<String>| text.clone().unwrap_or_else(|| "-".into());
    let number = |number: Option<u64>| number.map_or_else(|| "-".into(), |number| number.to_string());
    fields(&[
        ("backend", service.name.clone()),
        ("driver", service.driver.clone()),
        ("state", service.state.clone()),
        ("phase", service.phase.clone()),
        (
            "new backups",
            match (service.disabled, &service.disabled_reason) {
                (false, _) => "taken".into(),
                (true, None) => "not taken: disabled".into(),
                (true, Some(reason)) => format!("not taken: disabled ({reason})"),
            },
        ),
        ("code", or_dash(&service.code)),
        ("reason", or_dash(&service.message)),
        ("what to do", or_dash(&service.remedy)),
        ("since", time(&service.since)),
        ("attempt", service.attempt.to_string()),
        ("failures in a row", service.consecutive_failures.to_string()),
        (
            "last success",
            or_dash(&service.last_success.as_deref().map(time)),
        ),
        ("last probe", or_dash(&service.last_probe.as_deref().map(time))),
        ("next try", or_dash(&service.next_try.as_deref().map(time))),
        ("next probe", or_dash(&service.next_probe.as_deref().map(time))),
        ("heartbeat", or_dash(&service.heartbeat.as_deref().map(time))),
        (
            "last initialisation",
            service
                .initialization_ms
                .map_or_else(|| "-".into(), |ms| format!("{ms:.1} ms")),
        ),
        ("fuel used", number(service.initialization_fuel)),
        (
            "peak memory",
            service.peak_memory_bytes.map_or_else(|| "-".into(), bytes),
        ),
        (
            "initialisations",
            format!(
                "{} succeeded, {} failed",
                service.initializations_succeeded, service.initializations_failed
            ),
        ),
        (
            "probes",
            format!(
                "{} succeeded, {} failed",
                service.probes_succeeded, service.probes_failed
            ),
        ),
        ("changes of phase", service.transitions.to_string()),
        (
            "threads ending",
            format!("{} in the whole service", service.threads_ending),
        ),
    ]);
}

/// The table of events.
pub(crate) fn events(events: &[EventView]) {
    let mut table = table(&["TIME", "BACKEND", "EVENT", "WHAT"]);
    for event in events {
        table.add_row(vec![
            Cell::new(time(&event.at)),
            Cell::new(&event.backend),
            Cell::new(short(&event.kind)),
            Cell::new(what(event)),
        ]);
    }
    line(&table.to_string());
}

/// One event as a line.
pub(crate) fn event(event: &EventView) {
    line(&format!(
        "{}  {}  {}  {}",
        time(&event.at),
        event.backend,
        short(&event.kind),
        what(event)
    ));
}

/// The part of a type name that differs between events.
fn short(kind: &str) -> &str {
    kind.strip_prefix("backup.backend.").unwrap_or(kind)
}

/// What an event says, in a few words.
fn what(event: &EventView) -> String {
    let text = |name: &str| event.data.get(name).and_then(|value| value.as_str());
    let number = |name: &str| event.data.get(name).and_then(serde_json::Value::as_u64);
    let reason = match (text("code"), text("message")) {
        (Some(code), Some(message)) => format!("{code}: {message}"),
        _ => String::new(),
    };
    let words = match (text("from"), text("to")) {
        (Some(from), Some(to)) => format!("{from} to {to}"),
        _ => match number("attempt") {
            Some(attempt) => format!("try {attempt}"),
            None => number("lost").map_or_else(String::new, |lost| format!("{lost} events are missing here")),
        },
    };
    let parts = [words, reason];
    let parts: Vec<_> = parts.into_iter().filter(|part| !part.is_empty()).collect();
    parts.join(", ")
}

/// Names and values, one a line.
pub(crate) fn fields(fields: &[(&str, String)]) {
    let width = fields.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
    for (name, value) in fields {
        line(&format!("{name:width$}  {value}"));
    }
}

/// The table of backups.
pub(crate) fn backups(backups: &[BackupView]) {
    let mut table = table(&[
        "ID", "STATUS", "NAME", "BACKEND", "VOLUME", "SIZE", "STORED", "AGE", "VERIFIED",
    ]);
    for backup in backups {
        table.add_row(vec![
            Cell::new(&backup.id),
            state_cell(&backup.status),
            Cell::new(backup.name.as_deref().unwrap_or("-")),
            Cell::new(&backup.backend),
            Cell::new(&backup.volume_path),
            Cell::new(bytes(backup.volume_bytes)),
            Cell::new(bytes(backup.stored_bytes)),
            Cell::new(ago(&backup.created_at)),
            state_cell(backup.verify_result.as_deref().unwrap_or("-")),
        ]);
    }
    line(&table.to_string());
}

/// What came of taking in all that a backend holds.
pub(crate) fn adopted(done: &AdoptedView) {
    if !done.adopted.is_empty() {
        backups(&done.adopted);
    }
    if !done.refused.is_empty() {
        let mut table = table(&["CONTAINER", "PREFIX", "REFUSED", "WHAT TO DO"]);
        for refused in &done.refused {
            table.add_row(vec![
                Cell::new(&refused.container),
                Cell::new(&refused.prefix),
                Cell::new(format!("{}: {}", refused.error.code, refused.error.message)),
                Cell::new(&refused.error.remedy),
            ]);
        }
        line(&table.to_string());
    }
    line(&format!(
        "{} taken in, {} known already, {} refused",
        done.adopted.len(),
        done.known,
        done.refused.len()
    ));
}

/// Objects that belong to no record.
pub(crate) fn orphans(orphans: &[OrphanView]) {
    if orphans.is_empty() {
        return line("every object belongs to a backup");
    }
    let mut table = table(&["CONTAINER", "OBJECT", "SIZE", "OF", "REMOVED"]);
    for orphan in orphans {
        table.add_row(vec![
            Cell::new(&orphan.container),
            Cell::new(&orphan.name),
            Cell::new(bytes(orphan.size)),
            Cell::new(orphan.backup_id.as_deref().unwrap_or("unknown")),
            Cell::new(if orphan.removed { "yes" } else { "no" }),
        ]);
    }
    line(&table.to_string());
}

/// Everything about one backup.
pub(crate) fn backup(backup: &BackupView) {
    let or_dash = |text: &Option<String>| text.clone().unwrap_or_else(|| "-".into());
    fields(&[
        ("id", backup.id.clone()),
        ("status", backup.status.clone()),
        ("name", or_dash(&backup.name)),
        ("description", or_dash(&backup.description)),
        ("backend", backup.backend.clone()),
        ("chosen because", or_dash(&backup.scheduling)),
        (
            "project, user",
            format!("{}, {}", backup.project_id, backup.user_id),
        ),
        ("builds on", or_dash(&backup.parent_id)),
        ("volume", format!("{} ({})", backup.volume_path, backup.volume_id)),
        (
            "size",
            format!("{} ({} bytes)", bytes(backup.volume_bytes), backup.volume_bytes),
        ),
        ("compression", backup.compression.clone()),
        (
            "stored",
            format!(
                "{} in {} objects",
                bytes(backup.stored_bytes),
                backup.object_count
            ),
        ),
        ("container", or_dash(&backup.container)),
        ("prefix", or_dash(&backup.prefix)),
        ("created", time(&backup.created_at)),
        (
            "verified",
            match (&backup.verified_at, &backup.verify_result) {
                (Some(at), Some(result)) => format!("{result} at {}", time(at)),
                _ => "-".into(),
            },
        ),
        (
            "failure",
            match (&backup.fail_code, &backup.fail_reason) {
                (Some(code), Some(reason)) => format!("{code}: {reason}"),
                _ => "-".into(),
            },
        ),
    ]);
}

/// Progress of an operation: a bar on a terminal; elsewhere a line every few seconds; with `--json` nothing.
pub(crate) struct Progress {
    bar: ProgressBar,
    plain: bool,
    last: std::time::Instant,
}

impl Progress {
    /// For an operation of this kind.
    pub(crate) fn new(kind: &str, quiet: bool) -> Self {
        let terminal = std::io::stderr().is_terminal();
        let target = if quiet || !terminal {
            ProgressDrawTarget::hidden()
        } else {
            ProgressDrawTarget::stderr()
        };
        let bar = ProgressBar::with_draw_target(None, target).with_prefix(kind.to_owned());
        let style = "{prefix} [{bar:30}] {percent:>3}% {binary_bytes}/{binary_total_bytes} {binary_bytes_per_sec} {eta}";
        if let Ok(style) = ProgressStyle::with_template(style) {
            bar.set_style(style.progress_chars("=> "));
        }
        Progress {
            bar,
            plain: !quiet && !terminal,
            last: std::time::Instant::now(),
        }
    }

    /// Shows how it stands.
    #[allow(clippy::print_stderr, reason = "the binary's way to speak")]
    pub(crate) fn update(&mut self, operation: &OperationView) {
        if operation.bytes_total > 0 {
            self.bar.set_length(operation.bytes_total);
            self.bar.set_position(operation.bytes_done);
        }
        if self.plain && self.last.elapsed().as_secs() >= 5 {
            self.last = std::time::Instant::now();
            eprintln!(
                "{}: {} of {}",
                operation.kind,
                bytes(operation.bytes_done),
                bytes(operation.bytes_total)
            );
        }
    }

    /// Takes the bar away.
    pub(crate) fn finish(self) {
        self.bar.finish_and_clear();
    }
}
