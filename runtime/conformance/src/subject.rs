//! One driver with its settings, ready to be asked: fresh instances of it, what it declares, and the fault proxy before its
//! storage.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, SystemTime};

use cofferdam_sandbox::contract::{BodyNeeds, DriverInfo, OptionKind, SettingValue};
use cofferdam_sandbox::requirements::{self, Grants, Provision, Written};
use cofferdam_sandbox::{Budget, Driver, Failure, Instance, Limits, Phase, Sandbox};

use crate::case::Need;
use crate::proxy::Proxy;

/// What the driver is called in the log and in counters begins with.
pub(crate) const BACKEND: &str = "conformance";

/// A name of its own for each subject, so that one does not hear another.
fn backend() -> String {
    static COUNT: AtomicUsize = AtomicUsize::new(0);
    format!("{BACKEND}-{}", COUNT.fetch_add(1, Ordering::Relaxed))
}

/// A storage whose room can be taken away and given back.
pub trait Room: Send + Sync {
    /// Leaves at most so many bytes free.
    ///
    /// # Errors
    /// What the system says.
    fn leave(&self, bytes: u64) -> io::Result<()>;

    /// Gives all room back.
    ///
    /// # Errors
    /// What the system says.
    fn give_back(&self) -> io::Result<()>;
}

/// What a driver is given, and what is known of its storage.
#[derive(Default)]
pub struct Setup {
    /// As the deployer would write them. URLs name the real server: the fault proxy is put in their place.
    pub settings: BTreeMap<String, Written>,
    /// As the deployer would grant them.
    pub grants: Grants,
    /// Of calls in which nothing is made to go wrong.
    pub limits: Limits,
    /// Sizes of objects at which the driver does something else with these settings: where parts begin and end.
    pub boundaries: Vec<u64>,
    /// How its storage is filled up, if it can be.
    pub room: Option<Box<dyn Room>>,
    /// Whether there is time for ten thousand objects.
    pub thousands: bool,
    /// Whether there is time and room for objects of gigabytes.
    pub gigabytes: bool,
}

/// The driver under test.
pub struct Subject {
    backend: String,
    sandbox: Sandbox,
    component: Driver,
    provision: Provision,
    /// What the provision is made from; URLs name the fault proxy.
    settings: BTreeMap<String, Written>,
    grants: Grants,
    limits: Arc<Limits>,
    info: DriverInfo,
    /// Or why there is none.
    proxy: Result<Proxy, String>,
    boundaries: Vec<u64>,
    room: Option<Box<dyn Room>>,
    thousands: bool,
    gigabytes: bool,
}

impl Subject {
    /// Loads a component and puts the fault proxy between it and its storage, when that is reached by plain HTTP.
    ///
    /// # Errors
    /// Any [`Failure`] of loading and `describe`; what does not fit among settings and grants; no port for the proxy.
    pub async fn load(sandbox: &Sandbox, file: &Path, setup: Setup) -> Result<Self, Failure> {
        let limits = Arc::new(setup.limits);
        let (component, info) = load(sandbox, file, &limits).await?;
        let (mut settings, mut grants) = (setup.settings, setup.grants);
        let proxy = match storage(&info, &settings) {
            Ok(authority) => Ok(before(&authority, &info, &mut settings, &mut grants).await?),
            Err(reason) => Err(reason),
        };
        Ok(Subject {
            backend: backend(),
            provision: requirements::provide(&info, &settings, &grants)?,
            settings,
            grants,
            sandbox: sandbox.clone(),
            component,
            limits,
            info,
            proxy,
            boundaries: setup.boundaries,
            room: setup.room,
            thousands: setup.thousands,
            gigabytes: setup.gigabytes,
        })
    }

    /// SHA-256 of the component, in hex.
    pub fn digest(&self) -> &str {
        &self.component.report.digest
    }

    /// What the driver says of itself.
    pub fn info(&self) -> &DriverInfo {
        &self.info
    }

    /// The fault proxy, or why there is none.
    pub fn proxy(&self) -> Result<&Proxy, &str> {
        self.proxy.as_ref().map_err(String::as_str)
    }

    pub(crate) fn limits(&self) -> &Limits {
        &self.limits
    }

    pub(crate) fn boundaries(&self) -> &[u64] {
        &self.boundaries
    }

    pub(crate) fn room(&self) -> Option<&dyn Room> {
        self.room.as_deref()
    }

    /// What it is called in the log and in counters.
    pub(crate) fn backend(&self) -> &str {
        &self.backend
    }

    /// The version of the contract that it was built for.
    pub(crate) fn contract(&self) -> &str {
        &self.component.report.contract
    }

    /// What it is given.
    pub(crate) fn provision(&self) -> &Provision {
        &self.provision
    }

