//! Servers that answer too early, too late, too much or not at all.

use super::*;

#[tokio::test]
async fn a_connection_is_used_again_once_its_answer_was_read_or_thrown_away() {
    let (address, count) = server(echo).await;
    let url = format!("http://{address}");
    let gateway = Way::to(std::slice::from_ref(&url)).open();
    for number in 0..6 {
        let answer = gateway
            .clone()
            .send(put(&url, 2, full("ab")), None)
            .await
            .unwrap();
        if number % 2 == 0 {
            text(answer).await.unwrap();
        } else {
            drop(answer);
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
    assert_eq!(count.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn an_idle_connection_that_the_server_closed_costs_no_request() {
    let (address, count) = server(|mut stream| async move {
        head(&mut stream).await;
        stream
            .write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")
            .await
            .unwrap();
    })
    .await;
    let url = format!("http://{address}");
    let gateway = Way::to(std::slice::from_ref(&url)).open();
    for _ in 0..4 {
        gateway.clone().send(get(&url), None).await.unwrap();
    }
    assert_eq!(count.load(Ordering::SeqCst), 4);
}

/// Answers after the head and 64 KiB of the body, and closes; what the client has sent beyond makes the kernel reset it.
async fn refuse(mut stream: TcpStream) {
    head(&mut stream).await;
    let mut some = vec![0; 64 << 10];
    stream.read_exact(&mut some).await.unwrap();
    let answer = b"HTTP/1.1 507 Insufficient Storage\r\ncontent-length: 4\r\nconnection: close\r\n\r\nfull";
    stream.write_all(answer).await.unwrap();
}

#[tokio::test]
async fn an_answer_that_comes_before_the_body_is_through_is_not_lost() {
    let (address, _) = server(refuse).await;
    let url = format!("http://{address}");
    let gateway = Way::to(std::slice::from_ref(&url)).open();
    for _ in 0..20 {
        let answer = gateway
            .clone()
            .send(put(&url, 1 << 30, endless()), None)
            .await
            .unwrap();
        assert_eq!(answer.status(), 507);
        assert_eq!(text(answer).await.unwrap(), "full");
    }
}

#[tokio::test]
async fn an_early_no_of_a_server_that_reads_nothing_more_stops_the_body() {
    let (address, _) = server(|mut stream| async move {
        head(&mut stream).await;
        stream
            .write_all(b"HTTP/1.1 403 Forbidden\r\ncontent-length: 2\r\n\r\nno")
            .await
            .unwrap();
        tokio::time::sleep(Duration::from_secs(30)).await;
    })
    .await;
    let url = format!("http://{address}");
    let gateway = Way::to(std::slice::from_ref(&url)).open();
    let answer = gateway
        .clone()
        .send(put(&url, 1 << 30, endless()), None)
        .await
        .unwrap();
    assert_eq!(answer.status(), 403);
    assert_eq!(text(answer).await.unwrap(), "no");
}

#[tokio::test]
async fn servers_that_stall_are_given_up_whatever_the_guest_asks_for() {
    // Takes nothing and says nothing.
    let (mute, _) = server(|stream| async move {
        tokio::time::sleep(Duration::from_secs(30)).await;
        drop(stream);
    })
    .await;
    // Begins an answer and stops.
    let (slow, _) = server(|mut stream| async move {
        head(&mut stream).await;
        stream
            .write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nabc")
            .await
            .unwrap();
        tokio::time::sleep(Duration::from_secs(30)).await;
    })
    .await;
    let (mute, slow) = (format!("http://{mute}"), format!("http://{slow}"));
    let gateway = Way::to(&[mute.clone(), slow.clone()]).open();
    for wish in [Duration::ZERO, Duration::MAX, Duration::from_secs(3600)] {
        let options = RequestOptions {
            connect_timeout: Some(wish),
            first_byte_timeout: Some(wish),
            between_bytes_timeout: Some(wish),
        };
        let begin = std::time::Instant::now();
        let error = gateway
            .clone()
            .send(get(&mute), Some(options))
            .await
            .err()
            .unwrap();
        assert!(matches!(error, Error::HttpResponseTimeout), "{error:?}");
        let answer = gateway.clone().send(get(&slow), Some(options)).await.unwrap();
        let error = text(answer).await.unwrap_err();
        assert!(matches!(error, Error::ConnectionReadTimeout), "{error:?}");
        assert!(begin.elapsed() < Duration::from_secs(2), "{:?}", begin.elapsed());
    }
    let begin = std::time::Instant::now();
    let error = fails(&gateway, put(&mute, 1 << 30, endless())).await;
    assert!(matches!(error, Error::ConnectionWriteTimeout), "{error:?}");
    assert!(begin.elapsed() < Duration::from_secs(5));
}

#[tokio::test]
async fn an_answer_with_huge_or_many_headers_or_none_is_refused() {
    let (address, _) = server(|mut stream| async move {
        let head = head(&mut stream).await;
        let path = head.split(' ').nth(1).unwrap().to_owned();
        let answer = match path.as_str() {
            "/big" => format!("HTTP/1.1 200 OK\r\nx: {}\r\n\r\n", "y".repeat(100 << 10)),
            "/many" => format!("HTTP/1.1 200 OK\r\n{}\r\n", "x: y\r\n".repeat(1000)),
            "/endless" => {
                while stream.write_all(b"HTTP/1.1 100 Continue\r\n\r\n").await.is_ok() {}
                return;
            }
            _ => "SSH-2.0-OpenSSH\r\n\r\n".to_owned(),
        };
        let _ = stream.write_all(answer.as_bytes()).await;
        tokio::time::sleep(Duration::from_secs(5)).await;
    })
    .await;
    let url = format!("http://{address}");
    let gateway = Way::to(std::slice::from_ref(&url)).open();
    let ask = |path: &str| get(&format!("{url}{path}"));
    assert!(matches!(
        fails(&gateway, ask("/big")).await,
        Error::HttpResponseHeaderSectionSize(_)
    ));
    assert!(matches!(
        fails(&gateway, ask("/many")).await,
        Error::HttpResponseHeaderSectionSize(_)
    ));
    assert!(matches!(
        fails(&gateway, ask("/")).await,
        Error::HttpProtocolError
    ));
    assert!(matches!(
        fails(&gateway, ask("/endless")).await,
        Error::HttpResponseTimeout
    ));
}

#[tokio::test]
async fn a_body_that_ends_early_is_an_error_and_not_a_short_answer() {
    let (address, _) = server(|mut stream| async move {
        head(&mut stream).await;
        stream
            .write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nabc")
            .await
            .unwrap();
    })
    .await;
    let url = format!("http://{address}");
    let gateway = Way::to(std::slice::from_ref(&url)).open();
    let answer = gateway.clone().send(get(&url), None).await.unwrap();
    assert!(matches!(
        text(answer).await.unwrap_err(),
        Error::HttpResponseIncomplete
    ));
    let (address, _) = server(|mut stream| async move {
        head(&mut stream).await;
    })
    .await;
    let url = format!("http://{address}");
    let gateway = Way::to(std::slice::from_ref(&url)).open();
    assert!(matches!(
        fails(&gateway, get(&url)).await,
        Error::ConnectionTerminated
    ));
}

#[tokio::test]
async fn only_so_many_requests_are_in_flight() {
    let (address, _) = server(|mut stream| async move {
        head(&mut stream).await;
        stream
            .write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nabc")
            .await
            .unwrap();
        tokio::time::sleep(Duration::from_secs(30)).await;
    })
    .await;
    let url = format!("http://{address}");
    let mut way = Way::to(std::slice::from_ref(&url));
    way.limits.http_requests = 3;
    let gateway = way.open();
    let mut held = Vec::new();
    for _ in 0..3 {
        held.push(gateway.clone().send(get(&url), None).await.unwrap());
    }
    assert!(matches!(
        fails(&gateway, get(&url)).await,
        Error::ConnectionLimitReached
    ));
    held.clear();
    tokio::time::sleep(Duration::from_millis(1100)).await;
    gateway.clone().send(get(&url), None).await.unwrap();
}
