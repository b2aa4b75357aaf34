//! One client: steps by chance, each noted in its book before it is sent and after it was answered.

use std::io::Result;
use std::time::Duration;

use serde_json::{Value, json};

use super::book::{Asked, Book, Entry};
use crate::cinder::Cinder;
use crate::rest::{Answer, Rest};

/// Volumes and backups that a client keeps at most.
const KEPT: usize = 4;

pub(crate) struct Client {
    rest: Rest,
    project: String,
    chance: fastrand::Rng,
    pub(crate) book: Book,
    pub(crate) acknowledged: u64,
}

impl Client {
    pub(crate) fn new(rest: Rest, seed: u64) -> Self {
        let project = rest.project().to_owned();
        Client {
            rest,
            project,
            chance: fastrand::Rng::with_seed(seed),
            book: Book::default(),
            acknowledged: 0,
        }
    }

    pub(crate) fn project(&self) -> &str {
        &self.project
    }

    /// The next thing; an error when the service was killed meanwhile.
    pub(crate) fn step(&mut self, cinder: &Cinder) -> Result<()> {
        let volumes = self.usable(true);
        let backups = self.usable(false);
        match (self.chance.u8(..10), volumes.first(), backups.first()) {
            (_, None, _) => self.create_volume(cinder),
            (0, ..) if self.book.volumes.len() < KEPT => self.create_volume(cinder),
            (1, Some(volume), _) if volumes.len() > 1 => self.delete("volumes", volume),
            (2..4, _, Some(backup)) if self.book.volumes.len() < KEPT => self.restore(backup, None),
            (4, Some(volume), Some(backup)) => self.restore(backup, Some(volume)),
            (5..7, _, Some(backup)) if self.book.backups.len() >= KEPT / 2 => self.delete("backups", backup),
            (_, Some(volume), _) if self.book.backups.len() < KEPT => self.back_up(volume),
            (_, _, Some(backup)) => self.delete("backups", backup),
            // What failed goes, so that the book does not fill up.
            _ => self.sweep(),
        }
    }

    /// Ids of what can be used, in an order by chance.
    fn usable(&mut self, volumes: bool) -> Vec<String> {
        let entries = if volumes {
            &self.book.volumes
        } else {
            &self.book.backups
        };
        let usable =
            |entry: &Entry| entry.available && entry.delete == Asked::No && entry.restore == Asked::No;
        let mut ids: Vec<String> = entries
            .iter()
            .filter(|(_, entry)| usable(entry))
            .map(|(id, _)| id.clone())
            .collect();
        self.chance.shuffle(&mut ids);
        ids
    }

    fn call(&mut self, method: &str, path: &str, body: Option<&Value>) -> Result<Answer> {
        let answer = self.rest.try_call(method, path, body)?;
        let change = method != "GET" && (200..300).contains(&answer.status);
        self.acknowledged += u64::from(change);
        Ok(answer)
    }

