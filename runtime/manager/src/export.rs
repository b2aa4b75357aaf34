//! A backup's record as text, to take it to another service or back from one (Cinder's `backup_url`).
//!
//! Source: cinder/objects/backup.py (`encode_record`, `decode_record`), cinder/backup/manager.py (`import_record`):
//! standard base64 of a JSON object with every field of the record. What is imported is hostile: only the
//! fields that are named here are taken, and the record is made of the objects themselves, as when a backup is
//! adopted; the text must agree with them. Bound: [`MAX_URL`] bytes.

pub(crate) mod fuzz;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use cofferdam_catalog::{BackupId, BackupRecord, BackupStatus, Repository as _};
use jiff::Timestamp;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use crate::caller::Caller;
use crate::error::ManagerError;
use crate::manager::Manager;

/// Bytes of the longest text that is taken.
const MAX_URL: usize = 1 << 20;

/// Cinder's class of a driver, by our name of it.
const CLASSES: [(&str, &str); 6] = [
    ("posix", "cinder.backup.drivers.posix.PosixBackupDriver"),
    ("nfs", "cinder.backup.drivers.nfs.NFSBackupDriver"),
    (
        "glusterfs",
        "cinder.backup.drivers.glusterfs.GlusterfsBackupDriver",
    ),
    ("swift", "cinder.backup.drivers.swift.SwiftBackupDriver"),
    ("s3", "cinder.backup.drivers.s3.S3BackupDriver"),
    ("gcs", "cinder.backup.drivers.gcs.GoogleBackupDriver"),
];

/// Fields that Cinder's import insists on; most may be null.
const REQUIRED: [&str; 7] = [
    "id",
    "size",
    "display_name",
    "display_description",
    "container",
    "service_metadata",
    "object_count",
];

/// A record on its way out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exported {
    /// The driver, by Cinder's class of it.
    pub service: String,
    /// The record as text.
    pub url: String,
}

/// What is taken of a record on its way in.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Imported {
    id: BackupId,
    container: String,
    prefix: String,
    name: Option<String>,
    description: Option<String>,
    created_at: Option<Timestamp>,
    data_timestamp: Option<Timestamp>,
}

impl Manager {
    /// An available backup's record as text.
    ///
    /// # Errors
    /// When there is no such backup, or it is not `available`.
    pub async fn export(&self, caller: &Caller, id: BackupId) -> Result<Exported, ManagerError> {
        let record = self.backup_of(caller, id).await?;
        if record.status != BackupStatus::Available {
            return Err(ManagerError::WrongStatus {
                what: "backup",
                id: id.to_string(),
                status: record.status.to_string(),
                wanted: "it must be available".into(),
            });
        }
        Ok(encode(&record))
    }

    /// Takes in a backup by its record as text: read from its objects, which must be there and agree with it. A chain is
    /// imported member by member, the full one first. Without a backend those that are up are asked, first those of the driver
    /// that the record names.
    ///
    /// # Errors
    /// When the text is no record, no backend is up, and whatever hinders [`Manager::adopt`].
    pub async fn import(
        &self,
        caller: &Caller,
        service: &str,
        backend: Option<&str>,
        url: &str,
    ) -> Result<BackupRecord, ManagerError> {
        let imported = decode(url)?;
        if self.catalog.backup(imported.id).await.is_ok() {
            return Err(ManagerError::Invalid {
                message: format!("Backup already exists in database: {}", imported.id),
                remedy: "use the one that is there".into(),
            });
        }
        let mut refusal = None;
        for name in self.holders(service, backend)? {
            match self.import_from(caller, &name, imported.clone()).await {
                Ok(record) => return Ok(record),
                Err(error) => {
                    tracing::debug!(backend = name, %error, "the record is of no backup there");
                    refusal = refusal.or(Some(error));
                }
            }
        }
        Err(refusal.unwrap_or_else(|| refused("no backend is configured")))
    }

