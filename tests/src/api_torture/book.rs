//! What one client was answered, and whether it is so.

use std::collections::BTreeMap;

use serde_json::Value;

use super::ApiTortured;
use crate::cinder::{Cinder, Content};

/// How far a request has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Asked {
    /// It was not made.
    #[default]
    No,
    /// It was made, and no answer came.
    Perhaps,
    /// Its success was answered.
    Yes,
}

/// A volume or a backup in the book.
#[derive(Clone, Default)]
pub(crate) struct Entry {
    /// What it holds, when that is known.
    pub(crate) content: Option<Content>,
    /// It was seen available once.
    pub(crate) available: bool,
    /// Its deletion.
    pub(crate) delete: Asked,
    /// A restore into it, and what it holds then.
    pub(crate) restore: Asked,
    pub(crate) restored: Option<Content>,
}

/// The book of one client.
#[derive(Default)]
pub(crate) struct Book {
    pub(crate) volumes: BTreeMap<String, Entry>,
    pub(crate) backups: BTreeMap<String, Entry>,
}

impl Book {
    /// Holds the book against what the service says and the disk has, and writes into it what was open.
    pub(crate) fn compare(
        &mut self,
        cinder: &Cinder,
        project: &str,
        volumes: &[Value],
        backups: &[Value],
        seen: &mut ApiTortured,
    ) {
        let of = |things: &[Value], key: &str| -> BTreeMap<String, String> {
            let own = things.iter().filter(|thing| thing[key] == project);
            own.map(|thing| (text(&thing["id"]), text(&thing["status"])))
                .collect()
        };
        let volumes = of(volumes, "os-vol-tenant-attr:tenant_id");
        let backups = of(backups, "os-backup-project-attr:project_id");
        settle(&mut self.volumes, &volumes, "volume", seen);
        settle(&mut self.backups, &backups, "backup", seen);
        for (id, entry) in &mut self.volumes {
            let status = volumes.get(id).map_or("", String::as_str);
            volume(cinder, id, status, entry, seen);
        }
        for (id, entry) in &mut self.backups {
            let status = backups.get(id).map_or("", String::as_str);
            if entry.available && status != "available" {
                seen.lost
                    .push(format!("the backup {id} was available and is {status}"));
            }
            entry.available = status == "available";
        }
    }
}

/// What was made is there, what was deleted is not; what nobody answered for is as it is.
fn settle(
    entries: &mut BTreeMap<String, Entry>,
    found: &BTreeMap<String, String>,
    what: &str,
    seen: &mut ApiTortured,
) {
    entries.retain(|id, entry| match (entry.delete, found.get(id)) {
        (Asked::No, None) => {
            seen.lost.push(format!("the {what} {id} was made and is gone"));
            false
        }
        (_, None) => false,
        (Asked::Yes, Some(status)) if status != "error_deleting" => {
            seen.lost
                .push(format!("the {what} {id} was deleted and is {status}"));
            false
        }
        (_, Some(_)) => {
            entry.delete = Asked::No;
            true
        }
    });
    for id in found.keys() {
        entries.entry(id.clone()).or_default();
    }
}

fn volume(cinder: &Cinder, id: &str, status: &str, entry: &mut Entry, seen: &mut ApiTortured) {
    let file = cinder.find_volume_file(id);
    if let Some(file) = file.filter(|_| status == "available") {
        let now = Content::of(&file);
        let before = entry.content.as_ref().is_none_or(|content| *content == now);
        let after = entry.restored.as_ref().is_some_and(|content| *content == now);
        let so = match entry.restore {
            Asked::No => before,
            Asked::Perhaps => before || after,
            Asked::Yes => after || entry.restored.is_none(),
        };
        if !so {
            seen.untrue.push(format!(
                "the volume {id} is available and not what it should hold"
            ));
        }
        entry.content = entry.content.is_some().then_some(now.clone());
        if entry.restore != Asked::No {
            entry.content = Some(now);
        }
        entry.available = true;
    } else {
        if entry.available && entry.restore == Asked::No && status != "available" {
            seen.lost
                .push(format!("the volume {id} was available and is {status}"));
        }
        entry.available = false;
        entry.content = None;
    }
    entry.restore = Asked::No;
    entry.restored = None;
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}
