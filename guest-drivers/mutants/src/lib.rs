//! One correct driver and many mutants of it, each with one planted fault: what the conformance kit is tested with.
//!
//! [`Correct`] keeps objects as files in the directory of `mutants_path`. Each example under `examples/` is a component of its own that
//! overrides one function of [`Mutation`] and says in its first lines what is wrong with it; all else is right. The example `correct`
//! overrides nothing. Which cases of the kit must find a mutant stands in the project's `tests/mutants.toml`.

use std::fs;
use std::marker::PhantomData;
use std::path::{Path, PathBuf};

use cofferdam_driver::placement::{PortionOptions, Portions};
use cofferdam_driver::{
    BackupIdentity, BodyInfo, BodyNeeds, ByteRange, ContainerPage, Directory, Driver, DriverInfo, Error,
    InputStream, ObjectAddress, ObjectInfo, OptionInfo, OptionKind, OutputStream, Page, Placement, Secret,
    Settings, pipe,
};

pub use cofferdam_driver;

/// Where the objects are.
pub const PATH: &str = "mutants_path";
/// A secret that nobody needs, and that must not leak.
pub const KEY: &str = "mutants_key";
/// In what portions a volume is stored.
pub const PORTIONS: PortionOptions = PortionOptions {
    object_size: "mutants_file_size",
    default_object_size: 4 << 20,
    block_size: "mutants_sha_block_size_bytes",
};

/// Does everything right.
#[derive(Debug)]
pub struct Correct {
    /// Where the objects are.
    pub directory: Directory,
    /// In what portions a volume is stored.
    pub portions: Portions,
    /// The secret, if one is set.
    pub key: Option<Secret>,
}

impl Correct {
    /// Where an object's file is, for what goes round [`Directory`].
    pub fn file(&self, at: &ObjectAddress) -> PathBuf {
        self.folder(&at.container).join(&at.name)
    }

    /// Where a container's folder is.
    pub fn folder(&self, container: &str) -> PathBuf {
        self.root().join(container)
    }

    /// Where the containers are.
    pub fn root(&self) -> &Path {
        Path::new(self.directory.path())
    }

    /// Whether an object of that name is there.
    pub fn has(&self, at: &ObjectAddress) -> bool {
        self.directory.stat(&at.container, &at.name).is_ok()
    }

    /// The names of all files of a container, hidden ones too, in no order.
    pub fn files(&self, container: &str) -> Vec<String> {
        let entries = fs::read_dir(self.folder(container))
            .into_iter()
            .flatten()
            .flatten();
        entries
            .filter_map(|entry| entry.file_name().into_string().ok())
            .collect()
    }
}

/// A driver that does everything right, but for what an example overrides.
pub trait Mutation: 'static {
    /// Name, options, needs.
    fn describe() -> DriverInfo {
        let path = OptionInfo::required(
            PATH,
            OptionKind::Directory,
            "The directory that holds the backups.",
        );
        let key = OptionInfo::optional(KEY, OptionKind::Secret, "none", "A secret that nobody needs.");
        DriverInfo {
            name: "mutant".to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            vendor: "Cofferdam".to_owned(),
            description: "Has a fault planted in it, to test the conformance kit. Never use it for a backup."
                .to_owned(),
            options: [path, key].into_iter().chain(PORTIONS.describe()).collect(),
            needs: BodyNeeds::empty(),
            greatest_object: None,
            wants_http: false,
        }
    }

    /// Reads the settings.
    fn do_setup(settings: &Settings) -> Result<Correct, Error> {
        Ok(Correct {
            portions: PORTIONS.read(settings)?,
            directory: settings.required_directory(PATH)?,
            key: settings.secret(KEY)?,
        })
    }

    /// Flies a canary.
    fn check_for_setup_error(driver: &mut Correct) -> Result<(), Error> {
        driver.directory.check()
    }

    /// Looks whether the directory is there.
    fn probe(driver: &mut Correct) -> Result<(), Error> {
        driver.directory.probe()
    }

    /// The container that was asked for, else one for the backup; the prefix holds its id.
    fn place_backup(
        driver: &Correct,
        backup: &BackupIdentity,
        container: Option<&str>,
    ) -> Result<Placement, Error> {
        let container = container.unwrap_or(&backup.backup_id);
        cofferdam_driver::names::check_folder(container)?;
        driver.portions.place(backup, container.to_owned())
    }

    /// Makes the folder.
    fn create_container(driver: &mut Correct, container: &str) -> Result<(), Error> {
        driver.directory.create_dir_all(container)
    }

    /// The name under which an object is kept: its own.
    fn kept_as(name: &str) -> String {
        name.to_owned()
    }

    /// Writes a hidden file and renames it.
    fn put_object(
        driver: &mut Correct,
        at: &ObjectAddress,
        body: &InputStream,
        info: &BodyInfo,
    ) -> Result<(), Error> {
        put(driver, at, body, info)
    }

    /// Reads the file or the range of it.
    fn get_object(
        driver: &mut Correct,
        at: &ObjectAddress,
        range: Option<ByteRange>,
        sink: &OutputStream,
    ) -> Result<u64, Error> {
        driver.directory.read(&at.container, &at.name, range, sink)
    }

    /// The file's size.
    fn stat_object(driver: &mut Correct, at: &ObjectAddress) -> Result<u64, Error> {
        driver.directory.stat(&at.container, &at.name)
    }

    /// Deletes the file.
    fn delete_object(driver: &mut Correct, at: &ObjectAddress) -> Result<(), Error> {
        driver.directory.delete(&at.container, &at.name)
    }

    /// Lists the files.
    fn list_objects(
        driver: &mut Correct,
        container: &str,
        prefix: &str,
        after: Option<&str>,
        limit: u32,
    ) -> Result<Page, Error> {
        driver.directory.list(container, prefix, after, limit)
    }

    /// Lists the folders.
    fn list_containers(
        driver: &mut Correct,
        after: Option<&str>,
        limit: u32,
    ) -> Result<ContainerPage, Error> {
        driver.directory.list_containers(after, limit)
    }
}