    /// The backends that may hold what a record describes.
    fn holders(&self, service: &str, backend: Option<&str>) -> Result<Vec<String>, ManagerError> {
        if let Some(name) = backend {
            return Ok(vec![name.to_owned()]);
        }
        let (mut up, mut hindered) = (Vec::new(), Vec::new());
        for name in &self.backends().order {
            match self.choose(Some(name)) {
                Ok((_, generation)) => up.push((name.clone(), generation.known.info.name.clone())),
                Err(ManagerError::BackendDown { reason, .. }) => {
                    hindered.push((name.clone(), format!("is down ({reason})")));
                }
                Err(error) => return Err(error),
            }
        }
        if up.is_empty() {
            return Err(ManagerError::NoBackend { reasons: hindered });
        }
        let named = |driver: &str| {
            driver == service
                || CLASSES
                    .iter()
                    .any(|(known, class)| *known == driver && *class == service)
        };
        up.sort_by_key(|(_, driver)| !named(driver));
        Ok(up.into_iter().map(|(name, _)| name).collect())
    }

    async fn import_from(
        &self,
        caller: &Caller,
        backend: &str,
        imported: Imported,
    ) -> Result<BackupRecord, ManagerError> {
        self.adopt_with(caller, backend, imported.container, imported.prefix, |record| {
            if record.id != imported.id {
                return Err(refused(&format!(
                    "it is of backup {}, but the objects that it names are of backup {}",
                    imported.id, record.id
                )));
            }
            record.name = imported.name;
            record.description = imported.description;
            record.created_at = imported.created_at.unwrap_or(record.created_at);
            record.data_timestamp = imported.data_timestamp.unwrap_or(record.data_timestamp);
            Ok(())
        })
        .await
    }
}

fn refused(reason: &str) -> ManagerError {
    ManagerError::Invalid {
        message: format!("the backup_url cannot be imported: {reason}"),
        remedy: "give the backup_url that `backup export` or Cinder printed, whole".into(),
    }
}

fn encode(record: &BackupRecord) -> Exported {
    let driver = record.driver.as_deref().unwrap_or_default();
    let name = driver.split(' ').next().unwrap_or_default();
    let class = CLASSES.iter().find(|(known, _)| *known == name);
    let service = class.map_or(name, |(_, class)| class).to_owned();
    let time = |time: Timestamp| time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
    let fields = json!({
        "id": record.id.to_string(),
        "user_id": record.user_id,
        "project_id": record.project_id,
        "volume_id": record.volume_id.to_string(),
        "host": record.host,
        "availability_zone": record.availability_zone,
        "container": record.container,
        "parent_id": record.parent_id.map(|id| id.to_string()),
        "status": record.status.as_str(),
        "fail_reason": Value::Null,
        "size": record.size_gib,
        "display_name": record.name,
        "display_description": record.description,
        "service_metadata": record.prefix,
        "service": service,
        "object_count": record.object_count,
        "temp_volume_id": Value::Null,
        "temp_snapshot_id": Value::Null,
        "num_dependent_backups": 0,
        "snapshot_id": Value::Null,
        "data_timestamp": time(record.data_timestamp),
        "restore_volume_id": Value::Null,
        "metadata": record.metadata,
        "encryption_key_id": Value::Null,
        "created_at": time(record.created_at),
        "updated_at": time(record.updated_at),
        "deleted_at": Value::Null,
        "deleted": false,
        "driver_info": {},
    });
    Exported {
        service,
        url: STANDARD.encode(fields.to_string()),
    }
}

