use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::routing::{get, post};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::Notify;

use super::Server;

struct Kit {
    folder: tempfile::TempDir,
    server: Server,
    /// Lets `/waits` answer.
    go: Arc<Notify>,
}

impl Kit {
    fn start(limit: usize) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let go = Arc::new(Notify::new());
        let waits = go.clone();
        let router = Router::new()
            .route("/", get(|| async { "hello" }))
            .route("/body", post(|body: String| async move { body }))
            .route(
                "/waits",
                get(move || async move {
                    waits.notified().await;
                    "waited"
                }),
            );
        let listener = UnixListener::bind(folder.path().join("s")).unwrap();
        Kit {
            server: Server::start(listener, router, None, limit),
            folder,
            go,
        }
    }

    async fn connect(&self) -> UnixStream {
        UnixStream::connect(self.folder.path().join("s")).await.unwrap()
    }
}

async fn send(stream: &mut UnixStream, text: &str) {
    stream.write_all(text.as_bytes()).await.unwrap();
}

async fn read(stream: &mut UnixStream) -> String {
    let mut bytes = vec![0; 4096];
    let n = stream.read(&mut bytes).await.unwrap();
    String::from_utf8_lossy(&bytes[..n]).into_owned()
}

const GET: &str = "GET / HTTP/1.1\r\nhost: x\r\n\r\n";

#[tokio::test(start_paused = true)]
async fn a_connection_is_used_again_and_closed_when_nothing_comes() {
    let kit = Kit::start(2);
    let mut stream = kit.connect().await;
    for _ in 0..3 {
        send(&mut stream, GET).await;
        assert!(read(&mut stream).await.ends_with("hello"));
    }
    assert_eq!(read(&mut stream).await, "", "it ends by itself");
}

#[tokio::test(start_paused = true)]
async fn a_head_that_never_ends_holds_its_place_for_a_minute_only() {
    let kit = Kit::start(1);
    let mut slow = kit.connect().await;
    send(&mut slow, "GET / HTTP/1.1\r\nhost: x\r\n").await;
    let mut next = kit.connect().await;
    send(&mut next, GET).await;
    let begin = tokio::time::Instant::now();
    let drip = async {
        for _ in 0..1000 {
            tokio::time::sleep(Duration::from_secs(1)).await;
            if slow.write_all(b"x: y\r\n").await.is_err() {
                return;
            }
        }
        panic!("it goes on for ever");
    };
    let (answer, ()) = tokio::join!(read(&mut next), drip);
    assert!(answer.ends_with("hello"), "{answer}");
    assert!(begin.elapsed() < super::HEAD + Duration::from_secs(5));
}

#[tokio::test(start_paused = true)]
async fn a_body_that_never_ends_is_refused_after_a_minute() {
    let kit = Kit::start(1);
    let mut slow = kit.connect().await;
    send(
        &mut slow,
        "POST /body HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\n\r\nab",
    )
    .await;
    let answer = read(&mut slow).await;
    assert!(answer.starts_with("HTTP/1.1 400"), "{answer}");
}

#[tokio::test(start_paused = true)]
async fn a_server_that_ends_finishes_the_request_that_it_is_at() {
    let kit = Kit::start(2);
    let (mut busy, mut idle) = (kit.connect().await, kit.connect().await);
    send(&mut busy, "GET /waits HTTP/1.1\r\nhost: x\r\n\r\n").await;
    send(&mut idle, GET).await;
    read(&mut idle).await;
    kit.server.close();
    send(&mut idle, GET).await;
    assert!(
        read(&mut idle).await.ends_with("hello"),
        "it is closed for new connections only"
    );
    let go = kit.go.clone();
    let ((), answer) = tokio::join!(kit.server.end(), async {
        assert_eq!(read(&mut idle).await, "", "nothing is under way here");
        go.notify_one();
        read(&mut busy).await
    });
    assert!(answer.ends_with("waited"), "{answer}");
    assert!(UnixStream::connect(kit.folder.path().join("s")).await.is_err());
}

#[tokio::test(start_paused = true)]
async fn a_request_that_never_ends_does_not_keep_the_server() {
    let kit = Kit::start(2);
    let mut busy = kit.connect().await;
    send(&mut busy, "GET /waits HTTP/1.1\r\nhost: x\r\n\r\n").await;
    tokio::time::sleep(Duration::from_millis(10)).await;
    kit.server.end().await;
    assert_eq!(read(&mut busy).await, "", "it is cut");
}
