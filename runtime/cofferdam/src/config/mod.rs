//! The configuration: one TOML file, read against the table in [`options`], with file, line and column in every error.

mod grants;
pub(crate) mod listen;
pub(crate) mod options;
pub(crate) mod page;
mod parse;
mod secret;
mod value;
mod volumes;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use cofferdam_api::Public;
use cofferdam_api::auth::Noauth;
use cofferdam_distribution::{COMPONENT_FILE, MANIFEST_FILE, Sha256Digest, Store, TrustedKeys};
use cofferdam_manager::{
    BackendOptions, DirectoryGrant, Grants, Limits, Patience, QuotaDefaults, Registered, ServiceOptions,
    Supervision, Webhook, Written,
};

pub(crate) use parse::ConfigError;
pub(crate) use value::{Origin, Value};

/// Where the configuration is looked for when the command line does not say.
pub(crate) const DEFAULT_FILE: &str = "/etc/cofferdam/cofferdam.toml";

/// One backend's section, checked against the table; its driver's settings are not checked yet.
#[derive(Debug, Clone)]
pub(crate) struct BackendSection {
    pub(crate) name: String,
    pub(crate) values: BTreeMap<&'static str, Value>,
    /// What is not in the table: the driver's own settings, with line and column.
    pub(crate) settings: BTreeMap<String, (Written, Origin)>,
    pub(crate) grants: Grants,
    pub(crate) origin: Origin,
}

/// A configuration file that was read and found sound.
#[derive(Debug, Clone)]
pub(crate) struct Config {
    pub(crate) file: PathBuf,
    /// The options at the top that the file sets.
    pub(crate) values: BTreeMap<&'static str, Value>,
    pub(crate) backends: Vec<BackendSection>,
    /// Volumes that exist already.
    pub(crate) volumes: Vec<Registered>,
}

impl Config {
    /// Reads a configuration file.
    ///
    /// # Errors
    /// When the file cannot be read, is not TOML, or breaks a rule of the table; with line and column.
    pub(crate) fn read(file: &Path) -> anyhow::Result<Self> {
        let config = Self::read_without_backends(file)?;
        if config.backends.is_empty() {
            let message = "no backend is configured; add a section [backends.NAME] with backup_driver";
            let begin = Origin { line: 1, column: 1 };
            return Err(parse::error(file, begin, message.into()).into());
        }
        Ok(config)
    }

    /// The same where there need not be a backend yet: drivers are installed before.
    ///
    /// # Errors
    /// As [`Config::read`].
    pub(crate) fn read_without_backends(file: &Path) -> anyhow::Result<Self> {
        let text = std::fs::read_to_string(file).with_context(|| {
            format!(
                "the configuration {} cannot be read; name another with --config",
                file.display()
            )
        })?;
        Ok(parse::parse(file, &text)?)
    }

    /// The value of an option at the top: the file's, or the default.
    pub(crate) fn service_value(&self, name: &str) -> Option<Value> {
        self.values.get(name).cloned().or_else(|| value::default(name))
    }

    /// The value of an option for one backend: its section's, the top's, or the default.
    pub(crate) fn backend_value(&self, backend: &BackendSection, name: &str) -> Option<Value> {
        backend
            .values
            .get(name)
            .cloned()
            .or_else(|| self.service_value(name))
    }

    fn path(&self, name: &str) -> PathBuf {
        self.service_value(name)
            .and_then(Value::into_path)
            .unwrap_or_default()
    }

    /// Folder of the catalog, the cache and the socket.
    pub(crate) fn state_path(&self) -> PathBuf {
        self.path("state_path")
    }

    /// The API's socket.
    pub(crate) fn api_socket(&self) -> PathBuf {
        match self.service_value("api_socket").and_then(Value::into_path) {
            Some(path) => path,
            None => self.state_path().join("api.sock"),
        }
    }

