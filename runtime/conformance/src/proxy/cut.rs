//! The plug of a client's connection, for those who are in the middle of answering on it.

use std::io::Write;
use std::net::TcpStream;
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::Duration;

use socket2::SockRef;
use tokio::sync::Notify;

/// How a connection ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum How {
    /// By a reset: what is on its way is lost.
    Reset,
    /// In good order, but too early.
    Close,
}

/// A second handle on the socket, and the word to end it.
#[derive(Debug)]
pub(super) struct Cut {
    socket: Mutex<Option<TcpStream>>,
    how: OnceLock<How>,
    told: Notify,
}

impl Cut {
    pub(super) fn new(socket: TcpStream) -> Self {
        Cut {
            socket: Mutex::new(Some(socket)),
            how: OnceLock::new(),
            told: Notify::new(),
        }
    }

    /// Ends the connection.
    pub(super) fn tell(&self, how: How) {
        let _ = self.how.set(how);
        self.told.notify_one();
    }

    /// Ends the connection; whoever waits for this goes with it.
    pub(super) async fn now<T>(&self, how: How) -> T {
        self.tell(how);
        std::future::pending().await
    }

    /// Waits for the word, and makes the socket ready for it: whoever drops the other handle then ends the connection.
    pub(super) async fn told(&self) {
        self.told.notified().await;
        let socket = self.socket.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(socket) = socket
            && self.how.get() == Some(&How::Reset)
        {
            // A linger of no time makes the kernel reset in place of closing.
            let _ = SockRef::from(&socket).set_linger(Some(Duration::ZERO));
        }
    }

    /// Writes past HTTP, as far as the socket takes it at once.
    pub(super) fn write_beside(&self, bytes: &[u8]) {
        let socket = self.socket.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(mut socket) = socket.as_ref() {
            let _ = socket.write(bytes);
        }
    }
}