fn decode(url: &str) -> Result<Imported, ManagerError> {
    if url.len() > MAX_URL {
        return Err(refused(&format!(
            "it has {} bytes; at most {MAX_URL} are read",
            url.len()
        )));
    }
    let bytes = STANDARD
        .decode(url.trim())
        .map_err(|error| refused(&format!("it is no base64: {error}")))?;
    let fields: Map<String, Value> = serde_json::from_slice(&bytes)
        .map_err(|error| refused(&format!("it holds no JSON object: {error}")))?;
    if let Some(missing) = REQUIRED.iter().find(|name| !fields.contains_key(**name)) {
        return Err(refused(&format!("the field {missing:?} is missing")));
    }
    let text = |name: &str| match fields.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) if text.chars().count() <= 255 && !text.chars().any(char::is_control) => {
            Ok(Some(text.clone()))
        }
        Some(_) => Err(refused(&format!(
            "the field {name:?} must be a text of at most 255 characters, or null"
        ))),
    };
    let needed = |name: &str| text(name)?.ok_or_else(|| refused(&format!("the field {name:?} is null")));
    let time = |name: &str| -> Result<Option<Timestamp>, ManagerError> {
        let Some(text) = text(name)? else { return Ok(None) };
        let parsed = text.parse().or_else(|_| format!("{text}Z").parse());
        parsed
            .map(Some)
            .map_err(|_| refused(&format!("the field {name:?} is no time")))
    };
    let id: Uuid = needed("id")?
        .parse()
        .map_err(|_| refused("the field \"id\" is no UUID"))?;
    Ok(Imported {
        id: BackupId(id),
        container: needed("container")?,
        prefix: needed("service_metadata")?,
        name: text("display_name")?,
        description: text("display_description")?,
        created_at: time("created_at")?,
        data_timestamp: time("data_timestamp")?,
    })
}

#[cfg(test)]
mod tests {
    use cofferdam_catalog::VolumeId;

    use super::*;

    fn record() -> BackupRecord {
        let at = "2024-01-02T03:04:05Z".parse().unwrap();
        let mut record = BackupRecord::new(BackupId(Uuid::from_u128(7)), VolumeId(Uuid::from_u128(8)), at);
        record.container = Some("c".into());
        record.prefix = Some("p".into());
        record.name = Some("nightly é".into());
        record.driver = Some("posix 0.1.0".into());
        record
    }

    #[test]
    fn what_goes_out_comes_in_again_and_names_the_driver_as_cinder_does() {
        let exported = encode(&record());
        assert_eq!(exported.service, "cinder.backup.drivers.posix.PosixBackupDriver");
        let imported = decode(&format!(" {}\n", exported.url)).unwrap();
        assert_eq!(imported.id, record().id);
        assert_eq!((&imported.container[..], &imported.prefix[..]), ("c", "p"));
        assert_eq!(imported.name, record().name);
        assert_eq!(imported.created_at, Some(record().created_at));
    }

    #[test]
    fn what_is_no_record_is_refused_with_what_is_wrong() {
        let with = |change: &dyn Fn(&mut Map<String, Value>)| {
            let bytes = STANDARD.decode(encode(&record()).url).unwrap();
            let mut fields: Map<String, Value> = serde_json::from_slice(&bytes).unwrap();
            change(&mut fields);
            STANDARD.encode(Value::Object(fields).to_string())
        };
        let set = |name: &'static str, value: Value| {
            with(&move |fields| drop(fields.insert(name.into(), value.clone())))
        };
        for (url, words) in [
            ("%%%".to_owned(), "no base64"),
            (STANDARD.encode("[]"), "no JSON object"),
            (with(&|fields| drop(fields.remove("size"))), "\"size\" is missing"),
            (set("id", json!("x")), "no UUID"),
            (set("container", Value::Null), "\"container\" is null"),
            (set("service_metadata", json!(3)), "must be a text"),
            (set("display_name", json!("a\nb")), "must be a text"),
            (set("created_at", json!("yesterday")), "no time"),
            ("A".repeat(MAX_URL + 1), "at most"),
        ] {
            let error = decode(&url).unwrap_err().to_string();
            assert!(error.contains(words), "{words}: {error}");
        }
        assert!(decode(&set("data_timestamp", json!("2024-01-02T03:04:05"))).is_ok());
    }

    #[test]
    fn no_damage_to_a_record_panics() {
        let sound = encode(&record()).url.into_bytes();
        let mut chance = fastrand::Rng::with_seed(1);
        for _ in 0..20_000 {
            let mut bytes = sound.clone();
            for _ in 0..chance.usize(1..4) {
                let at = chance.usize(..bytes.len());
                bytes[at] = b"ABCabc09+/=\n"[chance.usize(..12)];
            }
            let _ = decode(&String::from_utf8(bytes).unwrap());
        }
    }
}
