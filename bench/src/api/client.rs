//! One client: a connection, a project, and the round of what people do, again and again until the time is over.

use std::time::{Duration, Instant};

use anyhow::Context as _;
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::net::TcpStream;

use super::Took;

/// A connection and what it has measured.
pub(crate) struct Connection {
    address: String,
    sender: SendRequest<Full<Bytes>>,
    token: String,
    pub(crate) took: Took,
}

impl Connection {
    pub(crate) async fn open(address: &str, token: String) -> anyhow::Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        let (sender, driving) = handshake(TokioIo::new(stream)).await?;
        tokio::spawn(driving);
        Ok(Connection {
            address: address.to_owned(),
            sender,
            token,
            took: Took::new(),
        })
    }

    /// Sends a request of a kind: status and body.
    pub(crate) async fn call(
        &mut self,
        kind: &'static str,
        method: &str,
        path: &str,
        body: Option<&Value>,
    ) -> anyhow::Result<(u16, Value)> {
        let text = body.map(Value::to_string).unwrap_or_default();
        let request = http::Request::builder()
            .method(method)
            .uri(path)
            .header("host", &self.address)
            .header("x-auth-token", &self.token)
            .header("openstack-api-version", "volume 3.71")
            .header("content-type", "application/json")
            .body(Full::new(Bytes::from(text)))?;
        let begin = Instant::now();
        self.sender.ready().await?;
        let answer = self.sender.send_request(request).await?;
        let status = answer.status().as_u16();
        let bytes = answer.into_body().collect().await?.to_bytes();
        self.took.entry(kind).or_default().push(begin.elapsed());
        Ok((status, serde_json::from_slice(&bytes).unwrap_or_default()))
    }

    /// The same; another status than these is an error.
    async fn sure(
        &mut self,
        kind: &'static str,
        method: &str,
        path: &str,
        body: Option<&Value>,
        wanted: &[u16],
    ) -> anyhow::Result<(u16, Value)> {
        let (status, answer) = self.call(kind, method, path, body).await?;
        anyhow::ensure!(wanted.contains(&status), "{method} {path}: {status} {answer}");
        Ok((status, answer))
    }

    /// Shows a thing until it is available, or gone: as often as a client that waits does.
    async fn settle(&mut self, kind: &'static str, path: &str, gone: bool) -> anyhow::Result<()> {
        loop {
            let (status, answer) = self.sure(kind, "GET", path, None, &[200, 404]).await?;
            let thing = answer.as_object().and_then(|answer| answer.values().next());
            let state = thing
                .and_then(|thing| thing["status"].as_str())
                .unwrap_or_default();
            if (gone && status == 404) || (!gone && state == "available") {
                return Ok(());
            }
            anyhow::ensure!(
                !state.starts_with("error") && (gone || status == 200),
                "{path}: {status} {answer}"
            );
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

/// Does rounds until the time is over: what they took, and what went wrong.
pub(crate) async fn run(address: String, number: usize, end: Instant) -> (Took, Vec<String>) {
    let mut errors = Vec::new();
    let mut took = Took::new();
    while Instant::now() < end {
        // User 0 is an admin, for what only one may do.
        let token = if number == 0 {
            "admin:c0".to_owned()
        } else {
            format!("u{number}:c{number}")
        };
        let mut connection = match Connection::open(&address, token).await {
            Ok(connection) => connection,
            Err(error) => {
                errors.push(format!("{error:#}"));
                continue;
            }
        };
        while Instant::now() < end {
            if let Err(error) = round(&mut connection, number).await {
                errors.push(format!("{error:#}"));
                break;
            }
        }
        for (kind, spans) in connection.took {
            took.entry(kind).or_default().extend(spans);
        }
    }
    (took, errors)
}

/// Looks here and there, as people do who wait for a backup, until it is available.
async fn browse(connection: &mut Connection, backup: &str) -> anyhow::Result<()> {
    loop {
        for (kind, path) in [
            ("backup list", "/v3/backups"),
            (
                "backup detail page",
                "/v3/backups/detail?limit=20&sort=created_at:desc&with_count=true",
            ),
            ("volume detail page", "/v3/volumes/detail?limit=20"),
            ("limits", "/v3/limits"),
            ("versions", "/v3/"),
        ] {
            connection.sure(kind, "GET", path, None, &[200]).await?;
        }
        let (_, answer) = connection
            .sure("backup show", "GET", backup, None, &[200])
            .await?;
        let state = answer
            .pointer("/backup/status")
            .and_then(Value::as_str)
            .unwrap_or_default();
        match state {
            "available" => return Ok(()),
            "creating" => tokio::time::sleep(Duration::from_millis(50)).await,
            _ => anyhow::bail!("{backup}: {answer}"),
        }
    }
}

async fn round(connection: &mut Connection, number: usize) -> anyhow::Result<()> {
    let id = |answer: &Value, what: &str| -> anyhow::Result<String> {
        let id = answer.pointer(&format!("/{what}/id")).and_then(Value::as_str);
        let id = id.context("what was made has an id")?;
        Ok(id.to_owned())
    };
    let body = json!({"volume": {"size": 1, "name": format!("volume of {number}")}});
    let (_, answer) = connection
        .sure("volume create", "POST", "/v3/volumes", Some(&body), &[202])
        .await?;
    let volume = format!("/v3/volumes/{}", id(&answer, "volume")?);
    connection.settle("volume show", &volume, false).await?;
    let body =
        json!({"backup": {"volume_id": id(&answer, "volume")?, "name": "backup", "metadata": {"k": "v"}}});
    let (_, answer) = connection
        .sure("backup create", "POST", "/v3/backups", Some(&body), &[202])
        .await?;
    let backup = format!("/v3/backups/{}", id(&answer, "backup")?);
    if number == 0 {
        connection
            .sure("service list", "GET", "/v3/os-services", None, &[200])
            .await?;
        let all = "/v3/backups/detail?all_tenants=1&limit=100";
        connection
            .sure("backup detail, all projects", "GET", all, None, &[200])
            .await?;
    }
    browse(connection, &backup).await?;
    connection
        .sure("backup delete", "DELETE", &backup, None, &[202])
        .await?;
    connection.settle("backup show", &backup, true).await?;
    connection
        .sure("volume delete", "DELETE", &volume, None, &[202])
        .await?;
    connection.settle("volume show", &volume, true).await
}
