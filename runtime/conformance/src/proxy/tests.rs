//! The proxy against a server of ours that answers with what it got.

use std::time::{Duration, Instant};

use bytes::Bytes;
use http::{Method, Request, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::server::conn::http1 as server;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};

use super::{Answer, Fault, Proxy, Rule};

type Got = Result<(StatusCode, Vec<u8>), String>;

/// Answers with the request's `host`, path and body; 100 bytes of `x` to what has no body.
async fn echo() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let authority = listener.local_addr().unwrap().to_string();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let service = service_fn(|request: Request<hyper::body::Incoming>| async move {
                let host = request.headers()["host"].to_str().unwrap().to_owned();
                let path = request.uri().to_string();
                let body = request.into_body().collect().await?.to_bytes();
                let answer = match body.len() {
                    0 => format!("{host} {path} {}", "x".repeat(100)).into_bytes(),
                    _ => body.to_vec(),
                };
                Ok::<_, hyper::Error>(http::Response::new(Full::new(Bytes::from(answer))))
            });
            tokio::spawn(server::Builder::new().serve_connection(TokioIo::new(stream), service));
        }
    });
    authority
}

/// One request by a connection of its own.
async fn ask(proxy: &Proxy, method: Method, path: &str, body: &[u8]) -> Got {
    let stream = TcpStream::connect(proxy.authority()).await.unwrap();
    let (mut sender, driving) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
        .await
        .unwrap();
    let _driving = tokio::spawn(driving);
    let request = Request::builder()
        .method(method)
        .uri(path)
        .header("host", "a-name:1");
    let request = request.body(Full::new(Bytes::copy_from_slice(body))).unwrap();
    let response = sender
        .send_request(request)
        .await
        .map_err(|error| error.to_string())?;
    let status = response.status();
    let body = response
        .into_body()
        .collect()
        .await
        .map_err(|error| error.to_string())?;
    Ok((status, body.to_bytes().to_vec()))
}

async fn get(proxy: &Proxy) -> Got {
    ask(proxy, Method::GET, "/o?q=1", b"").await
}

async fn put(proxy: &Proxy) -> Got {
    ask(proxy, Method::PUT, "/o", &vec![7; 500_000]).await
}

#[tokio::test]
async fn without_rules_everything_passes_as_it_came() {
    let proxy = Proxy::start(&echo().await).await.unwrap();
    let (status, body) = get(&proxy).await.unwrap();
    assert_eq!(status, StatusCode::OK);
    assert_eq!(body, format!("a-name:1 /o?q=1 {}", "x".repeat(100)).as_bytes());
    assert_eq!(put(&proxy).await.unwrap().1, vec![7; 500_000]);
    let seen: Vec<_> = proxy
        .seen()
        .into_iter()
        .map(|seen| (seen.method, seen.uri))
        .collect();
    assert_eq!(seen, [(Method::GET, "/o?q=1".into()), (Method::PUT, "/o".into())]);
    assert_eq!(proxy.faults(), 0);
}

#[tokio::test]
async fn a_rule_meets_the_requests_that_it_names_and_no_others() {
    let proxy = Proxy::start(&echo().await).await.unwrap();
    let fault = Fault::Answer(Answer::status(StatusCode::IM_A_TEAPOT).retry_after(3).body("no"));
    proxy.inject(Rule::new("q=1", fault).method(Method::GET).skip(1).times(1));
    let mut statuses = Vec::new();
    for _ in 0..3 {
        statuses.push(get(&proxy).await.unwrap().0.as_u16());
        statuses.push(put(&proxy).await.unwrap().0.as_u16());
    }
    assert_eq!(statuses, [200, 200, 418, 200, 200, 200]);
    assert_eq!(proxy.faults(), 1);
    proxy.reset();
    assert_eq!(proxy.seen().len(), 0);
}

#[tokio::test]
async fn each_fault_is_what_it_says() {
    let proxy = Proxy::start(&echo().await).await.unwrap();
    let plain = get(&proxy).await.unwrap().1;
    let with = async |fault: Fault, asked: Method| {
        proxy.reset();
        proxy.inject(Rule::new("/o", fault.clone()));
        let got = match asked {
            Method::PUT => put(&proxy).await,
            _ => get(&proxy).await,
        };
        assert_eq!(proxy.faults(), 1, "{fault:?}");
        got
    };
    let full = || Answer::status(StatusCode::INSUFFICIENT_STORAGE);
    for fault in [Fault::AnswerAfterBody(full()), Fault::AnswerAfterServer(full())] {
        assert_eq!(with(fault, Method::PUT).await.unwrap().0, 507);
    }
    for fault in [
        Fault::ResetBefore,
        Fault::ResetAfter,
        Fault::ResetInRequest(0),
        Fault::ResetInRequest(1000),
        Fault::ResetInAnswer(1000),
        Fault::ShortAnswer(1000),
    ] {
        let got = with(fault.clone(), Method::PUT).await;
        assert!(
            got.is_err(),
            "{fault:?}: {:?}",
            got.map(|(status, body)| (status, body.len()))
        );
    }
    let (_, longer) = with(Fault::LongAnswer(7), Method::GET).await.unwrap();
    assert_eq!(longer, [plain.clone(), b"!!!!!!!".to_vec()].concat());
    assert_eq!(
        with(Fault::TrailingRubbish(7), Method::GET).await.unwrap().1,
        plain
    );
    for fault in [Fault::FlipInRequest(3000), Fault::FlipInAnswer(3000)] {
        let (_, body) = with(fault, Method::PUT).await.unwrap();
        let changed: Vec<usize> = (0..body.len()).filter(|at| body[*at] != 7).collect();
        assert_eq!((body.len(), changed, body[3000]), (500_000, vec![3000], 6));
    }
    let pause = Duration::from_millis(20);
    for fault in [
        Fault::Late(pause),
        Fault::Withheld(pause),
        Fault::Trickle { bytes: 50, pause },
    ] {
        let begin = Instant::now();
        assert_eq!(with(fault, Method::GET).await.unwrap().1, plain);
        assert!(begin.elapsed() >= pause);
    }
    let stalled = with(Fault::StallInRequest(1000), Method::PUT);
    assert!(
        tokio::time::timeout(Duration::from_millis(300), stalled)
            .await
            .is_err()
    );
}