    /// What the manager needs to know of the service.
    pub(crate) fn service_options(&self) -> ServiceOptions {
        let host = self
            .service_value("host")
            .and_then(Value::into_text)
            .unwrap_or_else(|| rustix::system::uname().nodename().to_string_lossy().into_owned());
        ServiceOptions {
            state_path: self.state_path(),
            host,
            availability_zone: self
                .service_value("storage_availability_zone")
                .and_then(Value::into_text)
                .unwrap_or_default(),
            inithost_offload: self
                .service_value("backup_service_inithost_offload")
                .and_then(Value::into_boolean)
                .unwrap_or(true),
            resume_backups: false,
            transfer_memory: self
                .service_value("transfer_memory")
                .and_then(Value::into_integer)
                .and_then(|bytes| u64::try_from(bytes).ok())
                .unwrap_or_default(),
            transfer_parallelism: self
                .service_value("transfer_parallelism")
                .and_then(Value::into_integer)
                .and_then(|number| usize::try_from(number).ok())
                .filter(|number| *number > 0),
            event_history: self
                .service_value("event_history")
                .and_then(Value::into_integer)
                .and_then(|number| u32::try_from(number).ok())
                .unwrap_or(1),
            verify_within: self
                .service_value("backup_verify_within")
                .and_then(Value::into_duration)
                .filter(|within| !within.is_zero()),
            webhook: self.webhook(),
            max_operations: usize::try_from(self.integer("backup_max_operations")).unwrap_or_default(),
            volume_folders: self
                .service_value("volume_folders")
                .and_then(Value::into_paths)
                .unwrap_or_default(),
            registered_volumes: self.volumes.clone(),
            quotas: QuotaDefaults {
                backups: self.integer("quota_backups"),
                backup_gigabytes: self.integer("quota_backup_gigabytes"),
                volumes: self.integer("quota_volumes"),
                gigabytes: self.integer("quota_gigabytes"),
                snapshots: self.integer("quota_snapshots"),
            },
        }
    }

    fn integer(&self, name: &str) -> i64 {
        let value = self.service_value(name).and_then(Value::into_integer);
        value.unwrap_or_default()
    }

    fn texts(&self, name: &str) -> Vec<String> {
        let value = self.service_value(name).and_then(Value::into_texts);
        value.unwrap_or_default()
    }

    /// How the API reaches the network: who is let in, and what links begin with.
    pub(crate) fn public(&self, scheme: &'static str) -> Public {
        Public {
            auth: Arc::new(Noauth {
                admins: self.texts("noauth_admins"),
                readers: self.texts("noauth_readers"),
            }),
            scheme,
            endpoint: self.service_value("public_endpoint").and_then(Value::into_text),
        }
    }

    fn webhook(&self) -> Option<Webhook> {
        Some(Webhook {
            url: self.service_value("event_webhook").and_then(Value::into_text)?,
            timeout: self
                .service_value("event_webhook_timeout")
                .and_then(Value::into_duration)
                .unwrap_or(Duration::from_secs(5)),
            token_file: self
                .service_value("event_webhook_token_file")
                .and_then(Value::into_path),
        })
    }

    /// What the manager needs to know of each backend.
    ///
    /// # Errors
    /// When a backend's driver is not found.
    pub(crate) fn backend_options(&self) -> Result<Vec<BackendOptions>, ConfigError> {
        self.backends
            .iter()
            .map(|backend| self.one_backend(backend))
            .collect()
    }

