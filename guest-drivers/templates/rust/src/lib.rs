//! {{name}}: keeps backups as files in a directory. A whole driver to begin with.
//!
//! An object is the file `<{{ident}}_path>/<container>/<name>`. All that touches files is the SDK's [`Directory`], which writes
//! under a hidden name, syncs, renames and syncs the folder. What each function must do is said in `wit/0.1.0`.

mod placement;

use cofferdam_driver::placement::{PortionOptions, Portions};
use cofferdam_driver::{
    BackupIdentity, BodyInfo, BodyNeeds, ByteRange, ContainerPage, Directory, Driver, DriverInfo, Error,
    InputStream, ObjectAddress, ObjectInfo, OptionInfo, OptionKind, OutputStream, Page, Placement, Settings,
    pipe,
};

const PATH: &str = "{{ident}}_path";
const PORTIONS: PortionOptions = PortionOptions {
    object_size: "{{ident}}_file_size",
    default_object_size: 1_999_994_880,
    block_size: "{{ident}}_sha_block_size_bytes",
};

/// What the settings say. It is made anew for each instance, so nothing that must last may be kept here.
struct Files {
    directory: Directory,
    portions: Portions,
}

impl Driver for Files {
    fn describe() -> DriverInfo {
        let path = OptionInfo::required(
            PATH,
            OptionKind::Directory,
            "The absolute path of the directory that holds the backups.",
        );
        DriverInfo {
            name: "{{name}}".to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            vendor: "nobody yet".to_owned(),
            description: "Keeps backups as files in a directory.".to_owned(),
            options: [path].into_iter().chain(PORTIONS.describe()).collect(),
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
        self.portions
            .place(backup, placement::container(backup, container)?)
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

cofferdam_driver::export!(Files);
