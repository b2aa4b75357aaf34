//! The contract's functions as methods of an instance, with the checks that a driver's answer needs before anyone
//! believes it: a body that was stored must have been read to its end, an object that was fetched must have as many
//! bytes as the driver says, a page must not hold more than was asked for.

use std::future::Future;
use std::pin::Pin;

use wasmtime::component::Resource;
use wasmtime_wasi::p2::{DynInputStream, DynOutputStream, StreamError};

use crate::body::{Body, Meter, Sink};
use crate::budget::Budget;
use crate::contract::{
    BackupIdentity, BodyInfo, ByteRange, ContainerPage, DriverError, DriverInfo, ObjectAddress, ObjectInfo,
    Page, Placement, Setting, SpaceUsage,
};
use crate::failure::{Failure, Phase, clean};
use crate::instance::{Answer, Guest, Instance};
use crate::limits::TEXT;
use crate::secrets::Scrubber;
use crate::stall::Stall;
use crate::stream::{Reader, Writer};

type Calling<'a, R> = Pin<Box<dyn Future<Output = wasmtime::Result<R>> + Send + 'a>>;

/// Entries that one page of a listing may ask for.
pub const MAX_PAGE: u32 = 1000;

impl Instance {
    /// What the driver says of itself.
    pub(crate) async fn describe(&self, budget: &Budget) -> Result<DriverInfo, Failure> {
        let answer = self
            .call(Phase::Describe, budget, None, |guest| {
                Box::pin(
                    guest
                        .bindings
                        .cofferdam_backup_backup_driver()
                        .call_describe(&mut guest.store),
                )
            })
            .await?;
        Ok(answer.value)
    }

    /// Configures the instance.
    ///
    /// # Errors
    /// Any [`Failure`]; whatever it is but the driver's own error has ended the instance.
    pub async fn do_setup(&self, settings: &[Setting], budget: &Budget) -> Result<(), Failure> {
        let settings = settings.to_vec();
        let call = self.short(Phase::DoSetup, budget, move |guest| {
            Box::pin(async move {
                guest
                    .bindings
                    .cofferdam_backup_backup_driver()
                    .call_do_setup(&mut guest.store, &settings)
                    .await
            })
        });
        call.await
    }

    /// Proves that the backend is usable, canary and all.
    ///
    /// # Errors
    /// As [`Instance::do_setup`].
    pub async fn check_for_setup_error(&self, budget: &Budget) -> Result<(), Failure> {
        let call = self.short(Phase::CheckForSetupError, budget, |guest| {
            Box::pin(
                guest
                    .bindings
                    .cofferdam_backup_backup_driver()
                    .call_check_for_setup_error(&mut guest.store),
            )
        });
        call.await
    }

    /// Whether the backend still works.
    ///
    /// # Errors
    /// As [`Instance::do_setup`].
    pub async fn probe(&self, budget: &Budget) -> Result<(), Failure> {
        let call = self.short(Phase::Probe, budget, |guest| {
            Box::pin(
                guest
                    .bindings
                    .cofferdam_backup_backup_driver()
                    .call_probe(&mut guest.store),
            )
        });
        call.await
    }

    /// How full the storage is; `None` from a driver that has not this interface, which a later contract may add (`wit/trial`).
    ///
    /// # Errors
    /// As [`Instance::do_setup`].
    pub async fn space(&self) -> Result<Option<SpaceUsage>, Failure> {
        let call = self.unplanned(Phase::Probe, |guest| {
            Box::pin(async move {
                let Some(later) = &guest.later else {
                    return Ok(Ok(None));
                };
                let told = later
                    .cofferdam_space_space()
                    .call_measure(&mut guest.store)
                    .await?;
                Ok(told.map(Some).map_err(DriverError::Failed))
            })
        });
        call.await
    }

    /// Where a new backup goes.
    ///
    /// # Errors
    /// As [`Instance::do_setup`].
    pub async fn place_backup(
        &self,
        backup: BackupIdentity,
        container: Option<String>,
    ) -> Result<Placement, Failure> {
        let call = self.unplanned(Phase::PlaceBackup, move |guest| {
            Box::pin(async move {
                let driver = guest.bindings.cofferdam_backup_backup_driver();
                driver
                    .call_place_backup(&mut guest.store, &backup, container.as_deref())
                    .await
            })
        });
        call.await
    }

    /// Makes the container if it is missing.
    ///
    /// # Errors
    /// As [`Instance::do_setup`].
    pub async fn create_container(&self, container: &str) -> Result<(), Failure> {
        let container = container.to_owned();
        let call = self.unplanned(Phase::CreateContainer, move |guest| {
            Box::pin(async move {
                guest
                    .bindings
                    .cofferdam_backup_object_store()
                    .call_create_container(&mut guest.store, &container)
                    .await
            })
        });
        call.await
    }

