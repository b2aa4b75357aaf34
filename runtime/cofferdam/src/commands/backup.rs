//! `cofferdam backup …`: make, look at, restore, verify and delete backups.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context as _;
use clap::Subcommand;
use cofferdam_api::model::{
    AdoptAllRequest, AdoptRequest, AdoptedView, BackupRecordView, BackupView, CreateRequest, OperationView,
    OrphanView, RestoreRequest,
};

use super::Context;
use crate::client::{Client, escaped};
use crate::exit::{Interrupted, ServiceError};
use crate::show;

/// Time between two looks at an operation.
const POLL: Duration = Duration::from_millis(100);

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Back up a volume: a raw file, a block device, or an NBD export (a disk of qemu, a qcow2 by qemu-nbd)
    Create {
        /// The volume: a path, nbd://HOST[:PORT]/EXPORT or nbd+unix:///EXPORT?socket=PATH. With --url http(s)://… a path of the
        /// service's machine, whole
        volume: PathBuf,
        /// Backend to use; the first one that is up when absent
        #[arg(long)]
        backend: Option<String>,
        /// Name for people
        #[arg(long)]
        name: Option<String>,
        /// Description for people
        #[arg(long)]
        description: Option<String>,
        /// Container for the objects, instead of the driver's own choice
        #[arg(long)]
        container: Option<String>,
        /// Only what has changed since the newest sound backup of this volume
        #[arg(long)]
        incremental: bool,
        /// Only what has changed since this backup; how a chain that was adopted is continued
        #[arg(long, value_name = "ID")]
        parent: Option<String>,
        /// Also of a volume that is in use and changes meanwhile: what is restored then is as after a power cut, or worse
        #[arg(long)]
        force: bool,
        #[command(flatten)]
        wait: Wait,
    },
    /// List the backups, newest first
    List,
    /// Show all that is known of one backup
    Show {
        /// Id of the backup
        id: String,
    },
    /// Restore a backup; every byte is checked before it counts as restored
    Restore {
        /// Id of the backup
        id: String,
        /// Where to: a new file, or with --overwrite an existing file, block device or NBD export that is large enough. With --url
        /// http(s)://… a path of the service's machine, whole
        target: PathBuf,
        /// Write over what is there
        #[arg(long)]
        overwrite: bool,
        #[command(flatten)]
        wait: Wait,
    },
    /// Read a backup's objects and check every byte of them
    Verify {
        /// Id of the backup
        id: String,
        #[command(flatten)]
        wait: Wait,
    },
    /// Take in backups that have no record here: made by Cinder, or before the catalog was lost. Without more, all that the
    /// backend holds
    Adopt {
        /// Backend that holds the objects
        #[arg(long)]
        backend: String,
        /// Only what is in this container
        container: Option<String>,
        /// Only the backup whose objects' names begin so
        prefix: Option<String>,
    },
    /// Print a backup's record as text, for `backup import` here or an import into Cinder
    Export {
        /// Id of the backup
        id: String,
    },
    /// Take in a backup by its record as text, as `backup export` or Cinder printed it; a chain member by member, the
    /// full one first
    Import {
        /// Backend that holds the objects
        #[arg(long)]
        backend: String,
        /// The record: the `backup_url`
        #[arg(value_name = "URL")]
        record: String,
    },
    /// List the objects on a backend that belong to no record
    Orphans {
        /// The backend
        #[arg(long)]
        backend: String,
        /// Remove those of backups that were deleted here; what this service does not know is never removed
        #[arg(long)]
        remove: bool,
    },
    /// Delete a backup and its objects
    Delete {
        /// Id of the backup
        id: String,
        #[command(flatten)]
        wait: Wait,
    },
}

#[derive(Debug, clap::Args)]
pub(crate) struct Wait {
    /// Do not wait for the end; only with a running service
    #[arg(long)]
    no_wait: bool,
}

pub(crate) async fn run(context: &Context, command: Command) -> anyhow::Result<()> {
    let client = context.connect().await?;
    let result = tokio::select! {
        result = one(context, &client, command) => result,
        _ = tokio::signal::ctrl_c() => Err(Interrupted.into()),
    };
    client.close().await;
    result
}

