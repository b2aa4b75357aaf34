//! What went wrong with a connection, in `wasi:http`'s words: one for each cause that a deployer mends in another way.

use std::error::Error as _;
use std::io::{self, ErrorKind};

use rustls::CertificateError;
use rustls::pki_types::UnixTime;
use wasmtime_wasi_http::Error;

/// Names of a certificate that are told.
const NAMES: usize = 5;

/// Of dialling.
pub(super) fn dialling(error: &io::Error) -> Error {
    match error.kind() {
        ErrorKind::ConnectionRefused => Error::ConnectionRefused,
        ErrorKind::TimedOut => Error::ConnectionTimeout,
        ErrorKind::HostUnreachable | ErrorKind::NetworkUnreachable => Error::DestinationIpUnroutable,
        ErrorKind::ConnectionReset | ErrorKind::ConnectionAborted | ErrorKind::UnexpectedEof => {
            Error::ConnectionTerminated
        }
        ErrorKind::AddrNotAvailable | ErrorKind::NetworkDown | ErrorKind::PermissionDenied => {
            Error::DestinationUnavailable
        }
        _ => Error::InternalError(Some(format!("no connection: {error}"))),
    }
}

/// Of making TLS.
pub(super) fn handshake(error: &io::Error) -> Error {
    let found = error
        .get_ref()
        .and_then(|inner| inner.downcast_ref::<rustls::Error>());
    match found {
        Some(rustls::Error::InvalidCertificate(fault)) => certificate(fault),
        Some(rustls::Error::NoCertificatesPresented) => Error::TlsCertificateError,
        Some(rustls::Error::AlertReceived(alert)) => Error::TlsAlertReceived {
            alert_id: Some(u8::from(*alert)),
            alert_message: Some(format!("{alert:?}")),
        },
        Some(_) => Error::TlsProtocolError,
        None if error.kind() == ErrorKind::UnexpectedEof => Error::TlsProtocolError,
        None => dialling(error),
    }
}

/// Of a certificate that was refused. WASI has one word for all of that; it is kept for the commonest, an unknown issuer, which a
/// file of CA certificates mends. The others are mended at the server or in the URL, so they are told in a sentence.
fn certificate(fault: &CertificateError) -> Error {
    let days = |from: &UnixTime, to: &UnixTime| to.as_secs().saturating_sub(from.as_secs()) / (24 * 3600);
    let text = match fault {
        CertificateError::UnknownIssuer => return Error::TlsCertificateError,
        CertificateError::NotValidForName => "its certificate is for another name".to_owned(),
        CertificateError::NotValidForNameContext { presented, .. } => {
            let names: Vec<_> = presented.iter().take(NAMES).map(String::as_str).collect();
            let names = if names.is_empty() {
                "nobody".to_owned()
            } else {
                names.join(", ")
            };
            format!("its certificate is for another name, {names}: the URL or the certificate must change")
        }
        CertificateError::Expired => "its certificate has expired".to_owned(),
        CertificateError::ExpiredContext { time, not_after } => format!(
            "its certificate expired {} days ago: the storage needs a new one",
            days(not_after, time)
        ),
        CertificateError::NotValidYet => "its certificate is not valid yet".to_owned(),
        CertificateError::NotValidYetContext { time, not_before } => format!(
            "its certificate becomes valid in {} days: is this machine's clock right?",
            days(time, not_before)
        ),
        other => format!("its certificate cannot be used: {other}"),
    };
    Error::InternalError(Some(text))
}

/// Of a request that was under way; `trouble` is what the connection's writing side ran into.
pub(super) fn request(error: &hyper::Error, trouble: Option<ErrorKind>) -> Error {
    if trouble == Some(ErrorKind::TimedOut) {
        return Error::ConnectionWriteTimeout;
    }
    if error.is_parse_too_large() {
        return Error::HttpResponseHeaderSectionSize(None);
    }
    if error.is_parse() || error.is_parse_status() {
        return Error::HttpProtocolError;
    }
    if let Some(body) = inner::<Error>(error) {
        return match body {
            Error::HttpRequestBodySize(size) => Error::HttpRequestBodySize(*size),
            _ => Error::HttpRequestBodySize(None),
        };
    }
    if error.is_body_write_aborted() || error.is_user() {
        return Error::HttpRequestBodySize(None);
    }
    if trouble.is_some() || error.is_incomplete_message() || error.is_canceled() || error.is_closed() {
        return Error::ConnectionTerminated;
    }
    match inner::<io::Error>(error) {
        Some(io) => match dialling(io) {
            // Such errors of a connection that was there mean that it is gone.
            Error::InternalError(_) | Error::ConnectionRefused => Error::ConnectionTerminated,
            other => other,
        },
        None => Error::HttpProtocolError,
    }
}

/// Of an answer's body.
pub(super) fn answer(error: &hyper::Error) -> Error {
    if error.is_incomplete_message() {
        return Error::HttpResponseIncomplete;
    }
    match request(error, None) {
        Error::ConnectionTerminated => Error::HttpResponseIncomplete,
        other => other,
    }
}

fn inner<T: std::error::Error + 'static>(error: &hyper::Error) -> Option<&T> {
    let mut source = error.source();
    while let Some(error) = source {
        if let Some(found) = error.downcast_ref() {
            return Some(found);
        }
        source = error.source();
    }
    None
}
