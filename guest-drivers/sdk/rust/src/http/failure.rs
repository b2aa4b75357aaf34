//! What `wasi:http` says of a request that got no answer, in the contract's errors: a sentence of its own for each
//! cause that a deployer would mend in another way.

use wasip2::http::types::ErrorCode;

use super::shown;
use crate::Error;

/// The error for a request to `origin` that failed with the code.
pub(super) fn error(code: &ErrorCode, origin: &str) -> Error {
    match code {
        ErrorCode::HttpRequestDenied => Error::invalid_configuration(
            "",
            format!(
                "the host does not let this driver send such a request to {origin}: the backend's grants.http must name it"
            ),
        ),
        ErrorCode::DestinationIpProhibited => Error::invalid_configuration(
            "",
            format!("the host does not let this driver reach the address that {origin} resolves to"),
        ),
        ErrorCode::ConfigurationError => Error::invalid_configuration(
            "",
            format!("the host's settings for requests to {origin} do not work: TLS files or proxy"),
        ),
        ErrorCode::HttpRequestBodySize(_) | ErrorCode::HttpRequestLengthRequired => Error::failed(format!(
            "the body sent to {origin} had another length than announced"
        )),
        ErrorCode::HttpRequestMethodInvalid
        | ErrorCode::HttpRequestUriInvalid
        | ErrorCode::HttpRequestUriTooLong
        | ErrorCode::HttpRequestHeaderSectionSize(_)
        | ErrorCode::HttpRequestHeaderSize(_)
        | ErrorCode::HttpRequestTrailerSectionSize(_)
        | ErrorCode::HttpRequestTrailerSize(_)
        | ErrorCode::HttpUpgradeFailed => Error::failed(format!(
            "the host refused a malformed request to {origin} ({})",
            shown(&format!("{code:?}"))
        )),
        other => Error::unavailable(format!("{origin} gave no answer: {}", cause(other))),
    }
}

/// Why there is no answer, for everything that may pass by itself.
fn cause(code: &ErrorCode) -> String {
    let text = match code {
        ErrorCode::DnsTimeout => "its name was not resolved in time",
        ErrorCode::DnsError(_) | ErrorCode::DestinationNotFound => "its name cannot be resolved",
        ErrorCode::DestinationUnavailable | ErrorCode::DestinationIpUnroutable => {
            "no route leads to its address"
        }
        ErrorCode::ConnectionRefused => "the connection was refused; nothing listens there",
        ErrorCode::ConnectionTimeout => "the connection was not made in time",
        ErrorCode::ConnectionTerminated => "the connection was cut",
        ErrorCode::ConnectionReadTimeout => "it sent nothing more for too long",
        ErrorCode::ConnectionWriteTimeout => "it took no more bytes for too long",
        ErrorCode::ConnectionLimitReached => "too many connections are open",
        ErrorCode::HttpResponseTimeout => "it did not answer in time",
        ErrorCode::HttpResponseIncomplete => "its answer broke off",
        ErrorCode::TlsCertificateError => {
            "its certificate is not trusted, for its issuer is unknown; the backend's option for a file of CA certificates must name a file with the issuer's"
        }
        ErrorCode::TlsProtocolError => "no TLS connection came about; does it speak https on this port?",
        ErrorCode::TlsAlertReceived(alert) => {
            let alert = alert.alert_message.as_deref().unwrap_or("no reason given");
            return format!("it ended the TLS connection ({})", shown(alert));
        }
        ErrorCode::HttpProtocolError => "it does not speak HTTP as it should",
        ErrorCode::LoopDetected => "the request came back in a loop",
        // Our host's sentence about what WASI has no word for: a certificate that expired, a proxy that refused.
        ErrorCode::InternalError(Some(text)) => return shown(text),
        ErrorCode::InternalError(None) => "the host could not send the request",
        other => {
            return format!(
                "its answer cannot be understood ({})",
                shown(&format!("{other:?}"))
            );
        }
    };
    text.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;
    use wasip2::http::types::{DnsErrorPayload, TlsAlertReceivedPayload};

    fn text(code: &ErrorCode) -> String {
        match error(code, "https://h") {
            Error::Unavailable(text) | Error::Failed(text) => text,
            Error::InvalidConfiguration(invalid) => invalid.reason,
            other => format!("{other:?}"),
        }
    }

    #[test]
    fn causes_that_are_mended_differently_read_differently() {
        let codes = [
            ErrorCode::DnsTimeout,
            ErrorCode::DnsError(DnsErrorPayload {
                rcode: None,
                info_code: None,
            }),
            ErrorCode::ConnectionRefused,
            ErrorCode::ConnectionTimeout,
            ErrorCode::ConnectionTerminated,
            ErrorCode::TlsCertificateError,
            ErrorCode::TlsProtocolError,
            ErrorCode::TlsAlertReceived(TlsAlertReceivedPayload {
                alert_id: None,
                alert_message: Some("bad\ncertificate".to_owned()),
            }),
            ErrorCode::HttpRequestDenied,
            ErrorCode::DestinationIpProhibited,
            ErrorCode::HttpResponseTimeout,
            ErrorCode::HttpProtocolError,
        ];
        let texts: HashSet<String> = codes.iter().map(text).collect();
        assert_eq!(texts.len(), codes.len());
        assert!(
            texts
                .iter()
                .all(|text| text.contains("https://h") && !text.contains('\n'))
        );
    }

    #[test]
    fn what_may_pass_by_itself_is_unavailable_and_a_missing_grant_is_for_the_deployer() {
        for code in [
            ErrorCode::ConnectionRefused,
            ErrorCode::TlsCertificateError,
            ErrorCode::InternalError(None),
        ] {
            assert!(matches!(error(&code, "https://h"), Error::Unavailable(_)));
        }
        assert!(text(&ErrorCode::TlsCertificateError).contains("CA certificates"));
        assert!(matches!(
            error(&ErrorCode::HttpRequestDenied, "https://h"),
            Error::InvalidConfiguration(_)
        ));
    }
}
