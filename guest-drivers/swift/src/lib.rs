//! The swift driver: backups as objects in OpenStack Swift, where Cinder's swift driver would put them.
//!
//! An object is `<account>/<container>/<name>` by Swift's API 1. The password stays with the host, the token lives and ends in
//! the instance, the objects' bytes pass by. One file per purpose: [`options`] lists the settings and [`config`] checks them,
//! [`login`] gets tokens and [`catalog`] the account's URL, [`session`] keeps them and sends a [`call`], [`objects`], [`containers`] and
//! [`canary`] do the work, [`placement`] and [`listing`] are its rules.
//!
//! Different from Cinder: one account for all backups (`single_user`), and never a user's own token; the credentials, the rights
//! and the container are really tested at initialisation; nothing is tried twice but a request whose token ended.

mod call;
mod canary;
mod catalog;
mod config;
mod containers;
mod listing;
mod login;
mod objects;
mod options;
mod placement;
mod session;

use cofferdam_driver::{
    BackupIdentity, BodyInfo, BodyNeeds, ByteRange, ContainerPage, Driver, DriverInfo, Error, InputStream,
    ObjectAddress, ObjectInfo, OutputStream, Page, Placement, Settings,
};

use config::Config;
use listing::Asked;
use session::Session;

struct Swift {
    session: Session,
}

impl Driver for Swift {
    fn describe() -> DriverInfo {
        DriverInfo {
            name: "swift".to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            vendor: "Cofferdam".to_owned(),
            description: "Keeps backups in OpenStack Swift, compatible with Cinder's swift driver."
                .to_owned(),
            options: options::all(),
            needs: BodyNeeds::SIZE | BodyNeeds::MD5,
            greatest_object: Some(placement::GREATEST_OBJECT),
            wants_http: true,
        }
    }

    fn do_setup(settings: &Settings) -> Result<Self, Error> {
        let session = Session::new(Config::from_settings(settings)?);
        Ok(Self { session })
    }

    fn check_for_setup_error(&mut self) -> Result<(), Error> {
        canary::check(&mut self.session)
    }

    /// A container that is missing is made for the next backup; what counts is that the storage knows us.
    fn probe(&mut self) -> Result<(), Error> {
        let container = self.session.config().container.clone();
        containers::exists(&mut self.session, &container).map(drop)
    }

    fn place_backup(&self, backup: &BackupIdentity, container: Option<&str>) -> Result<Placement, Error> {
        let config = self.session.config();
        placement::place(backup, container, &config.container, &config.portions)
    }

    fn create_container(&mut self, container: &str) -> Result<(), Error> {
        containers::create(&mut self.session, container)
    }

    fn put_object(&mut self, at: &ObjectAddress, body: &InputStream, info: &BodyInfo) -> Result<(), Error> {
        objects::put(&mut self.session, at, body, info)
    }

    fn get_object(
        &mut self,
        at: &ObjectAddress,
        range: Option<ByteRange>,
        sink: &OutputStream,
    ) -> Result<u64, Error> {
        objects::get(&mut self.session, at, range, sink)
    }

    fn stat_object(&mut self, at: &ObjectAddress) -> Result<ObjectInfo, Error> {
        objects::stat(&mut self.session, at)
    }

    fn delete_object(&mut self, at: &ObjectAddress) -> Result<(), Error> {
        objects::delete(&mut self.session, at)
    }

    fn list_objects(
        &mut self,
        container: &str,
        prefix: &str,
        after: Option<&str>,
        limit: u32,
    ) -> Result<Page, Error> {
        objects::list(&mut self.session, container, &Asked { prefix, after, limit })
    }

    fn list_containers(&mut self, after: Option<&str>, limit: u32) -> Result<ContainerPage, Error> {
        let prefix = "";
        containers::list(&mut self.session, &Asked { prefix, after, limit })
    }
}

cofferdam_driver::export!(Swift);