    fn one_backend(&self, backend: &BackendSection) -> Result<BackendOptions, ConfigError> {
        let span = |name: &str| {
            self.backend_value(backend, name)
                .and_then(Value::into_duration)
                .unwrap_or(Duration::ZERO)
        };
        let number = |name: &str| {
            self.backend_value(backend, name)
                .and_then(Value::into_integer)
                .unwrap_or_default()
        };
        let text = |name: &str| {
            self.backend_value(backend, name)
                .and_then(Value::into_text)
                .unwrap_or_default()
        };
        let unsigned = |name: &str| u64::try_from(number(name)).unwrap_or_default();
        Ok(BackendOptions {
            name: backend.name.clone(),
            availability_zone: text("storage_availability_zone"),
            driver_file: self.driver_file(backend)?,
            pin: self.pin(backend)?,
            settings: backend
                .settings
                .iter()
                .map(|(name, (value, _))| (name.clone(), value.clone()))
                .collect(),
            grants: backend.grants.clone(),
            algorithm: text("backup_compression_algorithm"),
            limits: Limits {
                memory: unsigned("driver_memory_limit"),
                component_size: unsigned("driver_component_size"),
                compile_timeout: span("driver_compile_timeout"),
                call_timeout: span("driver_call_timeout"),
                stall_timeout: span("driver_stall_timeout"),
                stall_bytes: unsigned("driver_stall_bytes"),
                http_connect_timeout: span("driver_http_connect_timeout"),
                http_first_byte_timeout: span("driver_http_first_byte_timeout"),
                http_between_bytes_timeout: span("driver_http_idle_timeout"),
                http_requests: usize::try_from(number("driver_http_requests")).unwrap_or(1),
                ..Limits::default()
            },
            patience: Patience {
                attempts: u32::try_from(number("driver_retry_attempts")).unwrap_or(1),
                time: span("driver_retry_time"),
                first_wait: span("driver_retry_wait"),
            },
            calls: usize::try_from(number("driver_calls")).unwrap_or(1),
            supervision: Supervision {
                initialization_timeout: span("backup_initialization_timeout"),
                initialization_fuel: unsigned("backup_initialization_fuel"),
                periodic_initialization: self
                    .backend_value(backend, "backup_periodic_initialization")
                    .and_then(Value::into_boolean)
                    .unwrap_or(true),
                periodic_interval: span("periodic_interval"),
                periodic_fuzzy_delay: span("periodic_fuzzy_delay"),
                report_interval: span("report_interval"),
                service_down_time: span("service_down_time"),
                failure_threshold: u32::try_from(number("failure_threshold")).unwrap_or(1),
                probe_timeout: span("backup_probe_timeout"),
            },
        })
    }

    /// The component of a backend: a path, or a name that is looked for in `driver_path`.
    ///
    /// # Errors
    /// When no folder of `driver_path` has it.
    pub(crate) fn driver_file(&self, backend: &BackendSection) -> Result<PathBuf, ConfigError> {
        let value = backend.values.get("backup_driver");
        let driver = value.cloned().and_then(Value::into_text).unwrap_or_default();
        if driver.contains('/') || driver.ends_with(".wasm") {
            let folder = self.file.parent().unwrap_or(Path::new("."));
            return Ok(folder.join(driver));
        }
        let name = driver_name(&driver);
        let folders = self.driver_path();
        let found = folders
            .iter()
            .flat_map(|folder| {
                [
                    folder.join(name).join(COMPONENT_FILE),
                    folder.join(format!("{name}.wasm")),
                ]
            })
            .find(|file| file.is_file());
        found.ok_or_else(|| {
            let known = known_drivers(&folders);
            parse::error(
                &self.file,
                value.map_or(backend.origin, |value| value.origin),
                format!(
                    "backend {}: no driver {driver:?} in driver_path ({}); drivers there: {}",
                    backend.name,
                    folders
                        .iter()
                        .map(|folder| folder.display().to_string())
                        .collect::<Vec<_>>()
                        .join(", "),
                    if known.is_empty() {
                        "none".into()
                    } else {
                        known.join(", ")
                    },
                ),
            )
        })
    }

    /// Folders in which drivers are looked for.
    pub(crate) fn driver_path(&self) -> Vec<PathBuf> {
        let folders = self.service_value("driver_path").and_then(Value::into_paths);
        folders.unwrap_or_default()
    }

    /// Bytes that a component may have.
    pub(crate) fn component_size(&self) -> u64 {
        u64::try_from(self.integer("driver_component_size")).unwrap_or_default()
    }

    /// Keys of which one must have signed a driver.
    pub(crate) fn driver_keys(&self) -> Vec<String> {
        self.texts("driver_keys")
    }

