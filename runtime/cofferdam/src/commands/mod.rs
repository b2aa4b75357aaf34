//! One file per command.

pub(crate) mod backup;
pub(crate) mod catalog;
pub(crate) mod completions;
pub(crate) mod config;
pub(crate) mod driver;
pub(crate) mod man;
pub(crate) mod run;
pub(crate) mod service;
pub(crate) mod watch;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use crate::client::{Client, Credentials, Target};
use crate::config::Config;
use crate::show;

/// What every command is given.
pub(crate) struct Context {
    pub(crate) config: PathBuf,
    pub(crate) json: bool,
    /// A service that is named on the command line; no configuration is read then.
    pub(crate) url: Option<Target>,
    pub(crate) credentials: Credentials,
}

impl Context {
    pub(crate) fn read(&self) -> anyhow::Result<Config> {
        Config::read(&self.config)
    }

    /// Prints a value: as JSON when that is asked for, else by `text`.
    pub(crate) fn answer<T: serde::Serialize + ?Sized>(
        &self,
        value: &T,
        text: impl FnOnce(&T),
    ) -> anyhow::Result<()> {
        if self.json {
            return show::json(value);
        }
        text(value);
        Ok(())
    }

    /// Finds the service: the one that is named, or the one of the configuration, if need be in this process.
    pub(crate) async fn connect(&self) -> anyhow::Result<Client> {
        match &self.url {
            Some(url) => Client::at(url, &self.credentials),
            None => Client::connect(&self.read()?).await,
        }
    }

    /// Finds a service that runs.
    ///
    /// # Errors
    /// When none does.
    pub(crate) async fn service(&self) -> anyhow::Result<Client> {
        match &self.url {
            Some(url) => Client::at(url, &self.credentials),
            None => Client::daemon(&self.read()?).await,
        }
    }

    /// The same where without one there is another way; then with the configuration.
    pub(crate) async fn service_or_offline(&self) -> anyhow::Result<Result<Client, Config>> {
        if let Some(url) = &self.url {
            return Client::at(url, &self.credentials).map(Ok);
        }
        let config = self.read()?;
        let client = Client::daemon(&config).await;
        Ok(client.map_err(|_| config))
    }
}

/// The compiling child.
#[allow(clippy::print_stderr, reason = "the parent reads it")]
pub(crate) fn compile(memory: u64, output: &Path) -> ExitCode {
    match cofferdam_manager::compile_child(memory, output) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}
