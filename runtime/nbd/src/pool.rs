//! A few connections to one export, shared by threads.
//!
//! Each request takes a connection for itself; there is no reader thread and no routing between threads. More
//! than one is opened only when the server says that a flush on one holds for all (NBD_FLAG_CAN_MULTI_CONN), and only while
//! all others are busy. A server that stops accepting (qemu-nbd --shared) costs one short wait, then the pool stays as it is.
//!
//! A connection that fell out of step ends the whole client: after a crash of the server, a reconnect and a
//! flush would call writes durable that are lost. Every later request gets the first failure at once.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::address::Address;
use super::connection::Connection;
use super::dial::{Stream, dial};
use super::error::NbdError;
use super::handshake::{Export, Wanted};
use super::wire::CAN_MULTI_CONN;

/// What a further connection may take; without it things only go slower.
const FURTHER: Duration = Duration::from_secs(2);

/// Connections to one export.
#[derive(Debug)]
pub(super) struct Pool {
    address: Address,
    wanted: Wanted,
    timeout: Duration,
    export: Export,
    state: Mutex<State>,
    freed: Condvar,
}

#[derive(Debug)]
struct State {
    idle: Vec<Connection<Stream>>,
    open: usize,
    most: usize,
    failed: Option<NbdError>,
}

impl Pool {
    /// Opens the first connection. `most` is a limit for the rest.
    pub(super) fn connect(
        address: &Address,
        wanted: Wanted,
        timeout: Duration,
        most: usize,
    ) -> Result<Self, NbdError> {
        let first = Connection::open(dial(address, timeout)?, timeout, &wanted)?;
        let export = *first.export();
        let most = if export.has(CAN_MULTI_CONN) {
            most.max(1)
        } else {
            1
        };
        Ok(Pool {
            address: address.clone(),
            wanted,
            timeout,
            export,
            state: Mutex::new(State {
                idle: vec![first],
                open: 1,
                most,
                failed: None,
            }),
            freed: Condvar::new(),
        })
    }

    pub(super) fn export(&self) -> &Export {
        &self.export
    }

    /// Connections that are open now.
    pub(super) fn open(&self) -> usize {
        self.lock().open
    }

    /// Does work with a connection of its own, after waiting for one. Whoever has one gives it back within its
    /// request's limits, so this wait ends too.
    pub(super) fn run<T>(
        &self,
        work: impl FnOnce(&mut Connection<Stream>) -> Result<T, NbdError>,
    ) -> Result<T, NbdError> {
        let mut lease = Lease {
            pool: self,
            connection: None,
            failed: Some(NbdError::protocol("a request was given up half-way")),
        };
        let connection = lease.connection.insert(self.take()?);
        let result = work(connection);
        lease.failed = match &result {
            Err(error) if error.ends_connection() => Some(error.clone()),
            _ => None,
        };
        result
    }

    fn take(&self) -> Result<Connection<Stream>, NbdError> {
        let mut state = self.lock();
        loop {
            if let Some(error) = &state.failed {
                return Err(error.clone());
            }
            if let Some(connection) = state.idle.pop() {
                return Ok(connection);
            }
            if state.open < state.most {
                state.open += 1;
                drop(state);
                let further = self.further();
                state = self.lock();
                match further {
                    Ok(connection) if state.failed.is_none() => return Ok(connection),
                    _ => {
                        state.open -= 1;
                        state.most = state.open.max(1);
                        continue;
                    }
                }
            }
            state = self.freed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn further(&self) -> Result<Connection<Stream>, NbdError> {
        let short = self.timeout.min(FURTHER);
        let mut connection = Connection::open(dial(&self.address, short)?, short, &self.wanted)?;
        if !connection.export().same(&self.export) {
            return Err(NbdError::handshake("a further connection shows another export"));
        }
        connection.set_timeout(self.timeout)?;
        Ok(connection)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A connection on loan; goes back when dropped, unless it is out of step.
struct Lease<'a> {
    pool: &'a Pool,
    connection: Option<Connection<Stream>>,
    failed: Option<NbdError>,
}

impl Drop for Lease<'_> {
    fn drop(&mut self) {
        let Some(connection) = self.connection.take() else {
            return;
        };
        let mut state = self.pool.lock();
        match self.failed.take() {
            None => {
                state.idle.push(connection);
                self.pool.freed.notify_one();
            }
            Some(error) => {
                state.open -= 1;
                state.failed.get_or_insert(error);
                self.pool.freed.notify_all();
            }
        }
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        let state = self.state.get_mut().unwrap_or_else(PoisonError::into_inner);
        if state.failed.is_none() {
            for connection in &mut state.idle {
                connection.disconnect();
            }
        }
    }
}