    /// Stores an object from a stream. Waits as long as bytes move.
    ///
    /// # Errors
    /// As [`Instance::do_setup`]; also `driver.failed` when the driver says that it stored a body which it has not
    /// read to its end.
    pub async fn put_object(&self, at: ObjectAddress, body: Reader, info: BodyInfo) -> Result<(), Failure> {
        let meter = Meter::default();
        let body: DynInputStream = Box::new(Body::new(body, meter.clone()));
        let stall = Some(Stall::of(&self.limits, meter));
        let answer = self
            .call(Phase::PutObject, &self.budget(), stall, move |guest| {
                Box::pin(async move {
                    let body = guest.store.data_mut().table.push(body)?;
                    let lent = Resource::new_borrow(body.rep());
                    let store = guest.bindings.cofferdam_backup_object_store();
                    let answer = store.call_put_object(&mut guest.store, &at, lent, &info).await?;
                    let mut body: DynInputStream = guest.store.data_mut().table.delete(body)?;
                    let rest = match (&answer, body.blocking_read(1).await) {
                        (Err(_), _) | (_, Err(StreamError::Closed)) => None,
                        (Ok(()), Ok(_)) => {
                            Some("it said that it stored a body which it had not read to its end".into())
                        }
                        (Ok(()), Err(error)) => {
                            Some(format!("it said that it stored a body which broke: {error}"))
                        }
                    };
                    Ok(match rest {
                        Some(reason) => Err(DriverError::Failed(reason)),
                        None => answer,
                    })
                })
            })
            .await?;
        checked(Phase::PutObject, answer, &self.scrubber)
    }

    /// Fetches an object, or a range of it, into a stream, and finishes or fails that stream. Waits as long as bytes
    /// move. Says how many bytes that were.
    ///
    /// # Errors
    /// As [`Instance::do_setup`]; also `driver.failed` when the driver wrote more or fewer bytes than it says.
    pub async fn get_object(
        &self,
        at: ObjectAddress,
        range: Option<ByteRange>,
        sink: Writer,
    ) -> Result<u64, Failure> {
        let meter = Meter::default();
        let (end, counted) = (sink.clone(), meter.clone());
        let sink: DynOutputStream = Box::new(Sink::new(sink, meter.clone()));
        let stall = Some(Stall::of(&self.limits, meter));
        let result = self
            .call(Phase::GetObject, &self.budget(), stall, move |guest| {
                Box::pin(async move {
                    let sink = guest.store.data_mut().table.push(sink)?;
                    let lent = Resource::new_borrow(sink.rep());
                    let store = guest.bindings.cofferdam_backup_object_store();
                    let answer = store.call_get_object(&mut guest.store, &at, range, lent).await?;
                    let mut sink: DynOutputStream = guest.store.data_mut().table.delete(sink)?;
                    if answer.is_ok() && sink.write_ready().await.is_err() {
                        return Ok(Err(DriverError::Failed(
                            "the reader of the object went away".into(),
                        )));
                    }
                    Ok(answer)
                })
            })
            .await
            .and_then(|answer| checked(Phase::GetObject, answer, &self.scrubber))
            .and_then(|said| {
                let wrote = counted.bytes();
                if said == wrote {
                    return Ok(said);
                }
                let reason = format!("it said that it wrote {said} bytes and wrote {wrote}");
                Err(Failure::Driver {
                    phase: Phase::GetObject,
                    error: DriverError::Failed(reason),
                })
            });
        match &result {
            // A reader that is gone wants nothing any more.
            Ok(_) => drop(end.finish().await),
            Err(failure) => end.fail(failure.to_string()).await,
        }
        result
    }

    /// Size of an object.
    ///
    /// # Errors
    /// As [`Instance::do_setup`]; `driver.not-found` when it is not there.
    pub async fn stat_object(&self, at: ObjectAddress) -> Result<ObjectInfo, Failure> {
        let call = self.unplanned(Phase::StatObject, move |guest| {
            Box::pin(async move {
                guest
                    .bindings
                    .cofferdam_backup_object_store()
                    .call_stat_object(&mut guest.store, &at)
                    .await
            })
        });
        call.await
    }

    /// Deletes an object; one that is absent too.
    ///
    /// # Errors
    /// As [`Instance::do_setup`].
    pub async fn delete_object(&self, at: ObjectAddress) -> Result<(), Failure> {
        let call = self.unplanned(Phase::DeleteObject, move |guest| {
            Box::pin(async move {
                guest
                    .bindings
                    .cofferdam_backup_object_store()
                    .call_delete_object(&mut guest.store, &at)
                    .await
            })
        });
        call.await
    }

