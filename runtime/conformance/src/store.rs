//! One instance of the driver, spoken to as a backup would: bodies that end in several ways, gets that are bounded, listings that
//! are checked.

use bytes::Bytes;
use cofferdam_sandbox::contract::{BodyInfo, ByteRange, ObjectAddress, ObjectInfo};
use cofferdam_sandbox::{Failure, Instance, stream};

use crate::case::{Stop, Verdict};
use crate::content::{Content, Ending, Source, info};
use crate::expect::{Expect, found, same};
use crate::ground::Ground;

/// Bytes that a get may give before its reader goes away.
const MOST: usize = 64 << 20;

/// Pages that a listing of one case may have.
const PAGES: usize = 20_000;

/// An instance, in the case's container.
pub(crate) struct Store<'g> {
    ground: &'g Ground<'g>,
    pub(crate) instance: Instance,
}

impl<'g> Store<'g> {
    pub(crate) fn new(ground: &'g Ground<'g>, instance: Instance) -> Self {
        Store { ground, instance }
    }

    /// What the driver is told of these bytes.
    pub(crate) fn info(&self, bytes: &[u8]) -> BodyInfo {
        info(
            self.ground.subject().info().needs,
            [Bytes::copy_from_slice(bytes)],
        )
    }

    /// Puts these bytes.
    pub(crate) async fn put(&self, name: &str, bytes: &[u8]) -> Result<(), Failure> {
        self.put_from(&self.ground.at(name), self.info(bytes), Source::bytes(bytes))
            .await
    }

    /// Puts a great object, piece by piece.
    pub(crate) async fn put_content(&self, name: &str, content: Content) -> Result<(), Failure> {
        self.put_cut(name, content, content.size, Ending::Finished).await
    }

    /// Puts an object and finds it as it was put.
    pub(crate) async fn keeps(&self, name: &str, content: Content, what: &str) -> Verdict {
        self.put_content(name, content).await.must(what)?;
        same(name, &content.bytes(), &self.get(name).await.must("its object")?)
    }

    /// Puts an object of which all is told, but only the first bytes come.
    pub(crate) async fn put_cut(
        &self,
        name: &str,
        content: Content,
        size: u64,
        ending: Ending,
    ) -> Result<(), Failure> {
        let info = info(self.ground.subject().info().needs, content.pieces());
        self.put_from(&self.ground.at(name), info, Source::cut(content, size, ending))
            .await
    }

    /// Puts what a source gives under what is told of it.
    pub(crate) async fn put_from(
        &self,
        at: &ObjectAddress,
        info: BodyInfo,
        source: Source,
    ) -> Result<(), Failure> {
        self.ground.note(at);
        let (writer, reader) = stream::channel(stream::DEFAULT_PIECES);
        let feeding = async move {
            for piece in source.pieces {
                if writer.write(piece).await.is_err() {
                    break;
                }
            }
            match source.ending {
                Ending::Finished => drop(writer.finish().await),
                Ending::Failed => writer.fail("the volume could not be read").await,
                Ending::Dropped => drop(writer),
                Ending::Stalled => {
                    let _kept = writer;
                    std::future::pending::<()>().await;
                }
            }
            std::future::pending::<std::convert::Infallible>().await
        };
        tokio::select! {
            stored = self.instance.put_object(at.clone(), reader, info) => stored,
            never = feeding => match never {},
        }
    }

    /// All bytes of an object.
    pub(crate) async fn get(&self, name: &str) -> Result<Vec<u8>, Failure> {
        self.get_at(&self.ground.at(name), None).await
    }

    /// A range of an object.
    pub(crate) async fn range(
        &self,
        name: &str,
        offset: u64,
        length: Option<u64>,
    ) -> Result<Vec<u8>, Failure> {
        self.get_at(&self.ground.at(name), Some(ByteRange { offset, length }))
            .await
    }

    /// An object or a range of it.
    pub(crate) async fn get_at(
        &self,
        at: &ObjectAddress,
        range: Option<ByteRange>,
    ) -> Result<Vec<u8>, Failure> {
        let mut all = Vec::new();
        let taken = self.get_into(at, range, |piece| {
            all.extend_from_slice(&piece);
            all.len() <= MOST
        });
        taken.await?;
        Ok(all)
    }

    /// Reads an object as long as `take` wants more; then the reader goes away.
    pub(crate) async fn get_into(
        &self,
        at: &ObjectAddress,
        range: Option<ByteRange>,
        mut take: impl FnMut(Bytes) -> bool + Send,
    ) -> Result<u64, Failure> {
        let (writer, mut reader) = stream::channel(stream::DEFAULT_PIECES);
        let draining = async move {
            while let Ok(Some(piece)) = reader.next().await {
                if !take(piece) {
                    break;
                }
            }
        };
        let (said, ()) = tokio::join!(self.instance.get_object(at.clone(), range, writer), draining);
        said
    }

    /// The size of an object.
    pub(crate) async fn stat(&self, name: &str) -> Result<u64, Failure> {
        self.instance
            .stat_object(self.ground.at(name))
            .await
            .map(|found| found.size)
    }

    /// Deletes an object.
    pub(crate) async fn delete(&self, name: &str) -> Result<(), Failure> {
        self.instance.delete_object(self.ground.at(name)).await
    }

    /// One page of the case's container.
    pub(crate) async fn page(
        &self,
        prefix: &str,
        after: Option<&str>,
        limit: u32,
    ) -> Result<(Vec<ObjectInfo>, bool), Failure> {
        let after = after.map(str::to_owned);
        let page = self
            .instance
            .list_objects(self.ground.container(), prefix, after, limit)
            .await?;
        Ok((page.objects, page.more))
    }

    /// All objects that begin with the prefix, by pages of so many; a listing that is out of order or does not get on is a
    /// finding.
    pub(crate) async fn list(&self, prefix: &str, limit: u32) -> Result<Vec<ObjectInfo>, Stop> {
        let mut all: Vec<ObjectInfo> = Vec::new();
        for _ in 0..PAGES {
            let after = all.last().map(|object| object.name.clone());
            let what = format!("the page of {prefix}… after {after:?}");
            let (objects, more) = self.page(prefix, after.as_deref(), limit).await.must(what)?;
            let dead_end = objects.is_empty() && more;
            for object in objects {
                let last = all.last().map(|last| last.name.as_str());
                if last.is_some_and(|last| object.name.as_str() <= last) || !object.name.starts_with(prefix) {
                    let expected = format!("names that begin with {prefix} and come after {last:?}");
                    return Err(found(expected, format!("{:?}", object.name)));
                }
                all.push(object);
            }
            if dead_end {
                return Err(found(
                    "a page with names, since more are to follow",
                    "an empty one",
                ));
            }
            if !more {
                return Ok(all);
            }
        }
        Err(found("a listing that ends", format!("{PAGES} pages and no end")))
    }

    /// The names of all objects that begin with the prefix.
    pub(crate) async fn names(&self, prefix: &str) -> Result<Vec<String>, Stop> {
        Ok(self
            .list(prefix, 1000)
            .await?
            .into_iter()
            .map(|object| object.name)
            .collect())
    }
}
