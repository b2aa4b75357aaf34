//! `cofferdam config …`: whether a configuration is sound, and what holds.

use std::collections::{BTreeSet, HashMap};
use std::path::PathBuf;
use std::sync::Arc;

use clap::Subcommand;
use cofferdam_manager::{Grants, Inspector, OptionKind, Reloaded, SettingValue, Written};

use super::Context;
use crate::client::{helper, service_error};
use crate::config::options::{OPTIONS, Scope};
use crate::config::page;
use crate::config::{BackendSection, Config, Value, show_grant};
use crate::show;

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Check the file, its drivers, their settings and grants; touches no storage
    Check,
    /// Show every option that holds and where it comes from
    Show,
    /// Make a running service take the file as it is now; a file that is not sound changes nothing
    Reload,
    /// List all options
    Options {
        /// As the page docs/configuration.md
        #[arg(long)]
        markdown: bool,
    },
}

pub(crate) async fn run(context: &Context, command: Command) -> anyhow::Result<()> {
    match command {
        Command::Check => check(context).await,
        Command::Show => show_config(context).await,
        Command::Reload => reload(context).await,
        Command::Options { markdown } => list_options(context, markdown),
    }
}

async fn check(context: &Context) -> anyhow::Result<()> {
    let config = context.read()?;
    let backends = config.backend_options()?;
    let inspector = Inspector::start(helper()).await.map_err(service_error)?;
    for backend in backends {
        let limits = Arc::new(backend.limits.clone());
        let found = inspector
            .inspect(&backend.driver_file, &limits, std::slice::from_ref(&backend))
            .await;
        let found = found.map_err(|error| {
            config.error_at(
                &backend.name,
                "",
                format!("backend {}: {error} ({})", backend.name, error.remedy()),
            )
        })?;
        if let Some(error) = found.backends.into_iter().find_map(|grant| grant.error) {
            let message = format!("backend {}: {} ({})", backend.name, error.message, error.remedy);
            return Err(config
                .error_at(&backend.name, error.option.as_deref().unwrap_or(""), message)
                .into());
        }
    }
    if context.json {
        show::json(
            &serde_json::json!({ "file": config.file, "sound": true, "backends": config.backends.len() }),
        )
    } else {
        show::line(&format!(
            "{} is sound; its backends: {}",
            config.file.display(),
            config
                .backends
                .iter()
                .map(|backend| backend.name.as_str())
                .collect::<Vec<_>>()
                .join(", ")
        ));
        Ok(())
    }
}

async fn reload(context: &Context) -> anyhow::Result<()> {
    // Without --url the socket is looked for where the file says; a file that is not sound is refused here already.
    let client = context.service().await?;
    let done: Reloaded = client.post("/v1/reload", &()).await?;
    if context.json {
        return show::json(&done);
    }
    for (what, names) in [
        ("added", &done.added),
        ("changed, being initialised anew", &done.changed),
        ("removed", &done.removed),
        ("unchanged", &done.unchanged),
        ("holds from the next start on", &done.needs_restart),
    ] {
        if !names.is_empty() {
            show::line(&format!("{what}: {}", names.join(", ")));
        }
    }
    Ok(())
}

fn origin(config: &Config, value: &Value) -> String {
    if value.origin.line == 0 {
        "default".into()
    } else {
        format!("{}:{}", config.file.display(), value.origin.line)
    }
}

/// The kinds of a driver's options, by name; nothing of a driver that could not be asked.
type Kinds = HashMap<PathBuf, HashMap<String, OptionKind>>;

/// Asks the drivers of all backends that have settings, since only they know which of them are secrets.
async fn kinds(config: &Config) -> Kinds {
    let mut kinds = Kinds::new();
    let asked = config
        .backends
        .iter()
        .filter(|backend| !backend.settings.is_empty());
    let files: BTreeSet<PathBuf> = asked
        .filter_map(|backend| config.driver_file(backend).ok())
        .collect();
    if files.is_empty() {
        return kinds;
    }
    let Ok(inspector) = Inspector::start(helper()).await else {
        return kinds;
    };
    for file in files {
        if let Ok(found) = inspector.inspect(&file, &Arc::default(), &[]).await {
            let options = found.info.options.into_iter();
            kinds.insert(file, options.map(|option| (option.name, option.kind)).collect());
        }
    }
    kinds
}

