//! A front: a port on the loopback before the real storage, which behaves as it is told and may be told otherwise at any time.
//!
//! A change of manner cuts all connections that are there. The port stays the front's own all the time: one that is closed is
//! bound and does not listen. Cost: one task for a front and one for each connection, on the runtime of all fronts.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, copy_bidirectional};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

/// How a front treats who comes.
#[derive(Clone)]
pub(crate) enum Manner {
    /// Nobody listens: connections are refused.
    Closed,
    /// Listens, but takes no connection, so that packets vanish.
    BlackHole,
    /// Takes connections and says nothing, ever.
    Mute,
    /// Passes everything on.
    Open,
    /// The same, inside TLS.
    Tls(TlsAcceptor),
    /// Passes requests on one by one, but for those that this answers itself, by their head.
    Answers(fn(&str) -> Option<&'static str>),
}

/// One front.
pub(crate) struct Front {
    port: u16,
    manner: watch::Sender<Manner>,
}

impl Front {
    /// Opens one before the port of a storage.
    pub(crate) fn open(handle: &Handle, storage: u16, manner: Manner) -> Self {
        let _inside = handle.enter();
        let socket = bind(0).unwrap();
        let port = socket.local_addr().unwrap().port();
        let (sender, receiver) = watch::channel(manner);
        handle.spawn(serve(socket, storage, receiver));
        Front { port, manner: sender }
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// From now on it behaves so.
    pub(crate) fn become_(&self, manner: Manner) {
        self.manner.send_replace(manner);
    }
}

fn loopback(port: u16) -> SocketAddr {
    ([127, 0, 0, 1], port).into()
}

fn bind(port: u16) -> std::io::Result<TcpSocket> {
    let socket = TcpSocket::new_v4()?;
    socket.set_reuseaddr(true)?;
    socket.bind(loopback(port))?;
    Ok(socket)
}

async fn serve(socket: TcpSocket, storage: u16, mut manner: watch::Receiver<Manner>) {
    let port = socket.local_addr().unwrap().port();
    let mut socket = Some(socket);
    loop {
        let now = manner.borrow_and_update().clone();
        let bound = match socket.take() {
            Some(socket) => socket,
            // The connections of before may take a moment to be gone.
            None => loop {
                match bind(port) {
                    Ok(socket) => break socket,
                    Err(_) => tokio::time::sleep(Duration::from_millis(5)).await,
                }
            },
        };
        tokio::select! {
            () = behave(bound, port, storage, now) => {}
            changed = manner.changed() => if changed.is_err() { return },
        }
    }
}

async fn behave(socket: TcpSocket, port: u16, storage: u16, manner: Manner) {
    match manner {
        Manner::Closed => {
            std::future::pending::<()>().await;
            drop(socket);
        }
        Manner::BlackHole => {
            let listener = socket.listen(0).unwrap();
            // Others have taken all the room that there is.
            let mut others = Vec::new();
            while let Ok(other) =
                tokio::time::timeout(Duration::from_millis(300), TcpStream::connect(loopback(port))).await
            {
                others.push(other);
            }
            std::future::pending::<()>().await;
            drop((listener, others));
        }
        _ => take(socket.listen(1024).unwrap(), storage, manner).await,
    }
}

/// Takes connections; all of them end with this future.
async fn take(listener: TcpListener, storage: u16, manner: Manner) {
    let mut connections = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        let manner = manner.clone();
        connections.spawn(async move {
            match manner {
                Manner::Tls(acceptor) => {
                    if let Ok(stream) = acceptor.accept(stream).await {
                        pass(stream, b"", storage).await;
                    }
                }
                Manner::Answers(answer) => one_request(stream, storage, answer).await,
                Manner::Open => pass(stream, b"", storage).await,
                Manner::Mute | Manner::Closed | Manner::BlackHole => {
                    std::future::pending::<()>().await;
                    drop(stream);
                }
            }
        });
        while connections.try_join_next().is_some() {}
    }
}

async fn pass(mut stream: impl AsyncRead + AsyncWrite + Unpin, first: &[u8], storage: u16) {
    let Ok(mut upstream) = TcpStream::connect(loopback(storage)).await else {
        return;
    };
    if upstream.write_all(first).await.is_ok() {
        let _ = copy_bidirectional(&mut stream, &mut upstream).await;
    }
}

/// Answers a request, or passes it on and sees to it that no other comes by the same connection.
async fn one_request(mut stream: TcpStream, storage: u16, answer: fn(&str) -> Option<&'static str>) {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        match stream.read_u8().await {
            Ok(byte) => head.push(byte),
            Err(_) => return,
        }
    }
    let head = String::from_utf8(head).unwrap();
    match answer(&head) {
        Some(status) => {
            let answer = format!("HTTP/1.1 {status}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
            let _ = stream.write_all(answer.as_bytes()).await;
        }
        None => {
            let head = head.replacen("\r\n", "\r\nconnection: close\r\n", 1);
            pass(stream, head.as_bytes(), storage).await;
        }
    }
}
