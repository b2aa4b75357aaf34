//! What a component asks for and what a backend would grant it, without running it for work: examined, compiled,
//! described in an instance that has nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use cofferdam_sandbox::compile::CompileHelper;
use cofferdam_sandbox::component::ComponentReport;
use cofferdam_sandbox::contract::{BodyNeeds, DriverError, DriverInfo, OptionInfo, OptionKind, SettingValue};
use cofferdam_sandbox::requirements::{self, DirectoryGrant, Grants, Provision, Written};
use cofferdam_sandbox::{Budget, Failure, Limits, Network, Origin, Sandbox, TcpAddress};
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
    /// The origins that it may send requests to.
    pub http: Vec<Origin>,
    /// Guarded addresses that their names may resolve to.
    pub networks: Vec<Network>,
    /// Where it may open raw TCP connections.
    pub tcp: Vec<TcpAddress>,
    /// The secrets that it may use by name, and where each is kept.
    pub secrets: BTreeMap<String, String>,
    /// Those of them whose values it may read.
    pub reveal: BTreeSet<String>,
    /// Whether the certificates of its TLS are checked.
    pub tls_verify: bool,
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
    /// Units of fuel that an instance takes to be made and to describe itself.
    pub describe_fuel: u64,
    /// Bytes of memory that it holds then.
    pub memory_at_rest: u64,
    /// For each backend that was asked about.
    pub backends: Vec<BackendGrant>,
}

/// An option's kind: the contract's name for it, and what it is in words.
pub fn kind_of(option: &OptionInfo) -> (&'static str, &'static str) {
    match option.kind {
        OptionKind::Text => ("text", "text"),
        OptionKind::Integer => ("integer", "integer"),
        OptionKind::Size => ("size", "size"),
        OptionKind::Duration => ("duration", "duration"),
        OptionKind::Boolean => ("boolean", "boolean"),
        OptionKind::Directory => ("directory", "directory, read-write"),
        OptionKind::ReadOnlyDirectory => ("read-only-directory", "directory, read-only"),
        OptionKind::Secret => ("secret", "secret"),
        OptionKind::Url => ("url", "URL, to be granted"),
        OptionKind::TlsCaFile => ("tls-ca-file", "file of certificates"),
        OptionKind::TlsVerify => ("tls-verify", "boolean: check certificates"),
        OptionKind::TlsInsecure => ("tls-insecure", "boolean: do not check certificates"),
        OptionKind::HttpProxy => ("http-proxy", "URL of the proxy for http"),
        OptionKind::HttpsProxy => ("https-proxy", "URL of the proxy for https"),
    }
}

/// Inspects components in a sandbox of its own.
#[derive(Debug)]
pub struct Inspector {
    sandbox: Sandbox,
    /// Compiled code goes here, so that an inspection leaves nothing behind; none when it goes into a cache.
    _scratch: Option<TempDir>,
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
            _scratch: Some(scratch),
        })
    }

    /// Starts the sandbox on a cache of compiled code, which the service on that folder then finds filled.
    ///
    /// # Errors
    /// When the sandbox fails its self-test.
    pub async fn on_cache(helper: CompileHelper, cache: PathBuf) -> Result<Self, ManagerError> {
        Ok(Inspector {
            sandbox: Sandbox::start(helper, cache).await?,
            _scratch: None,
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
    let (needs, used) = (info.needs, budget.used());
    let words = [
        (BodyNeeds::SIZE, "size"),
        (BodyNeeds::MD5, "md5"),
        (BodyNeeds::SHA256, "sha256"),
        (BodyNeeds::CRC32C, "crc32c"),
    ];
    let backends = backends.iter().map(|backend| {
        let given = requirements::provide(&info, &backend.settings, &backend.grants);
        grant(&backend.name, info.wants_http, &backend.grants, given)
    });
    Ok(Inspection {
        needs: words
            .into_iter()
            .filter(|(flag, _)| needs.contains(*flag))
            .map(|(_, word)| word)
            .collect(),
        load_ms,
        describe_fuel: used.fuel,
        memory_at_rest: used.peak_memory,
        backends: backends.collect(),
        report: driver.report.clone(),
        info,
    })
}

/// What came of a backend's grants: all that both sides agree on, or why nothing.
fn grant(name: &str, wants_http: bool, grants: &Grants, given: Result<Provision, Failure>) -> BackendGrant {
    let (provision, error) = match given {
        Ok(provision) => (provision, None),
        Err(failure) => (Provision::default(), Some(refusal(&failure))),
    };
    let granted = error.is_none();
    let secrets = provision.secrets.iter();
    BackendGrant {
        backend: name.to_owned(),
        directories: provision.directories,
        http: if granted && wants_http {
            grants.http.clone()
        } else {
            Vec::new()
        },
        networks: if granted && wants_http {
            grants.networks.clone()
        } else {
            Vec::new()
        },
        tcp: if granted { grants.tcp.clone() } else { Vec::new() },
        secrets: secrets
            .map(|(name, secret)| (name.clone(), secret.source().to_string()))
            .collect(),
        reveal: provision.reveal,
        tls_verify: provision.tls.verify,
        error,
    }
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

/// A setting as it could stand in the configuration. A secret's value is not shown, and no text at all of a driver that
/// could not be asked which of them are secrets.
pub fn show_setting(value: &Written, kind: Option<OptionKind>) -> String {
    match value {
        Written::Kept(source) => format!("(secret, in {source})"),
        Written::Plain(_) if kind == Some(OptionKind::Secret) => "(secret)".into(),
        Written::Plain(SettingValue::Text(_)) if kind.is_none() => {
            "(a text; the driver cannot be asked whether it is a secret)".into()
        }
        Written::Plain(SettingValue::Text(text)) => format!("{text:?}"),
        Written::Plain(SettingValue::Integer(number)) => number.to_string(),
        Written::Plain(SettingValue::Boolean(truth)) => truth.to_string(),
    }
}