    /// What it would be given if settings and grants were others.
    pub(crate) fn provided(
        &self,
        change: impl FnOnce(&mut BTreeMap<String, Written>, &mut Grants),
    ) -> Result<Provision, Failure> {
        let (mut settings, mut grants) = (self.settings.clone(), self.grants.clone());
        change(&mut settings, &mut grants);
        requirements::provide(&self.info, &settings, &grants)
    }

    /// The URLs among its settings, by their options' names.
    pub(crate) fn urls(&self) -> Vec<(&str, http::Uri)> {
        urls(&self.info, &self.settings)
    }

    /// What one call, or one set-up, may use.
    pub(crate) fn budget(&self) -> Budget {
        Budget::new(self.limits.call_timeout, self.limits.call_fuel)
    }

    /// What opens instances of it.
    pub(crate) fn opener(&self) -> Opener {
        Opener {
            backend: self.backend.clone(),
            sandbox: self.sandbox.clone(),
            component: self.component.clone(),
            provision: self.provision.clone(),
            limits: self.limits.clone(),
        }
    }

    /// A new instance after `do-setup`.
    pub(crate) async fn open(&self, limits: &Arc<Limits>) -> Result<Instance, Failure> {
        let instance = self.bare(&self.provision, limits).await?;
        instance
            .do_setup(&self.provision.settings, &self.budget())
            .await?;
        Ok(instance)
    }

    /// A new instance before `do-setup`.
    pub(crate) async fn bare(
        &self,
        provision: &Provision,
        limits: &Arc<Limits>,
    ) -> Result<Instance, Failure> {
        let budget = self.budget();
        self.sandbox
            .open(&self.component, &self.backend, provision, limits, &budget)
            .await
    }

    /// What the driver says of itself, in a new instance that has nothing.
    pub(crate) async fn describe(&self) -> Result<DriverInfo, Failure> {
        let budget = self.budget();
        self.sandbox
            .describe(&self.component, &self.backend, &self.limits, &budget)
            .await
    }

    /// Requests and connections that it was denied so far.
    pub(crate) fn denials(&self) -> u64 {
        self.sandbox.denials(&self.backend)
    }

    /// Everything that is in its directories now; `None` when it has none that it may write.
    pub(crate) fn traces(&self) -> Option<BTreeSet<Trace>> {
        let mut all = BTreeSet::new();
        let mut writable = self
            .provision
            .directories
            .iter()
            .filter(|grant| grant.write)
            .peekable();
        writable.peek()?;
        for grant in writable {
            gather(&grant.path, &mut all);
        }
        Some(all)
    }

    /// The limits of calls that meet a fault: short, so that a case which waits for one ends soon.
    pub(crate) fn hurried(&self) -> Limits {
        Limits {
            http_connect_timeout: Duration::from_secs(2),
            http_first_byte_timeout: Duration::from_secs(1),
            http_between_bytes_timeout: Duration::from_secs(1),
            stall_timeout: Duration::from_secs(3),
            stall_bytes: 10_000,
            call_timeout: Duration::from_secs(6),
            ..(*self.limits).clone()
        }
    }

    /// Why it has not what a case needs.
    pub(crate) fn lacks(&self, need: Need) -> Option<String> {
        let without = |there: bool, reason: &str| (!there).then(|| reason.to_owned());
        let digests = BodyNeeds::MD5 | BodyNeeds::SHA256 | BodyNeeds::CRC32C;
        let needs = self.info.needs;
        match need {
            Need::Traces => without(
                self.traces().is_some() || self.proxy.is_ok(),
                "what it leaves on its storage cannot be seen from here",
            ),
            Need::Directory => without(self.traces().is_some(), "it has no directory that it may write"),
            Need::Secrets => without(!self.provision.secrets.is_empty(), "its settings hold no secret"),
            Need::RequiredOptions => without(
                self.info.options.iter().any(|option| option.required),
                "no option of it is required",
            ),
            Need::Ears => without(crate::ears::are_open(), "nobody listens to its log"),
            Need::Faults => self.proxy().err().map(str::to_owned),
            Need::UnknownSize => without(
                needs == BodyNeeds::empty(),
                "it must know size or digests before a put",
            ),
            Need::KnownSize => without(
                needs.contains(BodyNeeds::SIZE),
                "it does not ask for a body's size",
            ),
            Need::Digests => without(needs.intersects(digests), "it does not ask for a digest"),
            Need::Boundaries => without(
                !self.boundaries.is_empty(),
                "no sizes are told at which it begins a new part",
            ),
            Need::GreatestObject => {
                without(self.info.greatest_object.is_some(), "it names no greatest object")
            }
            Need::Room => without(self.room.is_some(), "nothing is known that fills its storage up"),
            Need::Thousands => without(
                self.thousands,
                "ten thousand objects take minutes; only on demand",
            ),
            Need::Gigabytes => without(self.gigabytes, "takes minutes and gigabytes; only on demand"),
            Need::Never(reason) => Some(reason.to_owned()),
        }
    }
}