/// The mutation that changes nothing: what a fault is put upon.
#[derive(Debug)]
pub struct Plain;

impl Mutation for Plain {}

/// Writes bytes of the guest's own: WASI takes 4096 at a time.
pub fn write_all(sink: &OutputStream, bytes: &[u8]) -> Result<(), Error> {
    for piece in bytes.chunks(4096) {
        sink.blocking_write_and_flush(piece)
            .map_err(|error| Error::failed(format!("{error:?}")))?;
    }
    Ok(())
}

/// Stores an object as it should be.
pub fn put(
    driver: &mut Correct,
    at: &ObjectAddress,
    body: &InputStream,
    info: &BodyInfo,
) -> Result<(), Error> {
    driver
        .directory
        .write_atomically(&at.container, &at.name, |sink| pipe::store(body, sink, info))
        .map(drop)
}

/// The [`Driver`] with the fault of `M`.
#[derive(Debug)]
pub struct Mutant<M> {
    correct: Correct,
    mutation: PhantomData<M>,
}

/// Where an object is kept.
fn kept<M: Mutation>(at: &ObjectAddress) -> ObjectAddress {
    ObjectAddress {
        name: M::kept_as(&at.name),
        ..at.clone()
    }
}

impl<M: Mutation> Driver for Mutant<M> {
    fn describe() -> DriverInfo {
        M::describe()
    }

    fn do_setup(settings: &Settings) -> Result<Self, Error> {
        Ok(Self {
            correct: M::do_setup(settings)?,
            mutation: PhantomData,
        })
    }

    fn check_for_setup_error(&mut self) -> Result<(), Error> {
        M::check_for_setup_error(&mut self.correct)
    }

    fn probe(&mut self) -> Result<(), Error> {
        M::probe(&mut self.correct)
    }

    fn place_backup(&self, backup: &BackupIdentity, container: Option<&str>) -> Result<Placement, Error> {
        M::place_backup(&self.correct, backup, container)
    }

    fn create_container(&mut self, container: &str) -> Result<(), Error> {
        M::create_container(&mut self.correct, container)
    }

    fn put_object(&mut self, at: &ObjectAddress, body: &InputStream, info: &BodyInfo) -> Result<(), Error> {
        M::put_object(&mut self.correct, &kept::<M>(at), body, info)
    }

    fn get_object(
        &mut self,
        at: &ObjectAddress,
        range: Option<ByteRange>,
        sink: &OutputStream,
    ) -> Result<u64, Error> {
        M::get_object(&mut self.correct, &kept::<M>(at), range, sink)
    }

    fn stat_object(&mut self, at: &ObjectAddress) -> Result<ObjectInfo, Error> {
        Ok(ObjectInfo {
            name: at.name.clone(),
            size: M::stat_object(&mut self.correct, &kept::<M>(at))?,
        })
    }

    fn delete_object(&mut self, at: &ObjectAddress) -> Result<(), Error> {
        M::delete_object(&mut self.correct, &kept::<M>(at))
    }

    fn list_objects(
        &mut self,
        container: &str,
        prefix: &str,
        after: Option<&str>,
        limit: u32,
    ) -> Result<Page, Error> {
        M::list_objects(&mut self.correct, container, prefix, after, limit)
    }

    fn list_containers(&mut self, after: Option<&str>, limit: u32) -> Result<ContainerPage, Error> {
        M::list_containers(&mut self.correct, after, limit)
    }
}

/// Makes the component export a [`Mutation`]. Once per example.
#[macro_export]
macro_rules! mutate {
    ($mutation:ty) => {
        $crate::cofferdam_driver::export!($crate::Mutant<$mutation>);
    };
}
