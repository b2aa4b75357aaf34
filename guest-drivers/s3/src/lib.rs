//! The s3 driver: backups as objects in a bucket of Amazon S3 or a storage that speaks like it, where Cinder's s3 driver
//! would put them.
//!
//! An object is `<name>` in the bucket `<container>`. One file per purpose: [`options`] and [`config`] take the settings,
//! [`client`] makes requests that [`sigv4`] signs, [`bucket`], [`object`], [`get`], [`list`] and [`multipart`] are what is
//! asked of the storage, [`canary`] proves that all of it works, [`failure`] and [`xml`] read what it answers, and
//! [`integrity`] and [`encryption`] are the headers about bytes.
//!
//! Different from Cinder: see README.md beside this crate.

mod bucket;
mod canary;
mod client;
mod config;
mod encryption;
mod failure;
mod get;
mod integrity;
mod list;
mod multipart;
mod names;
mod object;
mod options;
mod portions;
mod sigv4;
mod xml;

use cofferdam_driver::{
    BackupIdentity, BodyInfo, BodyNeeds, ByteRange, ContainerPage, Driver, DriverInfo, Error, InputStream,
    ObjectAddress, ObjectInfo, OutputStream, Page, Placement, Settings,
};

use config::Config;
use list::Question;
use object::Body;

struct S3(Config);

impl Driver for S3 {
    fn describe() -> DriverInfo {
        DriverInfo {
            name: "s3".to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            vendor: "Cofferdam".to_owned(),
            description: "Keeps backups as objects in a bucket, compatible with Cinder's s3 driver."
                .to_owned(),
            options: options::all(),
            needs: BodyNeeds::SIZE | BodyNeeds::MD5 | BodyNeeds::SHA256 | BodyNeeds::CRC32C,
            greatest_object: Some(portions::GREATEST_OBJECT),
            wants_http: true,
        }
    }

    fn do_setup(settings: &Settings) -> Result<Self, Error> {
        Config::from_settings(settings).map(Self)
    }

    fn check_for_setup_error(&mut self) -> Result<(), Error> {
        canary::check(&self.0)
    }

    fn probe(&mut self) -> Result<(), Error> {
        let bucket = &self.0.bucket;
        if bucket::is_there(&self.0, bucket)? {
            return Ok(());
        }
        // It was there at the check, and may come back.
        Err(Error::unavailable(format!("the bucket {bucket} is missing")))
    }

    fn place_backup(&self, backup: &BackupIdentity, container: Option<&str>) -> Result<Placement, Error> {
        let container = container.unwrap_or(&self.0.bucket);
        names::place(backup, container, self.0.client.addressing, &self.0.portions)
    }

    fn create_container(&mut self, container: &str) -> Result<(), Error> {
        bucket::create(&self.0, container)
    }

    fn put_object(&mut self, at: &ObjectAddress, body: &InputStream, info: &BodyInfo) -> Result<(), Error> {
        object::put(&self.0, at, &Body::Stream(body), info)
    }

    fn get_object(
        &mut self,
        at: &ObjectAddress,
        range: Option<ByteRange>,
        sink: &OutputStream,
    ) -> Result<u64, Error> {
        get::get(&self.0, at, range, sink)
    }

    fn stat_object(&mut self, at: &ObjectAddress) -> Result<ObjectInfo, Error> {
        let size = object::size(&self.0, at)?;
        Ok(ObjectInfo {
            name: at.name.clone(),
            size,
        })
    }

    fn delete_object(&mut self, at: &ObjectAddress) -> Result<(), Error> {
        object::delete(&self.0, at)
    }

    fn list_objects(
        &mut self,
        container: &str,
        prefix: &str,
        after: Option<&str>,
        limit: u32,
    ) -> Result<Page, Error> {
        list::list(&self.0, container, &Question { prefix, after, limit })
    }

    fn list_containers(&mut self, after: Option<&str>, _limit: u32) -> Result<ContainerPage, Error> {
        let bucket = &self.0.bucket;
        let due = after.is_none_or(|after| bucket.as_str() > after) && bucket::is_there(&self.0, bucket)?;
        Ok(ContainerPage {
            containers: if due { vec![bucket.clone()] } else { Vec::new() },
            more: false,
        })
    }
}

cofferdam_driver::export!(S3);
