//! What a backup keeps of its volume beside the data: Cinder's `volume_meta`, a JSON document within the backup's metadata
//! (cinder: `cinder/backup/driver.py`, `BackupMetadataAPI`, version 2).
//!
//! Written with the columns that this service knows, never with where the volume is (Cinder leaks that). Read back as hostile:
//! only name, description and the user's own metadata are taken, within the bounds of their columns.

use std::collections::BTreeMap;

use cofferdam_catalog::VolumeRecord;
use serde_json::{Map, Value, json};

/// Keys and values that are taken at most.
const MOST: usize = 1000;

/// Longest key or value.
const MAX_TEXT: usize = 255;

/// What is taken of a document.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct VolumeMeta {
    pub(crate) name: Option<String>,
    pub(crate) description: Option<String>,
    /// None: the document has no such section, and what is there stays.
    pub(crate) metadata: Option<BTreeMap<String, String>>,
}

/// A time as Cinder writes it: UTC to the microsecond, without a zone.
pub fn cinder_time(time: jiff::Timestamp) -> String {
    time.strftime("%Y-%m-%dT%H:%M:%S%.6f").to_string()
}

/// The document of a volume.
pub(crate) fn encode(volume: &VolumeRecord) -> String {
    let mut document = json!({
        "version": 2,
        "volume-base-metadata": {
            "id": volume.id.to_string(),
            "user_id": volume.user_id,
            "project_id": volume.project_id,
            "snapshot_id": volume.snapshot_id.map(|id| id.to_string()),
            "size": volume.size_gib,
            "availability_zone": volume.availability_zone,
            "status": volume.status.as_str(),
            "display_name": volume.name,
            "display_description": volume.description,
            "source_volid": volume.source_volume_id.map(|id| id.to_string()),
            "encryption_key_id": Value::Null,
            "bootable": volume.bootable,
            "multiattach": false,
            "created_at": cinder_time(volume.created_at),
            "updated_at": cinder_time(volume.updated_at),
            "deleted_at": Value::Null,
            "deleted": false,
        },
    });
    if !volume.metadata.is_empty()
        && let Some(map) = document.as_object_mut()
    {
        map.insert("volume-metadata".into(), json!(volume.metadata));
    }
    document.to_string()
}

/// What a document says. One that cannot be understood says nothing: the data are what is restored.
pub(crate) fn decode(text: &str) -> VolumeMeta {
    let Ok(Value::Object(document)) = serde_json::from_str(text) else {
        return VolumeMeta::default();
    };
    let short = |value: &Value| {
        let text = value.as_str()?;
        let sound = text.chars().count() <= MAX_TEXT
            && !text.chars().any(|c| c.is_control() && c != '\n' && c != '\t');
        sound.then(|| text.to_owned())
    };
    let section = |name: &str| document.get(name).and_then(Value::as_object);
    let base = section("volume-base-metadata");
    let field = |name: &str| base.and_then(|base| base.get(name)).and_then(short);
    let metadata = section("volume-metadata").map(|section: &Map<String, Value>| {
        let pairs = section.iter().take(MOST);
        pairs
            .filter(|(key, _)| {
                !key.is_empty() && key.chars().count() <= MAX_TEXT && !key.chars().any(char::is_control)
            })
            .filter_map(|(key, value)| Some((key.clone(), short(value)?)))
            .collect()
    });
    VolumeMeta {
        name: field("display_name").filter(|name| !name.is_empty()),
        description: field("display_description"),
        metadata,
    }
}

#[cfg(test)]
mod tests {
    use cofferdam_catalog::VolumeId;
    use uuid::Uuid;

    use super::*;

    #[test]
    fn what_is_written_is_read_again_and_tells_not_where_the_volume_is() {
        let at = "2024-01-02T03:04:05Z".parse().unwrap();
        let mut volume = VolumeRecord::new(VolumeId(Uuid::from_u128(7)), "/secret/place", at);
        volume.name = Some("né".into());
        volume.metadata = BTreeMap::from([("k".into(), "v".into())]);
        let text = encode(&volume);
        assert!(!text.contains("secret"), "{text}");
        let read = decode(&text);
        assert_eq!(read.name, volume.name);
        assert_eq!(read.metadata, Some(volume.metadata));
    }

    #[test]
    fn what_makes_no_sense_is_left_out() {
        for text in [
            "",
            "[]",
            "{}",
            "{\"volume-metadata\": 3}",
            "{\"volume-base-metadata\": {\"display_name\": []}}",
        ] {
            assert_eq!(decode(text), VolumeMeta::default(), "{text}");
        }
        let long = "x".repeat(256);
        let text = json!({ "volume-metadata": { "a": 1, "b": long, "c": "\u{0}", &long: "d", "e": "f" } });
        let expected = BTreeMap::from([("e".to_owned(), "f".to_owned())]);
        assert_eq!(decode(&text.to_string()).metadata, Some(expected));
    }
}
