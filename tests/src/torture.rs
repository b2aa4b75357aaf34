//! A service that is killed, as by a power cut of its process, at random moments of its work: is anything lost?
//!
//! Each round begins an operation (a full or incremental backup, a restore, a delete), kills the process after a span
//! by chance, starts it again and looks: no record may be left between two states, every backup that is called
//! available must pass a full verification, every object on the storage must belong to a record, a target of a restore
//! is whole or not there. Seeded: the same seed does the same, but for where the kill falls.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::service::Service;

/// Bytes of the volume.
const SIZE: usize = 6 << 20;

/// Longest span before the kill.
const SPAN_MS: u64 = 200;

/// Backups that are kept at most.
const KEPT: usize = 6;

/// What was seen.
#[derive(Debug, Clone, Default)]
pub struct Tortured {
    /// Kills, by what was going on.
    pub kills: Vec<(&'static str, u64)>,
    /// Full verifications of backups called available that failed.
    pub lost: u64,
    /// The same that passed.
    pub verified: u64,
    /// Objects that belong to no record.
    pub orphans: u64,
    /// Records that a recovery left between two states.
    pub stuck: u64,
    /// Restores that left a target which is not whole.
    pub torn: u64,
}

impl Tortured {
    /// All kills.
    pub fn count(&self) -> u64 {
        self.kills.iter().map(|(_, count)| count).sum()
    }
}

impl std::fmt::Display for Tortured {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let kinds: Vec<_> = self
            .kills
            .iter()
            .map(|(what, count)| format!("{count} in {what}"))
            .collect();
        write!(
            f,
            "{} kills ({}), {} available backups verified, {} lost, {} orphans, {} stuck records, {} torn targets",
            self.count(),
            kinds.join(", "),
            self.verified,
            self.lost,
            self.orphans,
            self.stuck,
            self.torn
        )
    }
}

/// Kills a service so many times.
///
/// # Panics
/// When the service does not start again, or an operation that nothing disturbs fails.
pub fn torture(kills: u64, seed: u64) -> Tortured {
    let mut chance = fastrand::Rng::with_seed(seed);
    let mut service =
        Service::posix("backup_file_size = \"1MiB\"\nbackup_compression_algorithm = \"zlib\"\n");
    let volume = service.path("volume");
    let mut content: Vec<u8> = (0..SIZE).map(|_| chance.u8(..64)).collect();
    let mut seen = Tortured::default();
    let mut contents: Vec<(String, Vec<Vec<u8>>)> = Vec::new();
    while seen.count() < kills {
        // While the service is down the volume changes, or stays as an interrupted backup has left it.
        let mut change = |content: &mut Vec<u8>| {
            let at = chance.usize(..SIZE - 200_000);
            content[at..at + 200_000].fill_with(|| chance.u8(..));
            std::fs::write(&volume, &content).expect("the volume is written");
        };
        let early = seen.count() % 2 == 0;
        if early {
            change(&mut content);
            if let Some((_, contents)) = contents.last_mut() {
                contents.push(content.clone());
            }
        }
        start(&mut service);
        let backups = look(&service, &mut seen, &contents);
        if !early {
            change(&mut content);
        }
        let available: Vec<&Value> = backups
            .iter()
            .filter(|backup| backup["status"] == "available")
            .collect();
        let some = (!available.is_empty()).then(|| available[chance.usize(..available.len())]);
        let target = service.path("target");
        let what = match (chance.u8(..10), some) {
            (0..3, Some(backup)) => {
                let _ = std::fs::remove_file(&target);
                let restore = ["backup", "restore", id(backup), text(&target), "--no-wait"];
                service.run(&restore);
                "restore"
            }
            (3, _) | (_, None) => "full backup",
            _ if backups.len() >= KEPT => "delete",
            _ => "incremental backup",
        };
        match what {
            "delete" => {
                // The newest: nothing builds on it.
                service.run(&["backup", "delete", id(&backups[0]), "--no-wait"]);
            }
            "restore" => {}
            _ => {
                let mut arguments = vec!["backup", "create", text(&volume), "--no-wait"];
                if what == "incremental backup" {
                    arguments.push("--incremental");
                }
                let begun = service.json(&arguments);
                let id = begun["backup_id"].as_str().expect("an id").to_owned();
                contents.push((id, vec![content.clone()]));
            }
        }
        std::thread::sleep(Duration::from_millis(chance.u64(..SPAN_MS)));
        service.kill();
        match seen.kills.iter_mut().find(|(known, _)| *known == what) {
            Some((_, count)) => *count += 1,
            None => seen.kills.push((what, 1)),
        }
        if what == "restore" && target.exists() {
            let whole = std::fs::read(&target).expect("the target is read");
            seen.torn += u64::from(!contents.iter().any(|(_, contents)| contents.contains(&whole)));
        }
        // Now and then it begins anew, so that full backups and short chains come up too.
        if chance.u8(..12) == 0 {
            start(&mut service);
            look(&service, &mut seen, &contents);
            for backup in service.json(&["backup", "list"]).as_array().expect("a list") {
                service.json(&["backup", "delete", id(backup)]);
            }
            contents.clear();
            assert_eq!(
                files(&service.backups()),
                Vec::<PathBuf>::new(),
                "a delete leaves nothing"
            );
            service.kill();
        }
    }
    start(&mut service);
    look(&service, &mut seen, &contents);
    service.stop();
    seen
}

