//! How a command ends: one error, one exit code, on standard error as text or JSON.

use std::process::ExitCode;

use cofferdam_api::model::ErrorView;

use crate::config::ConfigError;

/// An error with code and remedy that came from the service.
#[derive(Debug)]
pub(crate) struct ServiceError(pub ErrorView);

impl std::fmt::Display for ServiceError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0.message)
    }
}

impl std::error::Error for ServiceError {}

/// Ctrl-C while a command waited.
#[derive(Debug)]
pub(crate) struct Interrupted;

impl std::fmt::Display for Interrupted {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("interrupted")
    }
}

impl std::error::Error for Interrupted {}

/// The exit code for an error's stable code; documented in `--help` and docs/architecture.md.
fn exit_code(code: &str) -> u8 {
    match code {
        "configuration" => 3,
        "not-found" => 4,
        "backend-down" => 5,
        "conflict" | "disabled" | "over-quota" => 6,
        "corrupt" => 7,
        "interrupted" => 130,
        _ => 1,
    }
}

/// What an error says to a program.
pub(crate) fn view(error: &anyhow::Error) -> ErrorView {
    if let Some(ServiceError(view)) = error.downcast_ref() {
        return view.clone();
    }
    let (code, remedy) = if error.is::<ConfigError>() {
        (
            "configuration",
            "mend the configuration; `cofferdam config check` looks at all of it",
        )
    } else if error.is::<Interrupted>() {
        (
            "interrupted",
            "the operation goes on in a running service; without one it was stopped",
        )
    } else {
        ("failed", "")
    };
    ErrorView {
        code: code.into(),
        message: format!("{error:#}"),
        remedy: remedy.into(),
    }
}

/// Prints an error and says which exit code it has.
#[allow(clippy::print_stderr, reason = "the binary's way to speak")]
pub(crate) fn report(error: &anyhow::Error, json: bool) -> ExitCode {
    let view = view(error);
    if json {
        eprintln!("{}", serde_json::json!({ "error": view }));
    } else {
        eprintln!("cofferdam: {} [{}]", view.message, view.code);
        if !view.remedy.is_empty() {
            eprintln!("  {}", view.remedy);
        }
    }
    ExitCode::from(exit_code(&view.code))
}
