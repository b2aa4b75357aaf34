//! One file per command.

pub(crate) mod backup;
pub(crate) mod catalog;
pub(crate) mod config;
pub(crate) mod driver;
pub(crate) mod run;
pub(crate) mod service;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use crate::client::Client;
use crate::config::Config;

/// What every command is given.
pub(crate) struct Context {
    pub(crate) config: PathBuf,
    pub(crate) json: bool,
}

impl Context {
    pub(crate) fn read(&self) -> anyhow::Result<Config> {
        Config::read(&self.config)
    }

    /// Reads the configuration and finds the service.
    pub(crate) async fn connect(&self) -> anyhow::Result<Client> {
        Client::connect(&self.read()?).await
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
