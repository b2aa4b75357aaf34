//! `cofferdam service …`: what the backends' state is, and why.

use clap::Subcommand;
use cofferdam_api::model::ServiceView;

use super::Context;
use crate::show;

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// List the backends with state and reason
    List,
    /// Show all that is known of one backend
    Show {
        /// Name of the backend
        name: String,
    },
    /// Initialise a backend again now
    Reinitialize {
        /// Name of the backend
        name: String,
    },
}

pub(crate) async fn run(context: &Context, command: Command) -> anyhow::Result<()> {
    let client = context.connect().await?;
    client.settle().await;
    match command {
        Command::List => {
            let services: Vec<ServiceView> = client.get("/v1/services").await?;
            if context.json {
                show::json(&services)?
            } else {
                show::services(&services)
            }
        }
        Command::Show { name } => {
            let service: ServiceView = client.get(&format!("/v1/services/{name}")).await?;
            if context.json {
                show::json(&service)?
            } else {
                show::service(&service)
            }
        }
        Command::Reinitialize { name } => {
            client
                .post::<()>(&format!("/v1/services/{name}/reinitialize"), &())
                .await?;
            if context.json {
                show::json(&serde_json::json!({ "backend": name, "reinitializing": true }))?;
            } else {
                show::line(&format!(
                    "{name} is being initialised again; see `cofferdam service show {name}`"
                ));
            }
        }
    }
    client.close().await;
    Ok(())
}
