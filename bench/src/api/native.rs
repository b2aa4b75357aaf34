//! The limit: a hyper server without anything behind it, and the same clients.

use std::convert::Infallible;
use std::time::Instant;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde_json::json;
use tokio::net::TcpListener;

use super::client::Connection;
use super::{Flood, Took};

/// Serves on a port of its own, for as long as the runtime lives: its address.
pub(crate) async fn serve() -> anyhow::Result<String> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?.to_string();
    // As long as what an API says of one backup.
    let body = Bytes::from(json!({ "backup": "x".repeat(900) }).to_string());
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let body = body.clone();
            let _ = stream.set_nodelay(true);
            tokio::spawn(http1::Builder::new().serve_connection(
                TokioIo::new(stream),
                service_fn(move |request: http::Request<hyper::body::Incoming>| {
                    let body = body.clone();
                    async move {
                        let _ = request.into_body().collect().await;
                        Ok::<_, Infallible>(http::Response::new(Full::new(body)))
                    }
                }),
            ));
        }
    });
    Ok(address)
}

/// So many clients send so many requests each.
pub(crate) async fn flood(address: &str, clients: usize, each: usize) -> anyhow::Result<Flood> {
    let begin = Instant::now();
    let tasks: Vec<_> = (0..clients)
        .map(|number| {
            let address = address.to_owned();
            tokio::spawn(async move {
                let mut connection = Connection::open(&address, format!("u{number}:c{number}")).await?;
                for _ in 0..each {
                    connection
                        .call("bare hyper server", "GET", "/v3/backups", None)
                        .await?;
                }
                anyhow::Ok(connection.took)
            })
        })
        .collect();
    let mut flood = Flood {
        took: Took::new(),
        errors: Vec::new(),
        span: begin.elapsed(),
    };
    for task in tasks {
        for (kind, spans) in task.await?? {
            flood.took.entry(kind).or_default().extend(spans);
        }
    }
    flood.span = begin.elapsed();
    Ok(flood)
}
