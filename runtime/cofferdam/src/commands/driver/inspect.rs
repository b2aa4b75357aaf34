//! `cofferdam driver inspect`: what a component is, what it asks for, and what a configuration grants it.

use std::path::PathBuf;
use std::sync::Arc;

use cofferdam_manager::{BackendGrant, BackendOptions, Inspection, Inspector, Limits, kind_of};

use crate::client::{helper, service_error};
use crate::commands::Context;
use crate::config::{options, show_grant};
use crate::show;

pub(super) async fn run(context: &Context, file: PathBuf) -> anyhow::Result<()> {
    // Without a configuration there are no grants, and everything else can still be told.
    let backends = match context.read() {
        Ok(config) => config.backend_options()?,
        Err(_) if !context.config.exists() => Vec::new(),
        Err(error) => return Err(error),
    };
    let file = std::path::absolute(file)?;
    let using: Vec<_> = backends
        .into_iter()
        .filter(|backend| backend.driver_file == file)
        .collect();
    let limits = using
        .first()
        .map_or_else(Limits::default, |backend| backend.limits.clone());
    let inspector = Inspector::start(helper()).await.map_err(service_error)?;
    let found = inspector.inspect(&file, &Arc::new(limits.clone()), &using).await;
    let found = found.map_err(service_error)?;
    if context.json {
        show::json(&found)
    } else {
        print(&found, &limits, &using);
        Ok(())
    }
}

/// What becomes of an import: it is there for every driver, or for whom a backend grants something, or it is inert.
fn use_of(import: &str, found: &Inspection) -> &'static str {
    let any = |granted: fn(&BackendGrant) -> bool| found.backends.iter().any(granted);
    let granted = match import.split('/').next() {
        Some("wasi:cli") => return "no arguments, environment or input; what it prints goes to the log",
        Some("wasi:filesystem") => any(|backend| !backend.directories.is_empty()),
        Some("wasi:http") => any(|backend| !backend.http.is_empty()),
        Some("wasi:sockets") => any(|backend| !backend.tcp.is_empty()),
        _ => return "given to every driver",
    };
    match granted {
        true => "granted, see below",
        false => "inert: no backend grants anything of it",
    }
}

fn print(found: &Inspection, limits: &Limits, using: &[BackendOptions]) {
    let (info, report) = (&found.info, &found.report);
    show::fields(&[
        (
            "driver",
            format!("{} {} by {}", info.name, info.version, info.vendor),
        ),
        ("what it is", info.description.clone()),
        ("contract", format!("cofferdam:backup@{}", report.contract)),
        ("size", show::bytes(report.size)),
        ("digest", format!("sha256:{}", report.digest)),
        (
            "made with",
            match report.producers.is_empty() {
                true => "it does not say".into(),
                false => report.producers.join(", "),
            },
        ),
        ("compiled and loaded in", format!("{} ms", found.load_ms)),
        ("memory at rest", show::bytes(found.memory_at_rest)),
        (
            "fuel to start and describe",
            format!("{} units", found.describe_fuel),
        ),
        (
            "needs of a body",
            if found.needs.is_empty() {
                "nothing: bodies stream".into()
            } else {
                found.needs.join(", ")
            },
        ),
        (
            "greatest object",
            info.greatest_object
                .map_or_else(|| "no limit of its own".into(), show::bytes),
        ),
        ("wants HTTP", if info.wants_http { "yes" } else { "no" }.into()),
    ]);
    show::line("\noptions");
    for option in &info.options {
        let default = option
            .default
            .as_ref()
            .map_or_else(String::new, |default| format!(", default {default}"));
        let required = if option.required { ", required" } else { "" };
        show::line(&format!(
            "  {} ({}{required}{default})",
            option.name,
            kind_of(option).1
        ));
        show::line(&format!("      {}", option.description));
    }
    show::line("\nimports");
    for import in &report.imports {
        show::line(&format!("  {import}: {}", use_of(import, found)));
    }
    show::line("\nlimits of one instance");
    show::line(&format!(
        "  memory {}, handles {}, host memory per call {}, output per call {} in {} lines",
        options::bytes(limits.memory),
        limits.handles,
        options::bytes(limits.hostcall_bytes as u64),
        options::bytes(limits.output_bytes as u64),
        limits.output_lines
    ));
    if using.is_empty() {
        show::line("\nno backend of the configuration uses this file: nothing is granted");
    }
    for (backend, grant) in using.iter().zip(&found.backends) {
        show::line(&format!("\nbackend {}", backend.name));
        match &grant.error {
            Some(error) => show::line(&format!(
                "  refused [{}]: {}\n  {}",
                error.code, error.message, error.remedy
            )),
            None => {
                for directory in &grant.directories {
                    show::line(&format!("  gets directory {}", show_grant(directory)));
                }
                for origin in &grant.http {
                    show::line(&format!("  may send requests to {origin}"));
                }
                for network in &grant.networks {
                    show::line(&format!("      whose names may resolve into {network}"));
                }
                for address in &grant.tcp {
                    show::line(&format!("  may open TCP connections to {address}"));
                }
                for (name, place) in &grant.secrets {
                    let how = if grant.reveal.contains(name) {
                        ", and read it"
                    } else {
                        ", but not read it"
                    };
                    show::line(&format!("  may use secret {name} (in {place}){how}"));
                }
                if !grant.tls_verify {
                    show::line("  certificates are NOT checked");
                }
            }
        }
    }
}