async fn show_config(context: &Context) -> anyhow::Result<()> {
    let config = context.read()?;
    let kinds = kinds(&config).await;
    let kind = |backend: &BackendSection, name: &str| {
        let file = config.driver_file(backend).ok()?;
        // An option that the driver does not have is refused elsewhere; here it is shown as little as a secret.
        kinds.get(&file)?.get(name).copied()
    };
    let service = OPTIONS.iter().filter(|option| option.scope == Scope::Service);
    let of_backend = || OPTIONS.iter().filter(|option| option.scope != Scope::Service);
    if context.json {
        let value =
            |value: &Value| serde_json::json!({ "value": value.json(), "origin": origin(&config, value) });
        let top: serde_json::Map<_, _> = service
            .filter_map(|option| Some((option.name.to_owned(), value(&config.service_value(option.name)?))))
            .collect();
        let backends: serde_json::Map<_, _> = config
            .backends
            .iter()
            .map(|backend| {
                let options: serde_json::Map<_, _> = of_backend()
                    .filter_map(|option| {
                        Some((
                            option.name.to_owned(),
                            value(&config.backend_value(backend, option.name)?),
                        ))
                    })
                    .collect();
                let settings: serde_json::Map<_, _> = backend
                    .settings
                    .iter()
                    .map(|(name, (value, _))| (name.clone(), setting_json(value, kind(backend, name))))
                    .collect();
                let backend_json =
                    serde_json::json!({ "options": options, "settings": settings, "grants": backend.grants });
                (backend.name.clone(), backend_json)
            })
            .collect();
        return show::json(&serde_json::json!({ "file": config.file, "service": top, "backends": backends }));
    }
    for option in service {
        if let Some(value) = config.service_value(option.name) {
            show::line(&format!(
                "{} = {}    # {}",
                option.name,
                value.show(option.kind),
                origin(&config, &value)
            ));
        }
    }
    for backend in &config.backends {
        show::line(&format!("\n[backends.{}]", backend.name));
        for option in of_backend() {
            if let Some(value) = config.backend_value(backend, option.name) {
                show::line(&format!(
                    "{} = {}    # {}",
                    option.name,
                    value.show(option.kind),
                    origin(&config, &value)
                ));
            }
        }
        for (name, (value, at)) in &backend.settings {
            let value = cofferdam_manager::show_setting(value, kind(backend, name));
            show::line(&format!(
                "{name} = {value}    # {}:{}, for the driver",
                config.file.display(),
                at.line
            ));
        }
        for grant in &backend.grants.directories {
            show::line(&format!("# granted: {}", show_grant(grant)));
        }
        for grant in network_grants(&backend.grants) {
            show::line(&format!("# granted: {grant}"));
        }
    }
    Ok(())
}

/// A setting as JSON; of a secret, and of what may be one, only what people are shown.
fn setting_json(value: &Written, kind: Option<OptionKind>) -> serde_json::Value {
    match value {
        Written::Plain(plain) if kind.is_some_and(|kind| kind != OptionKind::Secret) => {
            serde_json::json!(plain)
        }
        Written::Plain(plain @ (SettingValue::Integer(_) | SettingValue::Boolean(_))) if kind.is_none() => {
            serde_json::json!(plain)
        }
        _ => cofferdam_manager::show_setting(value, kind).into(),
    }
}

fn network_grants(grants: &Grants) -> Vec<String> {
    let http = grants.http.iter().map(|origin| format!("requests to {origin}"));
    let networks = grants
        .networks
        .iter()
        .map(|network| format!("names that resolve into {network}"));
    let tcp = grants
        .tcp
        .iter()
        .map(|address| format!("TCP connections to {address}"));
    let reveal = grants
        .reveal
        .iter()
        .map(|name| format!("reading the secret {name}"));
    http.chain(networks).chain(tcp).chain(reveal).collect()
}

fn list_options(context: &Context, markdown: bool) -> anyhow::Result<()> {
    if context.json {
        let all: Vec<_> = OPTIONS
            .iter()
            .map(|option| {
                serde_json::json!({
                    "name": option.name,
                    "scope": format!("{:?}", option.scope).to_lowercase(),
                    "value": option.kind.describe(),
                    "default": option.default,
                    "text": option.text,
                })
            })
            .collect();
        return show::json(&all);
    }
    if markdown {
        show::line(page::markdown().trim_end());
        return Ok(());
    }
    for option in OPTIONS {
        let default = option
            .default
            .map_or_else(String::new, |default| format!(", default {default}"));
        show::line(&format!(
            "{} ({}{default})\n    {}",
            option.name,
            option.kind.describe(),
            option.text
        ));
    }
    Ok(())
}
