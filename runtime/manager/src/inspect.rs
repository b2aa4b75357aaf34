//! What a component asks for and what a backend would grant it, without running it for work: examined, compiled,
//! described in an instance that has nothing.

use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use cofferdam_sandbox::compile::CompileHelper;
use cofferdam_sandbox::component::ComponentReport;
use cofferdam_sandbox::contract::{BodyNeeds, DriverError, DriverInfo, OptionInfo, OptionKind, SettingValue};
use cofferdam_sandbox::requirements::{self, DirectoryGrant};
use cofferdam_sandbox::{Budget, Failure, Limits, Sandbox};
use serde::Serialize;
use tempfile::TempDir;

use crate::error::ManagerError;
use crate::options::BackendOptions;

/// What one backend's section grants the driver, or why it is refused.
#[derive(Debug, Clone, Serialize)]
pub struct BackendGrant {
    /// The backend.
    pub backend: String,
    /// The directories that an instance gets.
    pub directories: Vec<DirectoryGrant>,
    /// Why it is refused.
    pub error: Option<Refusal>,
}

/// Why settings and grants do not fit the driver.
#[derive(Debug, Clone, Serialize)]
pub struct Refusal {
    /// Stable code.
    pub code: &'static str,
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub remedy: String,
    /// The setting at fault, when it is one.
    pub option: Option<String>,
}

/// What was found.
#[derive(Debug, Clone, Serialize)]
pub struct Inspection {
    /// From the file.
    pub report: ComponentReport,
    /// From `describe`.
    pub info: DriverInfo,
    /// What it must know of a body, in words.
    pub needs: Vec<&'static str>,
    /// Milliseconds for examining and compiling.
    pub load_ms: u64,
    /// For each backend that was asked about.
    pub backends: Vec<BackendGrant>,
}

impl Inspection {
    /// An option's kind in words.
    pub fn kind(&self, option: &OptionInfo) -> &'static str {
        match option.kind {
            OptionKind::Text => "text",
            OptionKind::Integer => "integer",
            OptionKind::Size => "size",
            OptionKind::Duration => "duration",
            OptionKind::Boolean => "boolean",
            OptionKind::Directory => "directory, read-write",
            OptionKind::ReadOnlyDirectory => "directory, read-only",
        }
    }
}

/// Inspects components in a sandbox of its own.
#[derive(Debug)]
pub struct Inspector {
    sandbox: Sandbox,
    /// Compiled code goes here, so that an inspection leaves nothing behind.
    _scratch: TempDir,
}

impl Inspector {
    /// Starts the sandbox.
    ///
    /// # Errors
    /// When there is no folder for temporary files, or the sandbox fails its self-test.
    pub async fn start(helper: CompileHelper) -> Result<Self, ManagerError> {
        let scratch = tempfile::tempdir().map_err(|error| ManagerError::Service {
            message: format!("no folder for temporary files: {error}"),
            remedy: "set TMPDIR to a folder that can be written".into(),
        })?;
        Ok(Inspector {
            sandbox: Sandbox::start(helper, scratch.path().join("compiled")).await?,
            _scratch: scratch,
        })
    }

    /// Inspects a component, and what each of the backends would give it.
    ///
    /// # Errors
    /// When the component cannot be loaded or does not describe itself.
    pub async fn inspect(
        &self,
        file: &Path,
        limits: &Arc<Limits>,
        backends: &[BackendOptions],
    ) -> Result<Inspection, ManagerError> {
        inspect(&self.sandbox, file, limits, backends).await
    }
}

async fn inspect(
    sandbox: &Sandbox,
    file: &Path,
    limits: &Arc<Limits>,
    backends: &[BackendOptions],
) -> Result<Inspection, ManagerError> {
    let begin = Instant::now();
    let driver = sandbox.load(file, limits).await?;
    let load_ms = begin.elapsed().as_millis() as u64;
    let budget = Budget::new(limits.call_timeout, limits.call_fuel);
    let info = sandbox.describe(&driver, "inspect", limits, &budget).await?;
    let needs = info.needs;
    let words = [
        (BodyNeeds::SIZE, "size"),
        (BodyNeeds::MD5, "md5"),
        (BodyNeeds::SHA256, "sha256"),
        (BodyNeeds::CRC32C, "crc32c"),
    ];
    let backends = backends.iter().map(|backend| {
        let given = requirements::provide(&info, &backend.settings, &backend.grants);
        let (directories, error) = match given {
            Ok(provision) => (provision.directories, None),
            Err(failure) => (Vec::new(), Some(refusal(&failure))),
        };
        BackendGrant {
            backend: backend.name.clone(),
            directories,
            error,
        }
    });
    Ok(Inspection {
        needs: words
            .into_iter()
            .filter(|(flag, _)| needs.contains(*flag))
            .map(|(_, word)| word)
            .collect(),
        load_ms,
        backends: backends.collect(),
        report: driver.report.clone(),
        info,
    })
}

pub(crate) fn refusal(failure: &Failure) -> Refusal {
    let option = match failure {
        Failure::Driver {
            error: DriverError::InvalidConfiguration(fault),
            ..
        } => Some(fault.option_name.clone()),
        _ => None,
    };
    Refusal {
        code: failure.code(),
        message: failure.to_string(),
        remedy: failure.remedy(),
        option,
    }
}

/// A setting as it could stand in the configuration.
pub fn show_setting(value: &SettingValue) -> String {
    match value {
        SettingValue::Text(text) => format!("{text:?}"),
        SettingValue::Integer(number) => number.to_string(),
        SettingValue::Boolean(truth) => truth.to_string(),
    }
}
