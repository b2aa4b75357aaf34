//! `cofferdam catalog …`: the records as a file. Whether they are sound, copies of them, and making them anew.
//!
//! Check and backup read the file themselves, beside a running service; rebuild asks the service, or is one for as long as it
//! takes. What a backup is stands on its storage, so a catalog that was lost costs no backup.

use std::path::PathBuf;

use clap::Subcommand;
use cofferdam_api::model::{AdoptAllRequest, AdoptedView, ErrorView, ServiceView};
use cofferdam_manager::{catalog_path, check_catalog, copy_catalog};
use serde::Serialize;

use super::Context;
use crate::client::{Client, service_error};
use crate::exit::{Interrupted, ServiceError, view};
use crate::show;

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Look for damage in the whole catalog: in its pages, in each record, and between records; exit code 1 when there is any
    Check,
    /// Write a copy of the catalog to a new file, also while a service writes to it
    Backup {
        /// The copy; there must be nothing yet
        file: PathBuf,
    },
    /// Take in every backup that the backends hold and that has no record here: after the catalog was lost. Exit code 1
    /// when one could not be taken in, 5 when a backend is down and was left out
    Rebuild,
}

pub(crate) async fn run(context: &Context, command: Command) -> anyhow::Result<()> {
    match command {
        Command::Check => check(context).await,
        Command::Backup { file } => backup(context, &file).await,
        Command::Rebuild => {
            let client = context.connect().await?;
            let result = tokio::select! {
                result = rebuild(context, &client) => result,
                _ = tokio::signal::ctrl_c() => Err(Interrupted.into()),
            };
            client.close().await;
            result
        }
    }
}

/// Something that should not be.
#[derive(Serialize)]
struct FindingView {
    rule: &'static str,
    subject: String,
    message: String,
}

async fn check(context: &Context) -> anyhow::Result<()> {
    let options = context.read()?.service_options();
    let found = check_catalog(&options).await.map_err(service_error)?;
    let path = catalog_path(&options);
    let findings: Vec<_> = found
        .into_iter()
        .map(|finding| FindingView {
            rule: finding.rule,
            subject: finding.subject,
            message: finding.message,
        })
        .collect();
    if context.json {
        show::json(&serde_json::json!({ "catalog": path, "findings": findings }))?;
    } else {
        for finding in &findings {
            show::line(&format!(
                "{}: {}: {}",
                finding.rule, finding.subject, finding.message
            ));
        }
    }
    if !findings.is_empty() {
        return Err(ServiceError(ErrorView {
            code: "catalog-damaged".into(),
            message: format!("{} findings in the catalog {}", findings.len(), path.display()),
            remedy: "stop the service, move the file away, and put a copy of `cofferdam catalog backup` in its place, or \
                     fill a new one with `cofferdam catalog rebuild`"
                .into(),
        })
        .into());
    }
    if !context.json {
        show::line(&format!("the catalog {} is sound", path.display()));
    }
    Ok(())
}

async fn backup(context: &Context, file: &std::path::Path) -> anyhow::Result<()> {
    let options = context.read()?.service_options();
    copy_catalog(&options, file).await.map_err(service_error)?;
    if context.json {
        return show::json(&serde_json::json!({ "catalog": catalog_path(&options), "copy": file }));
    }
    show::line(&format!("the catalog was copied to {}", file.display()));
    Ok(())
}

/// What came of one backend.
#[derive(Serialize)]
struct Rebuilt {
    backend: String,
    #[serde(flatten)]
    done: Option<AdoptedView>,
    /// Why nothing was taken in.
    error: Option<ErrorView>,
}

async fn rebuild(context: &Context, client: &Client) -> anyhow::Result<()> {
    client.settle().await;
    let services: Vec<ServiceView> = client.get("/v1/services").await?;
    let mut all = Vec::new();
    for service in services {
        all.push(one(client, service).await);
    }
    if context.json {
        show::json(&all)?;
    } else {
        for rebuilt in &all {
            match (&rebuilt.done, &rebuilt.error) {
                (Some(done), _) => {
                    show::line(&format!("{}:", rebuilt.backend));
                    show::adopted(done);
                }
                (None, Some(error)) => show::line(&format!("{}: {}", rebuilt.backend, error.message)),
                (None, None) => {}
            }
        }
    }
    // What was refused weighs more than what can be done when a backend is up again.
    let refused = all
        .iter()
        .filter_map(|rebuilt| rebuilt.done.as_ref())
        .flat_map(|done| &done.refused);
    let refused = refused.map(|refused| refused.error.clone());
    let mut failed: Vec<_> = all.iter().filter_map(|rebuilt| rebuilt.error.clone()).collect();
    failed.sort_by_key(|error| error.code == "backend-down");
    match refused.map(as_failure).chain(failed).next() {
        Some(error) => Err(ServiceError(error).into()),
        None => Ok(()),
    }
}

/// Whatever the reason that one backup was refused for, it is the rebuild that failed: exit code 1.
fn as_failure(error: ErrorView) -> ErrorView {
    ErrorView {
        code: "refused".into(),
        message: format!(
            "not every backup could be taken in; the first one: {}",
            error.message
        ),
        remedy: error.remedy,
    }
}

async fn one(client: &Client, service: ServiceView) -> Rebuilt {
    let backend = service.name.clone();
    if service.state != "up" {
        let error = ErrorView {
            code: "backend-down".into(),
            message: format!(
                "backend {backend} is down and was left out: {}",
                service.message.unwrap_or_default()
            ),
            remedy: "do it again when it is up; what is taken in stays".into(),
        };
        return Rebuilt {
            backend,
            done: None,
            error: Some(error),
        };
    }
    let request = AdoptAllRequest {
        backend: backend.clone(),
        container: None,
    };
    match client.post::<AdoptedView>("/v1/adopt_all", &request).await {
        Ok(done) => Rebuilt {
            backend,
            done: Some(done),
            error: None,
        },
        Err(error) => Rebuilt {
            backend,
            done: None,
            error: Some(view(&error)),
        },
    }
}
