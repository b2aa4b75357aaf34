//! The same requests without a sandbox: what a driver sent, sent again by hyper over a kept connection, by one thread.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use bytes::Bytes;
use cofferdam_sandbox::stream;
use http_body::{Body, Frame, SizeHint};
use http_body_util::BodyExt;
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::runtime::Runtime;

use super::client::Object;
use super::sink::Head;

/// A body of one piece, again and again.
pub(crate) struct Pieces {
    piece: Bytes,
    left: u64,
}

impl Body for Pieces {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        if self.left == 0 {
            return Poll::Ready(None);
        }
        let most = usize::try_from(self.left)
            .unwrap_or(usize::MAX)
            .min(self.piece.len());
        self.left -= most as u64;
        Poll::Ready(Some(Ok(Frame::data(self.piece.slice(..most)))))
    }

    fn is_end_stream(&self) -> bool {
        self.left == 0
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left)
    }
}

/// A client of one connection.
pub(crate) struct Native {
    runtime: Runtime,
    sender: SendRequest<Pieces>,
}

impl Native {
    pub(crate) fn connect(authority: &str) -> anyhow::Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let sender = runtime.block_on(async {
            let stream = TcpStream::connect(authority).await?;
            stream.set_nodelay(true)?;
            let (sender, driving) = handshake(TokioIo::new(stream)).await?;
            tokio::spawn(driving);
            anyhow::Ok(sender)
        })?;
        Ok(Native { runtime, sender })
    }

    /// Sends the request, with the object if it is a put, and hands what is answered to a reader on another thread, as the sandbox
    /// does: how long that took.
    pub(crate) fn send(
        &mut self,
        readers: &Runtime,
        head: &Head,
        object: &Object,
    ) -> anyhow::Result<Duration> {
        let size = object.size;
        let body = Pieces {
            piece: object.piece.clone(),
            left: if head.method == "PUT" { size } else { 0 },
        };
        let mut request = http::Request::builder()
            .method(head.method.as_str())
            .uri(&head.path);
        for (name, value) in &head.headers {
            request = request.header(name, value);
        }
        let request = request.body(body)?;
        let begin = Instant::now();
        let (writer, mut reader) = stream::channel(stream::DEFAULT_PIECES);
        let reading = readers.spawn(async move {
            let mut got = 0;
            while let Ok(Some(piece)) = reader.next().await {
                got += piece.len() as u64;
            }
            got
        });
        let got = self.runtime.block_on(async {
            self.sender.ready().await?;
            let answer = self.sender.send_request(request).await?;
            let status = answer.status();
            anyhow::ensure!(status.is_success(), "{} {}: {status}", head.method, head.path);
            let mut body = answer.into_body();
            while let Some(frame) = body.frame().await {
                if let Ok(data) = frame?.into_data() {
                    writer.write(data).await?;
                }
            }
            writer.finish().await?;
            anyhow::Ok(reading.await?)
        })?;
        anyhow::ensure!(
            head.method != "GET" || got == size,
            "{got} bytes came instead of {size}"
        );
        Ok(begin.elapsed())
    }
}

/// Logs in at Swift's own auth: the token.
pub(crate) fn log_in(auth_url: &str, user: &str, key: &str) -> anyhow::Result<String> {
    use std::io::{Read, Write};

    let url = auth_url.strip_prefix("http://").context("a URL of http")?;
    let (authority, path) = url.split_once('/').context("a path")?;
    let mut stream = std::net::TcpStream::connect(authority)?;
    let request = format!(
        "GET /{path} HTTP/1.1\r\nhost: {authority}\r\nx-storage-user: {user}\r\nx-storage-pass: {key}\r\nconnection: close\r\n\r\n"
    );
    stream.write_all(request.as_bytes())?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    let mut lines = answer.lines().filter_map(|line| line.split_once(": "));
    let found = lines.find(|(name, _)| name.eq_ignore_ascii_case("x-auth-token"));
    Ok(found.context("a token in the answer")?.1.to_owned())
}
