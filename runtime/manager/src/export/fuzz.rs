//! The `backup_url`'s door for a fuzzer: any bytes; what was imported can be exported and imported again.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use cofferdam_catalog::{BackupRecord, VolumeId};
use jiff::Timestamp;
use uuid::Uuid;

use super::{Imported, decode, encode};

/// The bytes are a text; and what a text stands for.
pub fn backup_url(data: &[u8]) {
    if let Ok(text) = std::str::from_utf8(data) {
        check(text);
    }
    check(&STANDARD.encode(data));
}

fn check(url: &str) {
    let Ok(imported) = decode(url) else { return };
    let once = again(&imported);
    let same = |imported: &Imported| {
        let Imported {
            id,
            container,
            prefix,
            name,
            description,
            ..
        } = imported;
        (
            *id,
            container.clone(),
            prefix.clone(),
            name.clone(),
            description.clone(),
        )
    };
    assert_eq!(once.as_ref().map(same), Some(same(&imported)));
    // Times lose their fraction, once.
    assert_eq!(once.as_ref().and_then(again), once);
}

/// What comes of it on its way out and in.
fn again(imported: &Imported) -> Option<Imported> {
    let created = imported.created_at.unwrap_or(Timestamp::UNIX_EPOCH);
    let mut record = BackupRecord::new(imported.id, VolumeId(Uuid::nil()), created);
    record.container = Some(imported.container.clone());
    record.prefix = Some(imported.prefix.clone());
    record.name = imported.name.clone();
    record.description = imported.description.clone();
    record.data_timestamp = imported.data_timestamp.unwrap_or(created);
    decode(&encode(&record).url).ok()
}
