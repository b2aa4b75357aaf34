//! A service with Cinder's REST API on a port of the loopback: two posix backends, `one` and `two`, and a folder of volumes.
//!
//! The user `admin` has all rights, `reader` may only look, all others are members of the project that their token names.

use std::collections::BTreeMap;
use std::io::Write;
use std::ops::{Deref, DerefMut};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::{Value, json};

use crate::rest::Rest;
use crate::service::Service;

/// The service; also what [`Service`] can do.
pub struct Cinder {
    service: Service,
    port: u16,
}

impl Deref for Cinder {
    type Target = Service;
    fn deref(&self) -> &Service {
        &self.service
    }
}

impl DerefMut for Cinder {
    fn deref_mut(&mut self) -> &mut Service {
        &mut self.service
    }
}

impl Cinder {
    /// Starts one, with these options besides, and waits until both backends are up.
    pub fn start(options: &str) -> Self {
        let mut cinder = Self::configure(options);
        cinder.begin_life();
        cinder
    }

    /// The same without starting it.
    ///
    /// # Panics
    /// When there is no free port.
    pub fn configure(options: &str) -> Self {
        let port = free_port();
        let service = Service::configure(
            &format!(
                "periodic_interval = \"1s\"\nosapi_volume_listen = \"127.0.0.1\"\nosapi_volume_listen_port = {port}\n\
                 volume_folders = [\"{{folder}}/volumes\"]\nnoauth_readers = [\"reader\"]\n{options}"
            ),
            &["one", "two"]
                .map(|name| {
                    format!(
                        "[backends.{name}]\nbackup_driver = \"posix\"\nbackup_posix_path = \"{{folder}}/{name}\"\n\
                         backup_file_size = \"64MiB\"\n\
                         grants.directories = [{{ path = \"{{folder}}/{name}\", access = \"read-write\" }}]\n"
                    )
                })
                .concat(),
        );
        for name in ["one", "two", "volumes"] {
            std::fs::create_dir(service.path(name)).expect("the folder is new");
        }
        Cinder { service, port }
    }

    /// Starts it, again after a kill, and waits until both backends are up.
    pub fn begin_life(&mut self) {
        self.service.start();
        self.service
            .wait_for_all(Duration::from_secs(120), |status| status["state"] == "up");
    }

    /// The port of the API.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// `http://…/v3`.
    pub fn endpoint(&self) -> String {
        format!("http://127.0.0.1:{}/v3", self.port)
    }

    /// A user of a project, by the newest microversion.
    pub fn rest(&self, user: &str, project: &str) -> Rest {
        Rest::new(self.port, user, project).at("3.71")
    }

    /// The file of a volume, or of a snapshot.
    ///
    /// # Panics
    /// When there is none.
    pub fn volume_file(&self, id: &str) -> PathBuf {
        self.find_volume_file(id)
            .unwrap_or_else(|| panic!("there is no file of {id}"))
    }

    /// The same, if there is one.
    pub fn find_volume_file(&self, id: &str) -> Option<PathBuf> {
        let found = volume_files(&self.path("volumes"));
        found.into_iter().find(|path| path.to_string_lossy().contains(id))
    }

    /// A volume of so many GiB, made through the API, that is available.
    pub fn volume(&self, rest: &Rest, name: &str, size: u64) -> String {
        let body = json!({"volume": {"size": size, "name": name}});
        let id = id(&rest.post("/v3/volumes", &body).expect(202).json()["volume"]);
        rest.wait_for(&format!("/v3/volumes/{id}"), "available");
        id
    }

    /// A backup of a volume, made through the API, that is available.
    pub fn backup(&self, rest: &Rest, volume: &str, name: &str) -> String {
        let body = json!({"backup": {"volume_id": volume, "name": name}});
        let id = id(&rest.post("/v3/backups", &body).expect(202).json()["backup"]);
        rest.wait_for(&format!("/v3/backups/{id}"), "available");
        id
    }

    /// Writes noise over the beginning of a volume and somewhere in its middle, so that the rest stays a hole.
    pub fn fill(&self, volume: &str, seed: u64, bytes: usize) {
        let mut chance = fastrand::Rng::with_seed(seed);
        let noise: Vec<u8> = (0..bytes).map(|_| chance.u8(..)).collect();
        let file = std::fs::File::options()
            .write(true)
            .open(self.volume_file(volume))
            .expect("the volume is there");
        let middle = file.metadata().expect("a length").len() / 2;
        file.write_all_at(&noise, 0).expect("the volume is written");
        file.write_all_at(&noise, middle).expect("the volume is written");
        (&file).flush().expect("the volume is written");
    }

    /// What a volume, or a snapshot, holds.
    pub fn content(&self, id: &str) -> Content {
        Content::of(&self.volume_file(id))
    }
}

/// What a volume holds: its length, and its blocks that are not all zeros. Holes are stepped over, so that a volume costs
/// what it holds.
#[derive(PartialEq, Eq, Clone)]
pub struct Content {
    length: u64,
    blocks: BTreeMap<u64, Vec<u8>>,
}

/// Bytes of a block.
const BLOCK: u64 = 4096;

impl Content {
    /// Reads a file.
    ///
    /// # Panics
    /// When it cannot be read.
    pub fn of(path: &Path) -> Self {
        let file = std::fs::File::open(path).expect("the volume is there");
        let length = file.metadata().expect("a length").len();
        let mut blocks = BTreeMap::new();
        let mut at = 0;
        while let Ok(data) = rustix::fs::seek(&file, rustix::fs::SeekFrom::Data(at)) {
            let hole = rustix::fs::seek(&file, rustix::fs::SeekFrom::Hole(data)).expect("data has an end");
            at = data / BLOCK * BLOCK;
            while at < hole {
                let size = usize::try_from(BLOCK.min(length - at)).expect("a block is small");
                let mut block = vec![0; size];
                file.read_exact_at(&mut block, at).expect("the volume is read");
                if block.iter().any(|byte| *byte != 0) {
                    blocks.insert(at, block);
                }
                at += BLOCK;
            }
            at = at.max(hole);
        }
        Content { length, blocks }
    }
}

/// The id of what was made.
///
/// # Panics
/// When it has none.
pub fn id(made: &Value) -> String {
    let id = made["id"].as_str();
    id.unwrap_or_else(|| panic!("{made:#} has no id")).to_owned()
}

/// A port that nobody listens at now.
///
/// # Panics
/// When there is none.
pub fn free_port() -> u16 {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.local_addr().expect("an address").port()
}

/// All files below a folder.
///
/// # Panics
/// When the folder cannot be read.
pub fn volume_files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).expect("a folder");
    let paths = entries.filter_map(|entry| Some(entry.ok()?.path()));
    let (folders, mut found): (Vec<_>, Vec<_>) = paths.partition(|path| path.is_dir());
    found.extend(folders.iter().flat_map(|folder| volume_files(folder)));
    found
}
