//! `cofferdam service …`: what the backends' state is, since when and why, and what has happened to them.
//!
//! Without a running service nothing is initialised for a look: the catalog tells what was last known, and everything
//! is down.

use std::time::Duration;

use clap::Subcommand;
use cofferdam_api::model::{ErrorView, EventView, ServiceView, SwitchRequest};
use cofferdam_api::{event_view, service_view};
use cofferdam_manager::{ManagerError, Offline};

use super::Context;
use crate::client::{Client, escaped, service_error};
use crate::config::Config;
use crate::exit::ServiceError;
use crate::show;

/// How often a wait looks.
const LOOK: Duration = Duration::from_millis(50);

/// How often `--follow` looks.
const FOLLOW: Duration = Duration::from_millis(500);

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// List the backends with state and reason
    List,
    /// Show all that is known of one backend
    Show {
        /// Name of the backend
        name: String,
    },
    /// Show what has happened to the backends, oldest first
    Events {
        /// Name of the backend; all of them when absent
        name: Option<String>,
        /// So many of the newest
        #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=10_000))]
        limit: u32,
        /// Go on with those that come, until interrupted; with --json one document a line
        #[arg(long)]
        follow: bool,
    },
    /// Let a backend take new backups again
    Enable {
        /// Name of the backend
        name: String,
    },
    /// Let a backend take no new backups, also after a restart; what it has still restores, verifies and deletes
    Disable {
        /// Name of the backend
        name: String,
        /// Why, for those who wonder
        #[arg(long)]
        reason: Option<String>,
    },
    /// Initialise a backend again now
    Reinitialize {
        /// Name of the backend
        name: String,
        /// Wait for the outcome; exit code 5 when the backend is down then
        #[arg(long)]
        wait: bool,
    },
}

pub(crate) async fn run(context: &Context, command: Command) -> anyhow::Result<()> {
    match command {
        Command::List => {
            let services = services(context).await?;
            context.answer(services.as_slice(), show::services)
        }
        Command::Show { name } => {
            let service = service(context, &name).await?;
            context.answer(&service, show::service)
        }
        Command::Enable { name } => switch(context, &name, false, None).await,
        Command::Disable { name, reason } => switch(context, &name, true, reason).await,
        Command::Events { name, limit, follow } => events(context, name, limit, follow).await,
        Command::Reinitialize { name, wait } => reinitialize(context, &name, wait).await,
    }
}

/// The records, when the configuration is one that a service could start with.
async fn offline(config: &Config) -> anyhow::Result<Offline> {
    config.backend_options()?;
    Ok(Offline::open(&config.service_options())
        .await
        .map_err(service_error)?)
}

fn names(config: &Config) -> Vec<String> {
    config
        .backends
        .iter()
        .map(|backend| backend.name.clone())
        .collect()
}

async fn services(context: &Context) -> anyhow::Result<Vec<ServiceView>> {
    match context.service_or_offline().await? {
        Ok(client) => client.get("/v1/services").await,
        Err(config) => recorded(&config).await,
    }
}

/// What was last known.
async fn recorded(config: &Config) -> anyhow::Result<Vec<ServiceView>> {
    let catalog = offline(config).await?;
    let services = catalog.services(&names(config)).await.map_err(service_error)?;
    catalog.close().await;
    Ok(services.iter().map(service_view).collect())
}

async fn service(context: &Context, name: &str) -> anyhow::Result<ServiceView> {
    match context.service_or_offline().await? {
        Ok(client) => client.get(&format!("/v1/services/{}", escaped(name))).await,
        Err(config) => recorded_one(&config, name).await,
    }
}

async fn recorded_one(config: &Config, name: &str) -> anyhow::Result<ServiceView> {
    let found = recorded(config).await?;
    match found.into_iter().find(|service| service.name == name) {
        Some(service) => Ok(service),
        None => Err(service_error(ManagerError::UnknownBackend {
            name: name.to_owned(),
            known: names(config),
        })
        .into()),
    }
}

async fn events(context: &Context, name: Option<String>, limit: u32, follow: bool) -> anyhow::Result<()> {
    let name = name.as_deref();
    if !follow {
        let events = match context.service_or_offline().await? {
            Ok(client) => read_events(&client, name, None, limit).await?,
            Err(config) => recorded_events(&config, name, limit).await?,
        };
        if context.json {
            return show::json(&events);
        }
        show::events(&events);
        return Ok(());
    }
    // Only a running service makes more of them.
    let client = context.service().await?;
    let mut events = read_events(&client, name, None, limit).await?;
    let mut last = 0;
    loop {
        for event in &events {
            last = last.max(event.number);
            if context.json {
                show::line(&serde_json::to_string(event)?);
            } else {
                show::event(event);
            }
        }
        tokio::select! {
            () = tokio::time::sleep(FOLLOW) => {}
            _ = tokio::signal::ctrl_c() => return Ok(()),
        }
        events = read_events(&client, name, Some(last), 10_000).await?;
    }
}

async fn read_events(
    client: &Client,
    name: Option<&str>,
    after: Option<i64>,
    limit: u32,
) -> anyhow::Result<Vec<EventView>> {
    let mut path = format!("/v1/events?limit={limit}");
    if let Some(name) = name {
        path.push_str(&format!("&backend={}", escaped(name)));
    }
    if let Some(after) = after {
        path.push_str(&format!("&after={after}"));
    }
    client.get(&path).await
}

async fn recorded_events(config: &Config, name: Option<&str>, limit: u32) -> anyhow::Result<Vec<EventView>> {
    if let Some(name) = name {
        recorded_one(config, name).await?;
    }
    let catalog = offline(config).await?;
    let events = catalog.events(name, None, limit).await.map_err(service_error)?;
    catalog.close().await;
    Ok(events.iter().map(event_view).collect())
}

async fn switch(context: &Context, name: &str, disabled: bool, reason: Option<String>) -> anyhow::Result<()> {
    let client = context.service().await?;
    let request = SwitchRequest { disabled, reason };
    let after: ServiceView = client
        .post(&format!("/v1/services/{}/switch", escaped(name)), &request)
        .await?;
    if context.json {
        return show::json(&after);
    }
    show::services(std::slice::from_ref(&after));
    Ok(())
}

async fn reinitialize(context: &Context, name: &str, wait: bool) -> anyhow::Result<()> {
    let client = context.service().await?;
    let tries = |service: &ServiceView| service.initializations_succeeded + service.initializations_failed;
    let path = format!("/v1/services/{}", escaped(name));
    let before: ServiceView = client.get(&path).await?;
    client.post::<()>(&format!("{path}/reinitialize"), &()).await?;
    if !wait {
        if context.json {
            return show::json(&serde_json::json!({ "backend": name, "reinitializing": true }));
        }
        show::line(&format!(
            "{name} is being initialised again; see `cofferdam service show {name}`"
        ));
        return Ok(());
    }
    let after: ServiceView = loop {
        let now: ServiceView = client.get(&path).await?;
        if tries(&now) > tries(&before) || now.phase == "disabled" {
            break now;
        }
        tokio::time::sleep(LOOK).await;
    };
    if context.json {
        show::json(&after)?;
    } else {
        show::services(std::slice::from_ref(&after));
    }
    if after.state == "up" {
        return Ok(());
    }
    Err(ServiceError(ErrorView {
        code: "backend-down".into(),
        message: format!("backend {name} is down: {}", after.message.unwrap_or_default()),
        remedy: after.remedy.unwrap_or_default(),
    })
    .into())
}