/// What a component says of itself.
///
/// # Errors
/// Any [`Failure`] of loading and `describe`.
pub async fn describe(sandbox: &Sandbox, file: &Path, limits: &Limits) -> Result<DriverInfo, Failure> {
    let limits = Arc::new(limits.clone());
    load(sandbox, file, &limits).await.map(|(_, info)| info)
}

async fn load(sandbox: &Sandbox, file: &Path, limits: &Arc<Limits>) -> Result<(Driver, DriverInfo), Failure> {
    let component = sandbox.load(file, limits).await?;
    let budget = Budget::new(limits.call_timeout, limits.call_fuel);
    let info = sandbox.describe(&component, BACKEND, limits, &budget).await?;
    Ok((component, info))
}

/// Opens instances of a driver for whoever outlives the borrow of it.
#[derive(Clone)]
pub(crate) struct Opener {
    backend: String,
    sandbox: Sandbox,
    component: Driver,
    provision: Provision,
    limits: Arc<Limits>,
}

impl Opener {
    /// A new instance after `do-setup`.
    pub(crate) async fn open(&self) -> Result<Instance, Failure> {
        let budget = Budget::new(self.limits.call_timeout, self.limits.call_fuel);
        let instance = self
            .sandbox
            .open(
                &self.component,
                &self.backend,
                &self.provision,
                &self.limits,
                &budget,
            )
            .await?;
        instance.do_setup(&self.provision.settings, &budget).await?;
        Ok(instance)
    }
}

/// A file or a folder of a driver's directory.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Trace {
    pub(crate) path: PathBuf,
    pub(crate) size: u64,
    /// Of a file: a folder is written to whenever something in it comes and goes.
    written: Option<SystemTime>,
}

/// Adds what is below a folder, as far as it can be read.
fn gather(folder: &Path, all: &mut BTreeSet<Trace>) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let Ok(found) = entry.metadata() else { continue };
        let path = entry.path();
        if found.is_dir() {
            gather(&path, all);
        }
        all.insert(match found.is_dir() {
            true => Trace {
                path,
                size: 0,
                written: None,
            },
            false => Trace {
                path,
                size: found.len(),
                written: found.modified().ok(),
            },
        });
    }
}

/// Host and port of the one server that all URLs among the settings name, or why no proxy can stand before it.
fn storage(info: &DriverInfo, settings: &BTreeMap<String, Written>) -> Result<String, String> {
    let mut authorities: Vec<String> = Vec::new();
    for (name, url) in urls(info, settings) {
        let authority = match url.scheme_str() {
            Some("http") => url.authority().map(ToString::to_string),
            _ => return Err(format!("{name} is no http URL, so no proxy can stand before it")),
        };
        authorities.extend(authority);
    }
    authorities.sort_unstable();
    authorities.dedup();
    match (info.wants_http, authorities.as_slice()) {
        (true, [authority]) => Ok(authority.clone()),
        (true, []) => Err("no setting names the server".into()),
        (true, _) => Err("its settings name several servers".into()),
        (false, _) => Err("it is not reached over HTTP".into()),
    }
}

fn urls<'a>(info: &'a DriverInfo, settings: &BTreeMap<String, Written>) -> Vec<(&'a str, http::Uri)> {
    let url = |name: &str| match settings.get(name)? {
        Written::Plain(SettingValue::Text(text)) => text.parse().ok(),
        _ => None,
    };
    let named = info
        .options
        .iter()
        .filter(|option| option.kind == OptionKind::Url);
    named
        .filter_map(|option| Some((option.name.as_str(), url(&option.name)?)))
        .collect()
}

/// Starts the proxy and puts it in the server's place in settings and grants.
async fn before(
    authority: &str,
    info: &DriverInfo,
    settings: &mut BTreeMap<String, Written>,
    grants: &mut Grants,
) -> Result<Proxy, Failure> {
    let host = |reason: String| Failure::Host {
        phase: Phase::Grant,
        reason: format!("no fault proxy can be made: {reason}"),
        remedy: "see the system's words".into(),
    };
    let upstream = match authority.rsplit_once(':') {
        Some((_, port)) if port.parse::<u16>().is_ok() => authority.to_owned(),
        _ => format!("{authority}:80"),
    };
    let proxy = Proxy::start(&upstream)
        .await
        .map_err(|error| host(error.to_string()))?;
    let origin = format!("http://{}", proxy.authority());
    for (name, url) in urls(info, settings) {
        let rest = url.path_and_query().map_or("", |rest| rest.as_str());
        let moved = SettingValue::Text(format!("{origin}{}", if rest == "/" { "" } else { rest }));
        settings.insert(name.to_owned(), moved.into());
    }
    grants.http.push(origin.parse().map_err(host)?);
    Ok(proxy)
}
