//! A service that is killed under the load of its clients: is anything lost that it has acknowledged?
//!
//! Some clients, each in a project of its own, make, back up, restore and delete volumes through Cinder's API, and keep a book of
//! what they were answered. The process is killed at a random moment and started again; then every book is held against what
//! the service says and what lies on the disk. An answer that did not come may have come true or not; one that came must have:
//! what was made is there, what was deleted goes, what was available is so still, and what is called available is whole. Nothing may
//! stay between two states, and each file of a volume belongs to a record. Seeded, but for where the kill falls.

mod book;
mod client;

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::cinder::{Cinder, volume_files};
use crate::rest::Rest;
use client::Client;

/// Clients, each a thread.
const CLIENTS: u64 = 4;

/// Longest span before a kill.
const SPAN_MS: u64 = 900;

/// How long recovery may take, on a machine that has other things to do as well.
const RECOVERY: Duration = Duration::from_secs(20);

/// Between two states.
const BETWEEN: [&str; 6] = [
    "creating",
    "deleting",
    "restoring",
    "backing-up",
    "restoring-backup",
    "extending",
];

/// What was seen.
#[derive(Debug, Clone, Default)]
pub struct ApiTortured {
    /// Kills.
    pub kills: u64,
    /// Requests that were answered with their success.
    pub acknowledged: u64,
    /// Backups called available that were verified.
    pub verified: u64,
    /// What was acknowledged and is not so.
    pub lost: Vec<String>,
    /// What the service says and is not so: a volume or a backup called available that is not whole, a file without a record.
    pub untrue: Vec<String>,
    /// What stayed between two states.
    pub stuck: Vec<String>,
}

impl std::fmt::Display for ApiTortured {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "{} kills, {} requests acknowledged, {} available backups verified, {} lost, {} untrue, {} stuck",
            self.kills,
            self.acknowledged,
            self.verified,
            self.lost.len(),
            self.untrue.len(),
            self.stuck.len()
        )
    }
}

/// Kills a service so many times.
///
/// # Panics
/// When the service does not start again.
pub fn api_torture(kills: u64, seed: u64) -> ApiTortured {
    let mut chance = fastrand::Rng::with_seed(seed);
    let mut cinder = Cinder::configure("quota_backups = -1\nquota_backup_gigabytes = -1\n");
    cinder.begin_life();
    let mut clients: Vec<Client> = (0..CLIENTS)
        .map(|number| {
            let rest = cinder.rest(&format!("u{number}"), &format!("c{number}"));
            Client::new(rest, seed + number)
        })
        .collect();
    let mut seen = ApiTortured::default();
    let mut verified = BTreeSet::new();
    while seen.kills < kills {
        let ended = AtomicBool::new(false);
        let span = Duration::from_millis(chance.u64(30..SPAN_MS));
        std::thread::scope(|scope| {
            for client in &mut clients {
                let (cinder, ended) = (&cinder, &ended);
                scope.spawn(move || while !ended.load(Ordering::Relaxed) && client.step(cinder).is_ok() {});
            }
            std::thread::sleep(span);
            cinder.signal("KILL");
            ended.store(true, Ordering::Relaxed);
        });
        cinder.kill();
        seen.kills += 1;
        cinder.begin_life();
        // A backup is verified when it is seen for the first time, and once more at the end: each is a GiB to read.
        if seen.kills == kills {
            verified.clear();
        }
        look(&cinder, &mut clients, &mut verified, &mut seen);
    }
    seen.acknowledged = clients.iter().map(|client| client.acknowledged).sum();
    cinder.stop();
    seen
}

/// All of one kind, of all projects.
fn all(rest: &Rest, kind: &str) -> Vec<Value> {
    let list = rest
        .get(&format!("/v3/{kind}/detail?all_tenants=1"))
        .expect(200)
        .json();
    list[kind].as_array().cloned().expect("a list")
}

/// Waits until nothing is between two states, then holds every book against what there is.
fn look(cinder: &Cinder, clients: &mut [Client], verified: &mut BTreeSet<String>, seen: &mut ApiTortured) {
    let admin = cinder.rest("admin", "admin");
    let begin = Instant::now();
    let (volumes, backups) = loop {
        let (volumes, backups) = (all(&admin, "volumes"), all(&admin, "backups"));
        let between = |thing: &&Value| {
            thing["status"]
                .as_str()
                .is_some_and(|status| BETWEEN.contains(&status))
        };
        let stuck: Vec<String> = volumes
            .iter()
            .chain(&backups)
            .filter(between)
            .map(|thing| format!("{} is {}", thing["id"], thing["status"]))
            .collect();
        if stuck.is_empty() {
            break (volumes, backups);
        }
        if begin.elapsed() > RECOVERY {
            seen.stuck.extend(stuck);
            break (volumes, backups);
        }
        std::thread::sleep(Duration::from_millis(20));
    };
    for backup in backups.iter().filter(|backup| backup["status"] == "available") {
        let id = backup["id"].as_str().unwrap_or_default();
        if !verified.insert(id.to_owned()) {
            continue;
        }
        match cinder.run(&["backup", "verify", id]).status.success() {
            true => seen.verified += 1,
            false => seen
                .untrue
                .push(format!("the backup {id} is available and corrupt")),
        }
    }
    let files = volume_files(&cinder.path("volumes"));
    let names: BTreeSet<String> = files
        .iter()
        .map(|path| path.to_string_lossy().into_owned())
        .collect();
    let ids = |things: &[Value]| -> Vec<String> {
        let ids = things.iter().filter_map(|thing| thing["id"].as_str());
        ids.map(str::to_owned).collect()
    };
    let known = ids(&volumes);
    let stray = names
        .iter()
        .filter(|name| !known.iter().any(|id| name.contains(id)));
    seen.untrue
        .extend(stray.map(|name| format!("{name} belongs to no volume")));
    for volume in volumes.iter().filter(|volume| volume["status"] == "available") {
        let id = volume["id"].as_str().unwrap_or_default();
        if !names.iter().any(|name| name.contains(id)) {
            seen.untrue
                .push(format!("the volume {id} is available and has no file"));
        }
    }
    for client in clients {
        let project = client.project().to_owned();
        client.book.compare(cinder, &project, &volumes, &backups, seen);
    }
}