    /// One page of a listing; `limit` is brought into 1 to [`MAX_PAGE`].
    ///
    /// # Errors
    /// As [`Instance::do_setup`]; also `driver.failed` when the page holds more than was asked for.
    pub async fn list_objects(
        &self,
        container: &str,
        prefix: &str,
        after: Option<String>,
        limit: u32,
    ) -> Result<Page, Failure> {
        let (container, prefix, limit) = (container.to_owned(), prefix.to_owned(), limit.clamp(1, MAX_PAGE));
        let call = self.unplanned(Phase::ListObjects, move |guest| {
            Box::pin(async move {
                let store = guest.bindings.cofferdam_backup_object_store();
                store
                    .call_list_objects(&mut guest.store, &container, &prefix, after.as_deref(), limit)
                    .await
            })
        });
        let page: Page = call.await?;
        check_page(Phase::ListObjects, page.objects.len(), limit)?;
        Ok(page)
    }

    /// One page of the containers in which backups may be; `limit` is brought into 1 to [`MAX_PAGE`].
    ///
    /// # Errors
    /// As [`Instance::list_objects`]; `driver.unsupported` when the driver cannot tell.
    pub async fn list_containers(&self, after: Option<String>, limit: u32) -> Result<ContainerPage, Failure> {
        let limit = limit.clamp(1, MAX_PAGE);
        let call = self.unplanned(Phase::ListContainers, move |guest| {
            Box::pin(async move {
                let store = guest.bindings.cofferdam_backup_object_store();
                store
                    .call_list_containers(&mut guest.store, after.as_deref(), limit)
                    .await
            })
        });
        let page: ContainerPage = call.await?;
        check_page(Phase::ListContainers, page.containers.len(), limit)?;
        Ok(page)
    }

    /// A short call that no other budget covers.
    async fn unplanned<T: Send + 'static>(
        &self,
        phase: Phase,
        call: impl for<'a> FnOnce(&'a mut Guest) -> Calling<'a, Result<T, DriverError>> + Send + 'static,
    ) -> Result<T, Failure> {
        self.short(phase, &self.budget(), call).await
    }

    async fn short<T: Send + 'static>(
        &self,
        phase: Phase,
        budget: &Budget,
        call: impl for<'a> FnOnce(&'a mut Guest) -> Calling<'a, Result<T, DriverError>> + Send + 'static,
    ) -> Result<T, Failure> {
        checked(phase, self.call(phase, budget, None, call).await?, &self.scrubber)
    }
}

fn check_page(phase: Phase, listed: usize, limit: u32) -> Result<(), Failure> {
    if listed <= limit as usize {
        return Ok(());
    }
    let reason = format!("it listed {listed} names where {limit} were asked for");
    Err(Failure::Driver {
        phase,
        error: DriverError::Failed(reason),
    })
}

/// The driver's own error as a failure; a denial that came before it says more than the driver can.
fn checked<T>(
    phase: Phase,
    answer: Answer<Result<T, DriverError>>,
    scrubber: &Scrubber,
) -> Result<T, Failure> {
    match (answer.value, answer.denied) {
        (Ok(value), _) => Ok(value),
        (Err(_), Some(denial)) => Err(Failure::Denied {
            wanted: clean(&scrubber.scrub(&denial.wanted), TEXT),
            grant: clean(&scrubber.scrub(&denial.grant), TEXT),
        }),
        (Err(error), None) => Err(Failure::Driver {
            phase,
            error: cleaned(error, scrubber),
        }),
    }
}

/// The driver's words, cut, without secrets and control characters.
fn cleaned(error: DriverError, scrubber: &Scrubber) -> DriverError {
    let cut = |text: String| clean(&scrubber.scrub(&text), TEXT);
    match error {
        DriverError::InvalidConfiguration(mut fault) => {
            fault.option_name = clean(&scrubber.scrub(&fault.option_name), 100);
            fault.reason = cut(fault.reason);
            DriverError::InvalidConfiguration(fault)
        }
        DriverError::Throttled(mut throttle) => {
            throttle.reason = cut(throttle.reason);
            DriverError::Throttled(throttle)
        }
        DriverError::Unauthorized(text) => DriverError::Unauthorized(cut(text)),
        DriverError::Unavailable(text) => DriverError::Unavailable(cut(text)),
        DriverError::NotFound(text) => DriverError::NotFound(cut(text)),
        DriverError::AlreadyExists(text) => DriverError::AlreadyExists(cut(text)),
        DriverError::OutOfSpace(text) => DriverError::OutOfSpace(cut(text)),
        DriverError::Corrupted(text) => DriverError::Corrupted(cut(text)),
        DriverError::Unsupported(text) => DriverError::Unsupported(cut(text)),
        DriverError::Failed(text) => DriverError::Failed(cut(text)),
    }
}
