//! The posix driver: backups as files in a directory of the host, where Cinder's posix driver would put them.
//!
//! An object is the file `<backup_posix_path>/<container>/<name>`. All that touches files is the SDK's
//! [`Directory`], which writes under a hidden name, syncs, renames and syncs the folder; this crate adds the
//! options and Cinder's names ([`placement`]).
//!
//! Different from Cinder: modes come from the host's umask (0007 gives Cinder's 0660 and 0770), because WASI has
//! no chmod; the directory is really tested at initialisation; `backup_container` is no option, because Cinder's
//! posix driver never applies it either.

mod placement;

use cofferdam_driver::{
    BackupIdentity, BodyInfo, BodyNeeds, ByteRange, ContainerPage, Directory, Driver, DriverInfo, Error,
    InputStream, ObjectAddress, ObjectInfo, OptionInfo, OptionKind, OutputStream, Page, Placement, Settings,
    pipe, placement::Portions,
};

use placement::PORTIONS;

const PATH: &str = "backup_posix_path";

struct Posix {
    directory: Directory,
    portions: Portions,
}

impl Driver for Posix {
    fn describe() -> DriverInfo {
        DriverInfo {
            name: "posix".to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            vendor: "Cofferdam".to_owned(),
            description: "Keeps backups as files in a directory, compatible with Cinder's posix driver."
                .to_owned(),
            options: [OptionInfo::required(
                PATH,
                OptionKind::Directory,
                "The absolute path of the directory that holds the backups. The service's umask decides who may \
                 read them; 0007 gives the modes of Cinder.",
            )]
            .into_iter()
            .chain(PORTIONS.describe())
            .collect(),
            needs: BodyNeeds::empty(),
            greatest_object: None,
            wants_http: false,
        }
    }

    fn do_setup(settings: &Settings) -> Result<Self, Error> {
        Ok(Self {
            portions: PORTIONS.read(settings)?,
            directory: settings.required_directory(PATH)?,
        })
    }

    fn check_for_setup_error(&mut self) -> Result<(), Error> {
        self.directory.check()
    }

    fn probe(&mut self) -> Result<(), Error> {
        self.directory.probe()
    }

    fn place_backup(&self, backup: &BackupIdentity, container: Option<&str>) -> Result<Placement, Error> {
        placement::place(backup, container, &self.portions)
    }

    fn create_container(&mut self, container: &str) -> Result<(), Error> {
        self.directory.create_dir_all(container)
    }

    fn put_object(&mut self, at: &ObjectAddress, body: &InputStream, info: &BodyInfo) -> Result<(), Error> {
        self.directory
            .write_atomically(&at.container, &at.name, |sink| pipe::store(body, sink, info))
            .map(drop)
    }

    fn get_object(
        &mut self,
        at: &ObjectAddress,
        range: Option<ByteRange>,
        sink: &OutputStream,
    ) -> Result<u64, Error> {
        self.directory.read(&at.container, &at.name, range, sink)
    }

    fn stat_object(&mut self, at: &ObjectAddress) -> Result<ObjectInfo, Error> {
        let size = self.directory.stat(&at.container, &at.name)?;
        Ok(ObjectInfo {
            name: at.name.clone(),
            size,
        })
    }

    fn delete_object(&mut self, at: &ObjectAddress) -> Result<(), Error> {
        self.directory.delete(&at.container, &at.name)
    }

    fn list_objects(
        &mut self,
        container: &str,
        prefix: &str,
        after: Option<&str>,
        limit: u32,
    ) -> Result<Page, Error> {
        self.directory.list(container, prefix, after, limit)
    }

    fn list_containers(&mut self, after: Option<&str>, limit: u32) -> Result<ContainerPage, Error> {
        self.directory.list_containers(after, limit)
    }
}

cofferdam_driver::export!(Posix);
