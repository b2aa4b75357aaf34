//! The WebDAV driver: backups as resources of a WebDAV server (RFC 4918).
//!
//! A container is a collection right below `webdav_url`, an object a plain resource in it. The password stays with the host, the
//! objects' bytes pass by. One file per purpose: [`config`] holds options and settings, [`dav`] sends requests and knows URLs,
//! [`multistatus`] reads what a server says of resources, [`objects`], [`containers`] and [`canary`] do the work.
//!
//! The same driver stands beside this one in other languages: same options, same bytes in the same places (`../README.md`).

mod canary;
mod config;
mod containers;
mod dav;
mod multistatus;
mod objects;

use cofferdam_driver::{
    BackupIdentity, BodyInfo, BodyNeeds, ByteRange, ContainerPage, Driver, DriverInfo, Error, InputStream,
    ObjectAddress, ObjectInfo, OutputStream, Page, Placement, Settings,
};

use config::Config;

struct WebDav {
    config: Config,
}

impl Driver for WebDav {
    fn describe() -> DriverInfo {
        DriverInfo {
            name: "webdav".to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            vendor: "Cofferdam".to_owned(),
            description: "Keeps backups on a WebDAV server.".to_owned(),
            options: config::options(),
            needs: BodyNeeds::empty(),
            greatest_object: None,
            wants_http: true,
        }
    }

    fn do_setup(settings: &Settings) -> Result<Self, Error> {
        let config = Config::from_settings(settings)?;
        Ok(Self { config })
    }

    fn check_for_setup_error(&mut self) -> Result<(), Error> {
        canary::check(&self.config.dav)
    }

    fn probe(&mut self) -> Result<(), Error> {
        containers::root(&self.config.dav)
    }

    fn place_backup(&self, backup: &BackupIdentity, container: Option<&str>) -> Result<Placement, Error> {
        let container = container.unwrap_or(&self.config.container);
        dav::check_container(container)?;
        self.config.portions.place(backup, container.to_owned())
    }

    fn create_container(&mut self, container: &str) -> Result<(), Error> {
        dav::check_container(container)?;
        containers::create(&self.config.dav, container)
    }

    fn put_object(&mut self, at: &ObjectAddress, body: &InputStream, info: &BodyInfo) -> Result<(), Error> {
        dav::check(at)?;
        objects::put(&self.config.dav, at, |request| match info.size {
            Some(size) => Ok((request.send_stream(body, size)?, Some(size))),
            None => request.send_unsized(body),
        })
    }

    fn get_object(
        &mut self,
        at: &ObjectAddress,
        range: Option<ByteRange>,
        sink: &OutputStream,
    ) -> Result<u64, Error> {
        dav::check(at)?;
        objects::get(&self.config.dav, at, range, sink)
    }

    fn stat_object(&mut self, at: &ObjectAddress) -> Result<ObjectInfo, Error> {
        dav::check(at)?;
        Ok(ObjectInfo {
            name: at.name.clone(),
            size: objects::size(&self.config.dav, at)?,
        })
    }

    fn delete_object(&mut self, at: &ObjectAddress) -> Result<(), Error> {
        dav::check(at)?;
        objects::delete(&self.config.dav, at)
    }

    fn list_objects(
        &mut self,
        container: &str,
        prefix: &str,
        after: Option<&str>,
        limit: u32,
    ) -> Result<Page, Error> {
        dav::check_container(container)?;
        containers::objects(&self.config.dav, container, prefix, after, limit)
    }

    fn list_containers(&mut self, after: Option<&str>, limit: u32) -> Result<ContainerPage, Error> {
        containers::list(&self.config.dav, after, limit)
    }
}

cofferdam_driver::export!(WebDav);