fn text(path: &Path) -> &str {
    path.to_str().expect("a path of ASCII")
}

fn id(backup: &Value) -> &str {
    backup["id"].as_str().expect("an id")
}

fn start(service: &mut Service) {
    service.start();
    service.wait_for_all(Duration::from_secs(20), |status| status["state"] == "up");
}

/// What a started service says of what is left, once it has put everything right; all backups, the newest first.
fn look(service: &Service, seen: &mut Tortured, contents: &[(String, Vec<Vec<u8>>)]) -> Vec<Value> {
    let begin = Instant::now();
    let backups = loop {
        let backups = service.get("/v1/backups");
        let backups = backups.as_array().cloned().expect("a list of backups");
        let between = |backup: &&Value| {
            ["creating", "restoring", "deleting"]
                .iter()
                .any(|word| backup["status"] == *word)
        };
        let count = backups.iter().filter(between).count() as u64;
        if count == 0 {
            break backups;
        }
        if begin.elapsed() > Duration::from_secs(10) {
            seen.stuck += count;
            break backups;
        }
        std::thread::sleep(Duration::from_millis(10));
    };
    for backup in backups.iter().filter(|backup| backup["status"] == "available") {
        match service.run(&["backup", "verify", id(backup)]).status.success() {
            true => seen.verified += 1,
            false => seen.lost += 1,
        }
    }
    // The newest available one comes back bit for bit.
    if let Some(backup) = backups.iter().find(|backup| backup["status"] == "available")
        && let Some((_, contents)) = contents.iter().find(|(known, _)| known == id(backup))
    {
        let target = service.path("whole");
        service.json(&["backup", "restore", id(backup), text(&target)]);
        let restored = std::fs::read(&target).expect("the target is read");
        seen.lost += u64::from(!contents.contains(&restored));
        std::fs::remove_file(target).expect("the target is removed");
    }
    let prefixes: Vec<&str> = backups
        .iter()
        .filter_map(|backup| backup["prefix"].as_str())
        .collect();
    let orphan = |file: &&PathBuf| {
        let name = file
            .file_name()
            .and_then(|name| name.to_str())
            .unwrap_or_default();
        !prefixes.iter().any(|prefix| name.contains(prefix))
    };
    seen.orphans += files(&service.backups()).iter().filter(orphan).count() as u64;
    backups
}

/// All files below a folder but canaries, which the driver removes when they are an hour old.
fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).expect("a folder");
    let paths = entries.filter_map(|entry| Some(entry.ok()?.path()));
    let (folders, mut found): (Vec<_>, Vec<_>) = paths.partition(|path| path.is_dir());
    found.extend(folders.iter().flat_map(|folder| files(folder)));
    found.retain(|path| !path.to_string_lossy().contains("/.cofferdam-canary-"));
    found
}
