//! The one place where a guest's HTTP request leaves the process.
//!
//! Problem: a driver is handed the network by its deployer in pieces, and whatever it writes (a URL in disguise, a name that
//! resolves elsewhere the second time, an endless timeout, a million headers) must lead nowhere else. Solution: every request
//! comes through [`Egress::send_request`]. Its URI is held against the grants ([`crate::network`]); placeholders of secrets become
//! values ([`outgoing`]), for a granted origin only; the name is resolved once, each address is checked, and one of the
//! checked addresses is dialled ([`dial`]); TLS, CA files and proxies are the host's ([`tls`], [`dial`]). Connections are kept
//! and used again ([`pool`]). Redirects are not followed: they are answers like others, and the next request is checked anew.
//! What is denied is remembered, so that the call's failure names the missing grant instead of the driver's guess.
//!
//! Bound: [`Limits`] says how many requests are in flight, how many bytes headers have and how long anything is waited for;
//! a guest may ask for less, never for more ([`times`]). Cost: one task per connection on the instance's own thread, no copies.

pub(crate) mod bodies;
pub(crate) mod dial;
mod exchange;
mod faults;
mod outgoing;
mod pool;
#[cfg(test)]
mod tests;
mod times;
pub(crate) mod tls;
mod wire;

use std::future::Future;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use http::Method;
use tokio::sync::Semaphore;
use tokio::time::Instant;
use wasmtime_wasi_http::{Error, RequestOptions, WasiBody, WasiHttpHooks};

use crate::limits::Limits;
use crate::network::{Denial, Policy};
use crate::secrets::Vault;
use dial::Dialer;
use pool::Pool;
use times::{Longest, Times};

type Background = Box<dyn Future<Output = Result<(), Error>> + Send>;
type Answer = Box<dyn Future<Output = Result<(http::Response<WasiBody>, Background), Error>> + Send>;

/// Bytes of one piece of a body, and pieces that wait to be sent.
const PIECE: usize = 256 << 10;
const PIECES: usize = 4;

/// What one instance was denied.
#[derive(Debug)]
pub(crate) struct Denials {
    last: Mutex<Option<Denial>>,
    /// Of the backend, since the service started.
    count: Arc<AtomicU64>,
}

impl Denials {
    pub(crate) fn new(count: Arc<AtomicU64>) -> Self {
        Denials {
            last: Mutex::default(),
            count,
        }
    }

    /// Remembers a denial until the call ends.
    pub(crate) fn note(&self, denial: Denial) {
        self.count.fetch_add(1, Ordering::Relaxed);
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = Some(denial);
    }

    fn take(&self) -> Option<Denial> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

/// One instance's way out.
#[derive(Debug)]
pub(crate) struct Gateway {
    pub(crate) policy: Policy,
    pub(crate) denials: Denials,
    vault: Arc<Vault>,
    dialer: Dialer,
    pool: Pool,
    flights: Arc<Semaphore>,
    longest: Longest,
    header_bytes: usize,
    /// Of the call that is under way.
    deadline: Mutex<Option<Instant>>,
}

/// Decides over one instance's requests, and sends them.
#[derive(Debug)]
pub(crate) struct Egress {
    pub(crate) gateway: Arc<Gateway>,
}

impl Egress {
    pub(crate) fn new(
        policy: Policy,
        vault: Arc<Vault>,
        dialer: Dialer,
        denials: Denials,
        limits: &Limits,
    ) -> Self {
        let gateway = Gateway {
            policy,
            denials,
            vault,
            dialer,
            pool: Pool::default(),
            flights: Arc::new(Semaphore::new(limits.http_requests)),
            longest: Longest::of(limits),
            header_bytes: limits.http_header_bytes,
            deadline: Mutex::default(),
        };
        Egress {
            gateway: Arc::new(gateway),
        }
    }

    /// A call begins that ends at the deadline, if it has one: no request may use all of its time up.
    pub(crate) fn begin_call(&self, deadline: Option<Instant>) {
        *self
            .gateway
            .deadline
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = deadline;
    }

    /// Where the guest wanted to go and was not let; forgotten by asking.
    pub(crate) fn take_denied(&mut self) -> Option<Denial> {
        self.gateway.denials.take()
    }
}

impl Gateway {
    fn times(&self, options: Option<RequestOptions>) -> Times {
        let deadline = *self.deadline.lock().unwrap_or_else(PoisonError::into_inner);
        let left = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
        self.longest.times(options.unwrap_or_default(), left)
    }

    /// Checks a request and sends it.
    pub(crate) async fn send(
        self: Arc<Self>,
        request: http::Request<WasiBody>,
        options: Option<RequestOptions>,
    ) -> Result<http::Response<WasiBody>, Error> {
        let denied = |denial| {
            self.denials.note(denial);
            Error::HttpRequestDenied
        };
        let target = self.policy.admit(request.uri()).map_err(denied)?;
        // What comes back to the guest must not be what was sent; a tunnel would be no request at all.
        if [Method::TRACE, Method::CONNECT].contains(request.method()) {
            return Err(Error::HttpRequestMethodInvalid);
        }
        outgoing::no_secret_beside(&request, &self.vault).map_err(denied)?;
        let permit = self.flights.clone().try_acquire_owned();
        let permit = permit.map_err(|_| Error::ConnectionLimitReached)?;
        let times = self.times(options);
        let request = outgoing::with_secrets(request, &self.vault).await?;
        self.exchange(target, request, times, permit).await
    }
}

impl WasiHttpHooks for Egress {
    fn send_request(
        &mut self,
        request: http::Request<WasiBody>,
        options: Option<RequestOptions>,
        _background: Background,
    ) -> Answer {
        let sending = self.gateway.clone().send(request, options);
        Box::new(async move {
            let response = sending.await?;
            Ok((response, Box::new(async { Ok(()) }) as Background))
        })
    }

    fn p2_outgoing_body_chunk_size(&mut self) -> usize {
        PIECE
    }

    fn p2_outgoing_body_buffer_chunks(&mut self) -> usize {
        PIECES
    }
}