async fn one(context: &Context, client: &Client, command: Command) -> anyhow::Result<()> {
    match command {
        Command::Create {
            volume,
            backend,
            name,
            description,
            container,
            incremental,
            parent,
            force,
            wait,
        } => {
            let volume = told(client, &volume)?;
            client.settle().await;
            let request = CreateRequest {
                volume,
                backend,
                name,
                description,
                container,
                incremental,
                parent,
                force,
            };
            let operation = client.post("/v1/backups", &request).await?;
            follow(context, client, operation, &wait).await
        }
        Command::List => {
            let backups: Vec<BackupView> = client.get("/v1/backups").await?;
            context.answer(backups.as_slice(), show::backups)
        }
        Command::Show { id } => {
            let backup: BackupView = client.get(&format!("/v1/backups/{id}")).await?;
            context.answer(&backup, show::backup)
        }
        Command::Restore {
            id,
            target,
            overwrite,
            wait,
        } => {
            let request = RestoreRequest {
                target: told(client, &target)?,
                overwrite,
            };
            client.settle().await;
            let operation = client
                .post(&format!("/v1/backups/{id}/restore"), &request)
                .await?;
            follow(context, client, operation, &wait).await
        }
        Command::Verify { id, wait } => {
            client.settle().await;
            let operation = client.post(&format!("/v1/backups/{id}/verify"), &()).await?;
            follow(context, client, operation, &wait).await
        }
        Command::Adopt {
            backend,
            container,
            prefix,
        } => {
            client.settle().await;
            let (Some(container), Some(prefix)) = (container.clone(), prefix) else {
                return adopt_all(context, client, AdoptAllRequest { backend, container }).await;
            };
            let request = AdoptRequest {
                backend,
                container,
                prefix,
            };
            let adopted: BackupView = client.post("/v1/adopt", &request).await?;
            context.answer(&adopted, show::backup)
        }
        Command::Export { id } => {
            let record: BackupRecordView = client.get(&format!("/v1/backups/{id}/export_record")).await?;
            context.answer(&record, |record| show::line(&record.backup_url))
        }
        Command::Import { backend, record } => {
            client.settle().await;
            let request = BackupRecordView {
                backup_service: String::new(),
                backup_url: record,
                backend: Some(backend),
            };
            let imported: BackupView = client.post("/v1/import_record", &request).await?;
            context.answer(&imported, show::backup)
        }
        Command::Orphans { backend, remove } => {
            client.settle().await;
            let path = format!("/v1/orphans?backend={}", escaped(&backend));
            let orphans: Vec<OrphanView> = match remove {
                true => client.delete(&path).await?,
                false => client.get(&path).await?,
            };
            context.answer(orphans.as_slice(), show::orphans)
        }
        Command::Delete { id, wait } => {
            client.settle().await;
            let operation = client.delete(&format!("/v1/backups/{id}")).await?;
            follow(context, client, operation, &wait).await
        }
    }
}

/// Takes in all that is there; that something could not be is a failure of the command.
async fn adopt_all(context: &Context, client: &Client, request: AdoptAllRequest) -> anyhow::Result<()> {
    let done: AdoptedView = client.post("/v1/adopt_all", &request).await?;
    context.answer(&done, show::adopted)?;
    match done.refused.into_iter().next() {
        Some(first) => Err(ServiceError(first.error).into()),
        None => Ok(()),
    }
}

/// A path as the service is told it: it may stand in another folder; on another machine it is that machine's path, and none
/// of this one's business. A URL means the same everywhere.
fn told(client: &Client, path: &std::path::Path) -> anyhow::Result<String> {
    let is_url = |text: &&str| text.starts_with("nbd") && text.contains("://");
    if let Some(text) = path.to_str().filter(|text| client.is_remote() || is_url(text)) {
        return Ok(text.to_owned());
    }
    let path = std::path::absolute(path).with_context(|| format!("{} is no path", path.display()))?;
    path.into_os_string()
        .into_string()
        .map_err(|path| anyhow::anyhow!("{} is not UTF-8", path.display()))
}

/// Waits for an operation, showing how it goes.
async fn follow(
    context: &Context,
    client: &Client,
    operation: OperationView,
    wait: &Wait,
) -> anyhow::Result<()> {
    let mut operation = operation;
    if !wait.no_wait || client.is_embedded() {
        let mut progress = show::Progress::new(&operation.kind, context.json);
        while operation.state == "running" {
            progress.update(&operation);
            tokio::time::sleep(POLL).await;
            operation = client.operation(&operation.id).await?;
        }
        progress.finish();
    }
    if let Some(error) = operation.error.clone() {
        return Err(ServiceError(error).into());
    }
    if context.json {
        return show::json(&operation);
    }
    show::line(&match &operation.summary {
        Some(summary) => format!("{} {}: {summary}", operation.kind, operation.backup_id),
        None => format!(
            "{} {} goes on in the service (operation {})",
            operation.kind, operation.backup_id, operation.id
        ),
    });
    Ok(())
}