    /// Waits until the thing is in no state between two others: its status, or none when it is gone.
    fn settled(&mut self, kind: &str, id: &str) -> Result<Option<String>> {
        loop {
            let answer = self.call("GET", &format!("/v3/{kind}/{id}"), None)?;
            if answer.status == 404 {
                return Ok(None);
            }
            let body = answer.json();
            let thing = body.as_object().and_then(|body| body.values().next());
            let status = thing
                .and_then(|thing| thing["status"].as_str())
                .unwrap_or_default();
            if !status.is_empty() && !super::BETWEEN.contains(&status) {
                return Ok(Some(status.to_owned()));
            }
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    fn create_volume(&mut self, cinder: &Cinder) -> Result<()> {
        let answer = self.call("POST", "/v3/volumes", Some(&json!({"volume": {"size": 1}})))?;
        let Some(id) = made(&answer, "volume") else {
            return Ok(());
        };
        self.book.volumes.insert(id.clone(), Entry::default());
        if self.settled("volumes", &id)?.as_deref() != Some("available") {
            return Ok(());
        }
        cinder.fill(&id, self.chance.u64(..), 200_000);
        let entry = self.book.volumes.entry(id.clone()).or_default();
        entry.available = true;
        entry.content = Some(cinder.content(&id));
        Ok(())
    }

    fn back_up(&mut self, volume: &str) -> Result<()> {
        let incremental = self.chance.bool();
        let body = json!({"backup": {"volume_id": volume, "incremental": incremental}});
        let answer = self.call("POST", "/v3/backups", Some(&body))?;
        let Some(id) = made(&answer, "backup") else {
            return Ok(());
        };
        let content = self
            .book
            .volumes
            .get(volume)
            .and_then(|entry| entry.content.clone());
        self.book.backups.insert(
            id.clone(),
            Entry {
                content,
                ..Entry::default()
            },
        );
        let status = self.settled("backups", &id)?;
        if let Some(entry) = self.book.backups.get_mut(&id) {
            entry.available = status.as_deref() == Some("available");
        }
        Ok(())
    }

    /// Into a volume that is there, or a new one.
    fn restore(&mut self, backup: &str, volume: Option<&str>) -> Result<()> {
        let content = self
            .book
            .backups
            .get(backup)
            .and_then(|entry| entry.content.clone());
        if let Some(volume) = volume {
            let entry = self.book.volumes.entry(volume.to_owned()).or_default();
            entry.restore = Asked::Perhaps;
            entry.restored.clone_from(&content);
        }
        let body = json!({"restore": {"volume_id": volume}});
        let answer = self.call("POST", &format!("/v3/backups/{backup}/restore"), Some(&body))?;
        let Some(id) = (answer.status == 202).then(|| text(&answer.json()["restore"]["volume_id"])) else {
            if let Some(volume) = volume {
                self.forget_restore(volume);
            }
            return Ok(());
        };
        let entry = self.book.volumes.entry(id.clone()).or_default();
        entry.restore = Asked::Yes;
        entry.restored = content;
        let status = self.settled("volumes", &id)?;
        // Whether it is what it should be is looked at after the kill: it stays as it is until then.
        let entry = self.book.volumes.entry(id.clone()).or_default();
        if status.as_deref() == Some("available") {
            entry.available = true;
            entry.content = entry.restored.take();
            entry.restore = Asked::No;
        }
        self.settled("backups", backup)?;
        Ok(())
    }

    fn forget_restore(&mut self, volume: &str) {
        if let Some(entry) = self.book.volumes.get_mut(volume) {
            entry.restore = Asked::No;
            entry.restored = None;
        }
    }

    fn delete(&mut self, kind: &str, id: &str) -> Result<()> {
        self.note_delete(kind, id, Asked::Perhaps);
        let answer = self.call("DELETE", &format!("/v3/{kind}/{id}"), None)?;
        if answer.status != 202 {
            self.note_delete(kind, id, Asked::No);
            return Ok(());
        }
        self.note_delete(kind, id, Asked::Yes);
        if self.settled(kind, id)?.is_none() {
            let entries = if kind == "volumes" {
                &mut self.book.volumes
            } else {
                &mut self.book.backups
            };
            entries.remove(id);
        }
        Ok(())
    }

    fn note_delete(&mut self, kind: &str, id: &str, asked: Asked) {
        let entries = if kind == "volumes" {
            &mut self.book.volumes
        } else {
            &mut self.book.backups
        };
        if let Some(entry) = entries.get_mut(id) {
            entry.delete = asked;
        }
    }

    /// Deletes what is not available.
    fn sweep(&mut self) -> Result<()> {
        let failed = |entries: &std::collections::BTreeMap<String, Entry>| -> Vec<String> {
            let failed = entries.iter().filter(|(_, entry)| !entry.available);
            failed.map(|(id, _)| id.clone()).collect()
        };
        for (kind, ids) in [
            ("backups", failed(&self.book.backups)),
            ("volumes", failed(&self.book.volumes)),
        ] {
            for id in ids {
                self.delete(kind, &id)?;
            }
        }
        Ok(())
    }
}

/// The id of what an answer says is being made.
fn made(answer: &Answer, what: &str) -> Option<String> {
    (answer.status == 202).then(|| text(&answer.json()[what]["id"]))
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}
