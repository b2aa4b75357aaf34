//! A reverse proxy on the loopback that stands before a real server and breaks what a test wants broken.
//!
//! Problem: a real server seldom fails when it is looked at, and a made-up one proves nothing about the real one's dialect.
//! Solution: every request goes to the real server as it came, head and all (the `Host` too, which S3 signs and of which Swift
//! makes its URLs), unless a [`Rule`] says what is to go wrong with it. What was asked is counted and kept, so that a case can
//! prove that its fault was met, and that nothing was tried more often than it should be.
//!
//! HTTP/1.1 without TLS. One connection to the server per request: a fault leaves no trace in the next one. Bound: the newest
//! [`KEPT`] requests are kept; bodies pass piece by piece. Cost: one dial per request, 0.1 ms.

mod body;
mod connection;
mod cut;
mod fault;
#[cfg(test)]
mod tests;

use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use http::{Method, Uri};
use tokio::net::TcpListener;
use tokio::task::{JoinHandle, JoinSet};

pub use fault::{Answer, Fault, Rule};

/// Requests that are kept to be looked at.
const KEPT: usize = 10_000;

/// A request that came.
#[derive(Debug, Clone)]
pub struct Seen {
    /// Its method.
    pub method: Method,
    /// Path and query, as they came.
    pub uri: String,
    /// What went wrong with it, if anything did.
    pub fault: Option<Fault>,
}

/// A rule, and how many requests it has met.
#[derive(Debug)]
struct Armed {
    rule: Rule,
    met: usize,
}

#[derive(Debug, Default)]
struct Book {
    rules: Vec<Armed>,
    seen: Vec<Seen>,
}

#[derive(Debug)]
struct Shared {
    upstream: String,
    book: Mutex<Book>,
}

impl Shared {
    fn book(&self) -> MutexGuard<'_, Book> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What is to go wrong with a request, by the first rule that has its turn.
    fn judge(&self, method: &Method, uri: &Uri, has_body: bool) -> Option<Fault> {
        let mut book = self.book();
        let uri = uri.to_string();
        let mut fault = None;
        for armed in &mut book.rules {
            if armed.rule.fits(method, &uri, has_body) {
                armed.met += 1;
                if fault.is_none() && armed.rule.has_its_turn(armed.met) {
                    fault = Some(armed.rule.fault.clone());
                }
            }
        }
        if book.seen.len() == KEPT {
            book.seen.remove(0);
        }
        book.seen.push(Seen {
            method: method.clone(),
            uri,
            fault: fault.clone(),
        });
        fault
    }
}

/// The proxy. Dropped, it ends with all its connections.
#[derive(Debug)]
pub struct Proxy {
    authority: String,
    shared: Arc<Shared>,
    accepting: JoinHandle<()>,
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

impl Proxy {
    /// Starts one before a server, which is given as `host:port`. Needs a tokio runtime.
    ///
    /// # Errors
    /// When no port can be had on the loopback.
    pub async fn start(upstream: &str) -> io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let authority = listener.local_addr()?.to_string();
        let shared = Arc::new(Shared {
            upstream: upstream.to_owned(),
            book: Mutex::default(),
        });
        let accepting = tokio::spawn(accept(listener, shared.clone()));
        Ok(Proxy {
            authority,
            shared,
            accepting,
        })
    }

    /// Where it listens: `127.0.0.1:port`.
    pub fn authority(&self) -> &str {
        &self.authority
    }

    /// Lets something go wrong from now on. Rules are looked at in the order in which they were given.
    pub fn inject(&self, rule: Rule) {
        self.shared.book().rules.push(Armed { rule, met: 0 });
    }

    /// Lets nothing go wrong any more; what was seen stays.
    pub fn mend(&self) {
        self.shared.book().rules.clear();
    }

    /// Forgets what was seen, and all rules.
    pub fn reset(&self) {
        *self.shared.book() = Book::default();
    }

    /// What was asked since the last [`Proxy::reset`], the oldest first.
    pub fn seen(&self) -> Vec<Seen> {
        self.shared.book().seen.clone()
    }

    /// How many requests met a fault since then.
    pub fn faults(&self) -> usize {
        let book = self.shared.book();
        book.seen.iter().filter(|seen| seen.fault.is_some()).count()
    }
}

async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => { connections.spawn(connection::serve(stream, shared.clone())); }
                // Too many open files, a connection that is gone already: the next one may do.
                Err(_) => tokio::task::yield_now().await,
            },
            Some(_) = connections.join_next() => {}
        }
    }
}
