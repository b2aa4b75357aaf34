//! Objects in the memory of the instance, gone with it: enough for a driver that is used in one instance only.

use std::collections::BTreeMap;

use cofferdam_driver::{ByteRange, Error, ObjectAddress, ObjectInfo, Page};

use super::no_container;

/// Containers, each with its objects.
#[derive(Debug, Default)]
pub struct Memory {
    containers: BTreeMap<String, BTreeMap<String, Vec<u8>>>,
}

impl Memory {
    /// Makes the container if it is missing.
    pub(super) fn create_container(&mut self, container: &str) {
        self.containers.entry(container.to_owned()).or_default();
    }

    /// Removes the container and all that is in it.
    pub(super) fn remove_container(&mut self, container: &str) {
        self.containers.remove(container);
    }

    /// Makes or replaces the object.
    pub(super) fn put(&mut self, at: &ObjectAddress, bytes: Vec<u8>) -> Result<(), Error> {
        let container = self
            .containers
            .get_mut(&at.container)
            .ok_or_else(|| no_container(&at.container))?;
        container.insert(at.name.clone(), bytes);
        Ok(())
    }

    /// The object's bytes, or those of the range that are there.
    pub(super) fn get(&self, at: &ObjectAddress, range: Option<ByteRange>) -> Result<&[u8], Error> {
        let container = self
            .containers
            .get(&at.container)
            .ok_or_else(|| no_container(&at.container))?;
        let bytes = container
            .get(&at.name)
            .ok_or_else(|| Error::not_found(format!("no object {}", at.name)))?;
        let Some(range) = range else { return Ok(bytes) };
        let start = usize::try_from(range.offset)
            .unwrap_or(usize::MAX)
            .min(bytes.len());
        let tail = bytes.get(start..).unwrap_or_default();
        let length = range
            .length
            .and_then(|length| usize::try_from(length).ok())
            .unwrap_or(usize::MAX);
        Ok(tail.get(..length.min(tail.len())).unwrap_or_default())
    }

    /// Deletes the object if it is there.
    pub(super) fn delete(&mut self, at: &ObjectAddress) {
        if let Some(container) = self.containers.get_mut(&at.container) {
            container.remove(&at.name);
        }
    }

    /// One page of the container's objects.
    pub(super) fn list(
        &self,
        container: &str,
        prefix: &str,
        after: Option<&str>,
        limit: u32,
    ) -> Result<Page, Error> {
        let objects = self
            .containers
            .get(container)
            .ok_or_else(|| no_container(container))?;
        let mut rest = objects
            .iter()
            .filter(|(name, _)| name.starts_with(prefix) && after.is_none_or(|after| name.as_str() > after))
            .map(|(name, bytes)| ObjectInfo {
                name: name.clone(),
                size: bytes.len() as u64,
            });
        let objects = rest
            .by_ref()
            .take(usize::try_from(limit).unwrap_or(usize::MAX))
            .collect();
        Ok(Page {
            objects,
            more: rest.next().is_some(),
        })
    }
}
