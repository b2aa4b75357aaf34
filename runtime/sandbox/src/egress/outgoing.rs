//! Placeholders of secrets in a request that may leave: found where they must not be, replaced where they may.
//!
//! They may stand in the values of headers, and in a body of at most [`GREATEST`] bytes whose length was announced. Such a body is
//! collected, and only when the instance has placeholders at all. Bound: one body of 64 KiB per request. Cost: a look
//! through headers and small bodies.

use bytes::Bytes;
use http::header::{CONTENT_LENGTH, HeaderValue};
use http_body_util::{BodyExt, Full, Limited};
use wasmtime_wasi_http::{Error, WasiBody};

use crate::network::Denial;
use crate::secrets::Vault;

/// Bytes of the greatest body that is looked through.
const GREATEST: u64 = 64 << 10;

/// Refuses a request with a placeholder where no secret may be sent: method, URL, names of headers.
///
/// # Errors
/// The denial.
pub(super) fn no_secret_beside(request: &http::Request<WasiBody>, vault: &Vault) -> Result<(), Denial> {
    if !vault.has_placeholders() {
        return Ok(());
    }
    let found = |text: &str| vault.finds(text.as_bytes());
    let place = if found(&request.uri().to_string()) {
        "a URL"
    } else if found(request.method().as_str()) {
        "a method"
    } else if request.headers().keys().any(|name| found(name.as_str())) {
        "a header's name"
    } else {
        return Ok(());
    };
    Err(Denial {
        wanted: format!("a secret in {place}"),
        grant: String::new(),
    })
}

/// The request with secrets in the place of placeholders.
///
/// # Errors
/// When a secret cannot be read now, or gives no header; when the body breaks off.
pub(super) async fn with_secrets(
    request: http::Request<WasiBody>,
    vault: &Vault,
) -> Result<http::Request<WasiBody>, Error> {
    if !vault.has_placeholders() {
        return Ok(request);
    }
    let unreadable = |why: String| Error::InternalError(Some(format!("a secret cannot be read: {why}")));
    let (mut head, body) = request.into_parts();
    for value in head.headers.values_mut() {
        if let Some(replaced) = vault.replace(value.as_bytes()).await.map_err(unreadable)? {
            *value = HeaderValue::from_bytes(&replaced)
                .map_err(|_| Error::InternalError(Some("a secret holds what no header may hold".into())))?;
            value.set_sensitive(true);
        }
    }
    let length = head.headers.get(CONTENT_LENGTH);
    let length = length.and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
    if !length.is_some_and(|length| (1..=GREATEST).contains(&length)) {
        return Ok(http::Request::from_parts(head, body));
    }
    let collected = Limited::new(body, GREATEST as usize).collect().await;
    let bytes = collected
        .map_err(|_| Error::HttpRequestBodySize(length))?
        .to_bytes();
    if length != Some(bytes.len() as u64) {
        return Err(Error::HttpRequestBodySize(Some(bytes.len() as u64)));
    }
    let bytes = match vault.replace(&bytes).await.map_err(unreadable)? {
        Some(replaced) => Bytes::copy_from_slice(&replaced),
        None => bytes,
    };
    head.headers
        .insert(CONTENT_LENGTH, HeaderValue::from(bytes.len()));
    let body = Full::new(bytes).map_err(|never| match never {}).boxed_unsync();
    Ok(http::Request::from_parts(head, body))
}
