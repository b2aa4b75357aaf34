//! One client's connection: request by request to the server and back, unless a rule says otherwise.

use std::sync::Arc;

use http::header::CONTENT_LENGTH;
use http::{HeaderValue, Request, Response};
use http_body::Body as _;
use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper::client::conn::http1 as client;
use hyper::server::conn::http1 as server;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::task::JoinHandle;

use super::Shared;
use super::body::{self, Body, Error};
use super::cut::{Cut, How};
use super::fault::Fault;

/// Serves it until it ends or is cut.
pub(super) async fn serve(stream: TcpStream, shared: Arc<Shared>) {
    let Ok((stream, cut)) = with_plug(stream) else {
        return;
    };
    let cut = Arc::new(cut);
    let answering = cut.clone();
    let service = service_fn(move |request| answer(request, shared.clone(), answering.clone()));
    tokio::select! {
        _ = server::Builder::new().serve_connection(TokioIo::new(stream), service) => {}
        () = cut.told() => {}
    }
}

fn with_plug(stream: TcpStream) -> std::io::Result<(TcpStream, Cut)> {
    stream.set_nodelay(true)?;
    let stream = stream.into_std()?;
    let cut = Cut::new(stream.try_clone()?);
    Ok((TcpStream::from_std(stream)?, cut))
}

async fn answer(
    request: Request<Incoming>,
    shared: Arc<Shared>,
    cut: Arc<Cut>,
) -> Result<Response<Body>, Error> {
    let fault = shared.judge(request.method(), request.uri(), !request.body().is_end_stream());
    let fault = fault.as_ref();
    match fault {
        Some(Fault::ResetBefore) => return cut.now(How::Reset).await,
        Some(Fault::Answer(answer)) => return Ok(answer.clone().response()),
        Some(Fault::AnswerAfterBody(answer)) => {
            request.into_body().collect().await?;
            return Ok(answer.clone().response());
        }
        Some(Fault::Late(span)) => tokio::time::sleep(*span).await,
        _ => {}
    }
    let request =
        request.map(|incoming| body::request(incoming.map_err(Error::from).boxed_unsync(), fault, &cut));
    let mut response = forward(&shared.upstream, request).await?;
    match fault {
        Some(Fault::ResetAfter) => {
            response.into_body().collect().await?;
            return cut.now(How::Reset).await;
        }
        Some(Fault::AnswerAfterServer(answer)) => {
            response.into_body().collect().await?;
            return Ok(answer.clone().response());
        }
        Some(Fault::Withheld(span)) => tokio::time::sleep(*span).await,
        Some(Fault::LongAnswer(more)) => lengthen(&mut response, *more),
        _ => {}
    }
    Ok(response.map(|incoming| body::answer(incoming, fault, &cut)))
}

/// The connection to the server, which ends when nobody needs it any more.
struct Line(JoinHandle<Result<(), hyper::Error>>);

impl Drop for Line {
    fn drop(&mut self) {
        self.0.abort();
    }
}

async fn forward(upstream: &str, request: Request<Body>) -> Result<Response<Body>, Error> {
    let stream = TcpStream::connect(upstream).await?;
    stream.set_nodelay(true)?;
    let (mut sender, driving) = client::handshake(TokioIo::new(stream)).await?;
    let line = Line(tokio::spawn(driving));
    let response = sender.send_request(request).await?;
    Ok(response.map(|incoming| {
        incoming
            .map_err(move |error| {
                let _ = (&line, &sender);
                Error::from(error)
            })
            .boxed_unsync()
    }))
}

/// Makes the answer say that it is longer.
fn lengthen(response: &mut Response<Body>, more: usize) {
    let told = response
        .headers()
        .get(CONTENT_LENGTH)
        .and_then(|value| value.to_str().ok());
    if let Some(length) = told.and_then(|text| text.parse::<u64>().ok()) {
        let longer = HeaderValue::from(length.saturating_add(more as u64));
        response.headers_mut().insert(CONTENT_LENGTH, longer);
    }
}