    /// The backends that use a component.
    pub(crate) fn users_of(&self, component: &Path) -> Vec<String> {
        let same =
            |file: &Path| file == component || file.canonicalize().ok() == component.canonicalize().ok();
        let mut users = Vec::new();
        for backend in &self.backends {
            // A driver that is not found is not this one.
            if self.driver_file(backend).is_ok_and(|file| same(&file)) {
                users.push(backend.name.clone());
            }
        }
        users
    }

    /// What the backend's component is held to: the digest that is written, and of keys the digest of what they have signed.
    fn pin(&self, backend: &BackendSection) -> Result<Option<Result<String, String>>, ConfigError> {
        let written = backend.values.get("driver_sha256");
        let text = written.cloned().and_then(Value::into_text);
        let pinned = text.map(|text| text.parse::<Sha256Digest>()).transpose();
        let pinned = pinned.map_err(|error| {
            let origin = written.map_or(backend.origin, |value| value.origin);
            parse::error(
                &self.file,
                origin,
                format!("backend {}: driver_sha256: {error}", backend.name),
            )
        })?;
        let keys = self.driver_keys();
        if keys.is_empty() {
            return Ok(pinned.map(|digest| Ok(digest.to_string())));
        }
        let keys = TrustedKeys::read(&keys).map_err(|error| {
            let origin = self
                .values
                .get("driver_keys")
                .map_or(Origin::default(), |value| value.origin);
            parse::error(&self.file, origin, format!("driver_keys: {error}"))
        })?;
        let signed = self
            .driver_file(backend)
            .map(|file| signed(&file, &keys, pinned))?;
        Ok(Some(signed))
    }

    /// An error at a driver's setting, or at the backend's section when the setting is not in the file.
    pub(crate) fn error_at(&self, backend: &str, setting: &str, message: String) -> ConfigError {
        let section = self.backends.iter().find(|section| section.name == backend);
        let origin = section.map_or(Origin::default(), |section| {
            section
                .settings
                .get(setting)
                .map_or(section.origin, |(_, origin)| *origin)
        });
        parse::error(&self.file, origin, message)
    }
}

/// The digest of a component that one of the keys has signed, or why none has.
fn signed(file: &Path, keys: &TrustedKeys, pin: Option<Sha256Digest>) -> Result<String, String> {
    let (Some(folder), Some(name)) = (file.parent(), file.file_stem().and_then(|name| name.to_str())) else {
        return Err(format!("{} is in no folder", file.display()));
    };
    // A package's component is `driver.wasm` in a folder of the driver's name.
    let in_package =
        file.file_name().is_some_and(|name| name == COMPONENT_FILE) && folder.join(MANIFEST_FILE).is_file();
    let (store, name) = match (
        in_package,
        folder.parent(),
        folder.file_name().and_then(|name| name.to_str()),
    ) {
        (true, Some(store), Some(name)) => (store, name),
        _ => (folder, name),
    };
    let verified = Store::open(store).and_then(|store| store.verify(name, keys, pin));
    verified
        .map(|(digest, _)| digest.to_string())
        .map_err(|error| error.to_string())
}

/// Cinder's class path of a driver as our name: `cinder.backup.drivers.posix.PosixBackupDriver` is `posix`.
fn driver_name(driver: &str) -> &str {
    driver
        .strip_prefix("cinder.backup.drivers.")
        .and_then(|rest| rest.split('.').next())
        .unwrap_or(driver)
}

fn known_drivers(folders: &[PathBuf]) -> Vec<String> {
    let mut names: Vec<String> = folders
        .iter()
        .filter_map(|folder| std::fs::read_dir(folder).ok())
        .flatten()
        .filter_map(|entry| {
            let entry = entry.ok()?;
            let name = entry.file_name().to_str()?.to_owned();
            match entry.path().join(COMPONENT_FILE).is_file() {
                true => Some(name),
                false => name.strip_suffix(".wasm").map(str::to_owned),
            }
        })
        .collect();
    names.sort();
    names.dedup();
    names
}

/// A directory's grant as people read it.
pub(crate) fn show_grant(grant: &DirectoryGrant) -> String {
    format!(
        "{} ({})",
        grant.path.display(),
        if grant.write { "read-write" } else { "read-only" }
    )
}
