//! Where requests may go, and where they really go.

use super::*;

#[tokio::test]
async fn a_name_that_changes_its_address_between_check_and_dial_is_dialled_where_it_was_checked() {
    let (address, count) = server(echo).await;
    // The first answer may be dialled, by the grant of a network; the second, were it asked for, leads to another server.
    let resolver = Changing::new(&[&["127.0.0.1"], &["127.0.0.2"]]);
    let mut way = Way::to(&[format!("http://s3.example.com:{}", address.port())]);
    (way.networks, way.resolver) = (vec!["127.0.0.1"], resolver.clone());
    let gateway = way.open();
    let url = format!("http://s3.example.com:{}/x", address.port());
    let answer = gateway.clone().send(get(&url), None).await.unwrap();
    assert!(text(answer).await.unwrap().contains("host: s3.example.com:"));
    assert_eq!(
        (
            resolver.asked.load(Ordering::SeqCst),
            count.load(Ordering::SeqCst)
        ),
        (1, 1)
    );
    // A new connection asks anew, and the new answer is checked anew.
    gateway.pool.take(&Target::of_url(&url).unwrap()).await;
    assert!(matches!(
        fails(&gateway, get(&url)).await,
        Error::DestinationIpProhibited
    ));
    assert_eq!(
        denied(&gateway).grant,
        "networks = [\"127.0.0.2\"] to the backend's grants"
    );
    assert_eq!(count.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn a_public_name_that_resolves_inside_is_not_dialled() {
    let (address, count) = server(echo).await;
    for inside in [
        "127.0.0.1",
        "::1",
        "::ffff:127.0.0.1",
        "169.254.169.254",
        "::ffff:169.254.169.254",
        "10.0.0.1",
        "fd00:ec2::254",
        "0.0.0.0",
    ] {
        let mut way = Way::to(&[format!("http://s3.example.com:{}", address.port())]);
        way.resolver = Changing::new(&[&[inside]]);
        let gateway = way.open();
        let url = format!("http://s3.example.com:{}/", address.port());
        assert!(
            matches!(fails(&gateway, get(&url)).await, Error::DestinationIpProhibited),
            "{inside}"
        );
        let denial = denied(&gateway);
        assert!(denial.wanted.contains("s3.example.com"), "{denial:?}");
    }
    assert_eq!(count.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn of_many_addresses_only_the_good_ones_are_tried_and_in_order() {
    let (address, count) = server(echo).await;
    let mut way = Way::to(&[format!("http://s3.example.com:{}", address.port())]);
    // Denied, refused (nothing listens on .9), then good.
    way.resolver = Changing::new(&[&["169.254.169.254", "127.0.0.9", "127.0.0.1"]]);
    way.networks = vec!["127.0.0.0/8"];
    let gateway = way.open();
    let url = format!("http://s3.example.com:{}/", address.port());
    gateway.clone().send(get(&url), None).await.unwrap();
    assert_eq!(count.load(Ordering::SeqCst), 1);
    assert!(gateway.denials.take().is_none());
}

#[tokio::test]
async fn what_is_not_granted_never_leaves() {
    let (address, count) = server(echo).await;
    let port = address.port();
    let gateway = Way::to(&[format!("http://127.0.0.1:{port}")]).open();
    for url in [
        format!("http://127.0.0.2:{port}/"),
        format!("http://localhost:{port}/"),
        format!("https://127.0.0.1:{port}/"),
        format!("http://2130706433:{port}/"),
        format!("http://0x7f.1:{port}/"),
        format!("http://0177.0.0.1:{port}/"),
        format!("http://127.0.0.1:{port}@evil.example/"),
        format!("http://user@127.0.0.1:{port}/"),
        format!("http://[::ffff:127.0.0.2]:{port}/"),
        "http://127.0.0.1:0/".to_owned(),
        "http://169.254.169.254/latest/meta-data/".to_owned(),
    ] {
        assert!(
            matches!(fails(&gateway, get(&url)).await, Error::HttpRequestDenied),
            "{url}"
        );
        denied(&gateway);
    }
    for method in [http::Method::TRACE, http::Method::CONNECT] {
        let mut request = get(&format!("http://127.0.0.1:{port}/"));
        *request.method_mut() = method;
        assert!(matches!(
            fails(&gateway, request).await,
            Error::HttpRequestMethodInvalid
        ));
    }
    assert_eq!(count.load(Ordering::SeqCst), 0);
    let answer = gateway
        .clone()
        .send(get(&format!("http://[::ffff:127.0.0.1]:{port}/p?q")), None)
        .await;
    assert!(
        text(answer.unwrap())
            .await
            .unwrap()
            .starts_with("GET /p?q HTTP/1.1")
    );
}

#[tokio::test]
async fn a_redirect_is_an_answer_like_another() {
    let (address, count) = server(|mut stream| async move {
        head(&mut stream).await;
        let answer =
            "HTTP/1.1 302 Found\r\nlocation: http://169.254.169.254/latest/\r\ncontent-length: 0\r\n\r\n";
        stream.write_all(answer.as_bytes()).await.unwrap();
    })
    .await;
    let url = format!("http://{address}");
    let gateway = Way::to(std::slice::from_ref(&url)).open();
    let answer = gateway.clone().send(get(&url), None).await.unwrap();
    assert_eq!(answer.status(), 302);
    assert_eq!(count.load(Ordering::SeqCst), 1);
    assert!(gateway.denials.take().is_none());
}

#[tokio::test]
async fn causes_without_an_answer_are_told_apart() {
    let mut way = Way::to(&["http://nobody.example:80".into(), "http://127.0.0.1:1".into()]);
    way.resolver = Changing::new(&[]);
    let gateway = way.open();
    assert!(matches!(
        fails(&gateway, get("http://nobody.example/")).await,
        Error::DnsError { .. }
    ));
    assert!(matches!(
        fails(&gateway, get("http://127.0.0.1:1/")).await,
        Error::ConnectionRefused
    ));
    // Speaks no TLS.
    let (address, _) = server(|mut stream| async move {
        let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await;
    })
    .await;
    let url = format!("https://{address}");
    let gateway = Way::to(std::slice::from_ref(&url)).open();
    assert!(matches!(
        fails(&gateway, get(&url)).await,
        Error::TlsProtocolError
    ));
}

#[tokio::test]
async fn requests_go_through_the_proxy_that_the_deployer_named() {
    let (address, count) = server(|mut stream| async move {
        let head = head(&mut stream).await;
        let answer = if head.starts_with("CONNECT ") {
            assert!(
                head.starts_with("CONNECT storage.example:443 HTTP/1.1\r\n"),
                "{head}"
            );
            "HTTP/1.1 403 Forbidden\r\n\r\n"
        } else {
            assert!(
                head.starts_with("GET http://storage.example/x HTTP/1.1\r\n"),
                "{head}"
            );
            "HTTP/1.1 204 No Content\r\n\r\n"
        };
        stream.write_all(answer.as_bytes()).await.unwrap();
    })
    .await;
    let mut way = Way::to(&["http://storage.example".into(), "https://storage.example".into()]);
    let proxy = Target::of_url(&format!("http://{address}")).unwrap();
    way.proxies = Proxies {
        http: Some(proxy.clone()),
        https: Some(proxy),
    };
    let gateway = way.open();
    let answer = gateway
        .clone()
        .send(get("http://storage.example/x"), None)
        .await
        .unwrap();
    assert_eq!(answer.status(), 204);
    let refused = fails(&gateway, get("https://storage.example/x")).await;
    assert!(matches!(refused, Error::InternalError(Some(text)) if text.contains("the proxy answered 403")));
    assert!(matches!(
        fails(&gateway, get("http://other.example/")).await,
        Error::HttpRequestDenied
    ));
    assert_eq!(count.load(Ordering::SeqCst), 2);
}
