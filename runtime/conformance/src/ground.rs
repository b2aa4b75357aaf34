//! What a case stands on: instances of the driver, names of its own, and the clearing up after it.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use cofferdam_sandbox::Limits;
use cofferdam_sandbox::contract::ObjectAddress;

use crate::case::{Case, Stop, Verdict};
use crate::content::{Content, seed_of};
use crate::expect::{Expect, equal, found, holds, same, shown};
use crate::proxy::{Fault, Proxy, Rule};
use crate::store::Store;
use crate::subject::Subject;

/// The ground of one case.
pub struct Ground<'s> {
    subject: &'s Subject,
    container: &'s str,
    /// What all names of the case begin with; it stands in URLs as it is.
    token: String,
    seed: u64,
    noted: Noted,
}

/// What may be there when the case has ended.
#[derive(Debug, Clone, Default)]
pub(crate) struct Noted(Arc<Mutex<BTreeSet<(String, String)>>>);

impl Noted {
    pub(crate) fn add(&self, at: &ObjectAddress) {
        let mut put = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        put.insert((at.container.clone(), at.name.clone()));
    }

    fn take(&self) -> BTreeSet<(String, String)> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl<'s> Ground<'s> {
    pub(crate) fn new(subject: &'s Subject, container: &'s str, case: &Case, seed: u64) -> Self {
        let own = seed_of(seed, case.name);
        Ground {
            subject,
            container,
            token: format!("c{}x{:08x}", case.number, own as u32),
            seed: own,
            noted: Noted::default(),
        }
    }

    /// The driver under test.
    pub fn subject(&self) -> &'s Subject {
        self.subject
    }

    pub(crate) fn container(&self) -> &str {
        self.container
    }

    /// A name of this case's own.
    pub(crate) fn name(&self, rest: &str) -> String {
        format!("{}-{rest}", self.token)
    }

    /// What all its names begin with.
    pub(crate) fn prefix(&self) -> String {
        format!("{}-", self.token)
    }

    pub(crate) fn at(&self, name: &str) -> ObjectAddress {
        ObjectAddress {
            container: self.container.to_owned(),
            name: name.to_owned(),
        }
    }

    /// Bytes that no other name has.
    pub(crate) fn content(&self, name: &str, size: u64) -> Content {
        Content::new(seed_of(self.seed, name), size)
    }

    pub(crate) fn rng(&self) -> fastrand::Rng {
        fastrand::Rng::with_seed(self.seed)
    }

    /// A new instance that is set up, with time enough, and the container made.
    pub(crate) async fn store(&self) -> Result<Store<'_>, Stop> {
        self.store_with(self.subject.limits().clone()).await
    }

    /// The same for calls that meet a fault: with short limits.
    pub(crate) async fn hurried(&self) -> Result<Store<'_>, Stop> {
        self.store_with(self.subject.hurried()).await
    }

    /// The same with any limits. The container must be there already.
    pub(crate) async fn store_with(&self, limits: Limits) -> Result<Store<'_>, Stop> {
        let instance = self
            .subject
            .open(&Arc::new(limits))
            .await
            .must("an instance that can be set up")?;
        Ok(Store::new(self, instance))
    }

    /// The fault proxy.
    pub(crate) fn proxy(&self) -> Result<&Proxy, Stop> {
        self.subject
            .proxy()
            .map_err(|reason| Stop::Skipped(reason.to_owned()))
    }

    /// Lets something go wrong with all requests in which the name stands.
    pub(crate) fn inject(&self, name: &str, fault: Fault) -> Verdict {
        self.inject_rule(Rule::new(name, fault))
    }

    pub(crate) fn inject_rule(&self, rule: Rule) -> Verdict {
        let proxy = self.proxy()?;
        proxy.reset();
        proxy.inject(rule);
        Ok(())
    }

    /// Ends what goes wrong; a fault that no request met has proved nothing. Says how many requests met one.
    pub(crate) fn mend(&self) -> Result<usize, Stop> {
        let proxy = self.proxy()?;
        proxy.mend();
        match proxy.faults() {
            0 => Err(found(
                "a request that holds the object's name",
                format!("{:?}", proxy.seen()),
            )),
            faults => Ok(faults),
        }
    }

    /// Nothing is visible under the name, to an instance of its own.
    pub(crate) async fn absent(&self, name: &str) -> Verdict {
        let store = self.store().await?;
        let gone = ["driver.not-found"];
        store
            .stat(name)
            .await
            .refused(format!("nothing under {name}; stat"), &gone)?;
        store
            .get(name)
            .await
            .refused(format!("nothing under {name}; get"), &gone)?;
        let names = store.names(name).await?;
        holds(
            !names.iter().any(|listed| listed == name),
            format!("no {name} in a listing"),
            || format!("{names:?}"),
        )
    }

    /// Exactly these bytes are under the name, to an instance of its own.
    pub(crate) async fn whole(&self, name: &str, bytes: &[u8]) -> Verdict {
        let store = self.store().await?;
        same(
            name,
            bytes,
            &store.get(name).await.must(format!("{name} to be there"))?,
        )?;
        let size = store.stat(name).await.must(format!("{name} to be there"))?;
        equal("the size by stat", &(bytes.len() as u64), &size)?;
        let listed = store.list(name, 1000).await?;
        let listed = listed
            .iter()
            .find(|object| object.name == name)
            .map(|object| object.size);
        equal("the size in a listing", &Some(bytes.len() as u64), &listed)
    }

    /// Either nothing is under the name, or exactly these bytes.
    pub(crate) async fn absent_or_whole(&self, name: &str, bytes: &[u8]) -> Verdict {
        let store = self.store().await?;
        match store.get(name).await {
            Ok(came) => same(name, bytes, &came),
            Err(failure) if failure.is_not_found() => self.absent(name).await,
            Err(failure) => Err(found(format!("{name} to be there or not"), shown(&failure))),
        }
    }

    pub(crate) fn note(&self, at: &ObjectAddress) {
        self.noted.add(at);
    }

    pub(crate) fn noted(&self) -> &Noted {
        &self.noted
    }

    /// Deletes all that the case may have left. Says what could not be deleted.
    pub(crate) async fn clear(&self) -> Result<(), String> {
        let put = self.noted.take();
        if let Ok(proxy) = self.subject.proxy() {
            proxy.reset();
        }
        if let Some(room) = self.subject.room() {
            room.give_back().map_err(|error| error.to_string())?;
        }
        if put.is_empty() {
            return Ok(());
        }
        let instance = self.subject.open(&Arc::new(self.subject.limits().clone())).await;
        let instance = instance.map_err(|failure| shown(&failure))?;
        for (container, name) in put {
            match instance.delete_object(ObjectAddress { container, name }).await {
                // A name that the driver refuses was never stored.
                Err(failure) if !refuses(failure.code()) => return Err(shown(&failure)),
                _ => {}
            }
        }
        Ok(())
    }
}

/// Whether a driver says by this that it does not take a name.
pub(crate) fn refuses(code: &str) -> bool {
    ["driver.unsupported", "driver.invalid-configuration"].contains(&code)
}
