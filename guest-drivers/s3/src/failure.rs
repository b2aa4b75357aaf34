//! What S3 says of a request that it refused, in the contract's errors.
//!
//! The status decides, unless the code in the body says more. A hostile body can do no harm: it is read up to 64 KiB,
//! and what of it reaches an error is one short line.

use cofferdam_driver::Error;
use cofferdam_driver::http::{Headers, Response, shown, status};

use crate::options::{BUCKET, REGION};
use crate::xml::Element;

const LONGEST_BODY: usize = 64 * 1024;

/// The error that an answer without success means. `what` completes "cannot ...".
pub(crate) fn refused(response: Response, what: &str) -> Error {
    let (status, headers) = (response.status(), response.headers().clone());
    // A body that is missing or cannot be read only takes the details away.
    let body = response.text(LONGEST_BODY).unwrap_or_default();
    error(status, &headers, Element::parse(&body).ok().as_ref(), what)
}

/// The error in an answer that began as a success.
pub(crate) fn reported(body: &Element, headers: &Headers, what: &str) -> Error {
    error(500, headers, Some(body), what)
}

fn error(status: u16, headers: &Headers, body: Option<&Element>, what: &str) -> Error {
    let code = body.and_then(|body| body.text("Code")).unwrap_or_default();
    let message = body.and_then(|body| body.text("Message")).unwrap_or_default();
    let detail = shown(&format!("{} {}", shown(code), shown(message)));
    let text = format!("cannot {what}: the storage answered {status}: {detail}");
    match code {
        "RequestTimeTooSkewed" => Error::unauthorized(format!(
            "cannot {what}: the clocks of this host and of the storage differ too much ({detail})"
        )),
        "SignatureDoesNotMatch" => Error::unauthorized(format!(
            "cannot {what}: the storage found the signature wrong; is the secret access key right? ({detail})"
        )),
        "InvalidAccessKeyId" => Error::unauthorized(format!(
            "cannot {what}: the storage does not know the access key ({detail})"
        )),
        "PermanentRedirect"
        | "AuthorizationHeaderMalformed"
        | "IllegalLocationConstraintException"
        | "InvalidLocationConstraint"
        | "IncorrectEndpoint"
        | "TemporaryRedirect" => wrong_region(headers, body, what),
        "SlowDown" | "Throttling" | "ThrottlingException" | "RequestLimitExceeded" | "TooManyRequests" => {
            Error::throttled(status::retry_after(headers), text)
        }
        "QuotaExceeded"
        | "XMinioStorageFull"
        | "XMinioAdminBucketQuotaExceeded"
        | "InsufficientStorage"
        | "StorageFull"
        | "InsufficientCapacity" => Error::out_of_space(text),
        // Swift's s3api says so of a quota that is used up.
        "EntityTooLarge" if status == 413 => Error::out_of_space(text),
        "EntityTooLarge" | "KeyTooLongError" | "InvalidBucketName" | "NotImplemented"
        | "MethodNotAllowed" => Error::unsupported(text),
        "BadDigest" | "XAmzContentSHA256Mismatch" | "XAmzContentChecksumMismatch" => Error::failed(format!(
            "cannot {what}: other bytes reached the storage than were sent, and it kept none ({detail})"
        )),
        "RequestTimeout" | "OperationAborted" | "IncompleteBody" => Error::unavailable(text),
        "BucketAlreadyExists" => Error::invalid_configuration(
            BUCKET,
            format!("cannot {what}: a bucket of that name belongs to somebody else"),
        ),
        _ if status == 301 => wrong_region(headers, body, what),
        _ => status::error(status, headers, what, Some(&detail)),
    }
}

fn wrong_region(headers: &Headers, body: Option<&Element>, what: &str) -> Error {
    let region = headers
        .get("x-amz-bucket-region")
        .or_else(|| body?.text("Region"));
    let hint = match region.map(shown).filter(|region| !region.is_empty()) {
        Some(region) => format!("the bucket is in the region {region}"),
        None => "the storage says that it is the wrong region or endpoint".to_owned(),
    };
    Error::invalid_configuration(REGION, format!("cannot {what}: {hint}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(status: u16, code: &str) -> Error {
        let body = format!("<Error><Code>{code}</Code><Message>Because.</Message></Error>");
        error(
            status,
            &Headers::default(),
            Element::parse(&body).ok().as_ref(),
            "put it",
        )
    }

    fn text(error: Error) -> String {
        match error {
            Error::Unauthorized(text) | Error::Failed(text) => text,
            other => format!("{other:?}"),
        }
    }

    #[test]
    fn the_code_says_more_than_the_status() {
        assert!(text(of(403, "RequestTimeTooSkewed")).contains("clocks"));
        assert!(text(of(403, "SignatureDoesNotMatch")).contains("secret access key"));
        assert!(text(of(403, "InvalidAccessKeyId")).contains("does not know"));
        assert!(matches!(of(503, "SlowDown"), Error::Throttled(_)));
        assert!(matches!(of(400, "RequestTimeout"), Error::Unavailable(_)));
        assert!(matches!(of(409, "OperationAborted"), Error::Unavailable(_)));
        assert!(matches!(of(403, "QuotaExceeded"), Error::OutOfSpace(_)));
        assert!(matches!(of(507, "XMinioStorageFull"), Error::OutOfSpace(_)));
        assert!(matches!(of(400, "EntityTooLarge"), Error::Unsupported(_)));
        assert!(matches!(of(413, "EntityTooLarge"), Error::OutOfSpace(_)));
        assert!(text(of(400, "BadDigest")).contains("kept none"));
    }

    #[test]
    fn without_a_known_code_the_status_decides() {
        assert_eq!(
            text(of(403, "AccessDenied")),
            "cannot put it: the server answered 403: AccessDenied Because."
        );
        assert!(matches!(of(404, "NoSuchKey"), Error::NotFound(_)));
        assert!(matches!(of(500, "InternalError"), Error::Unavailable(_)));
        let bare = |status| error(status, &Headers::default(), None, "put it");
        assert!(matches!(bare(403), Error::Unauthorized(_)));
        assert!(matches!(bare(418), Error::Failed(_)));
    }

    #[test]
    fn a_wrong_region_is_named() {
        let headers = Headers::new(vec![("x-amz-bucket-region".to_owned(), b"eu-west-1".to_vec())]);
        let Error::InvalidConfiguration(invalid) = error(301, &headers, None, "put it") else {
            panic!("no fault of the settings");
        };
        assert_eq!(invalid.option_name, REGION);
        assert!(invalid.reason.contains("eu-west-1"));
        assert!(matches!(
            of(400, "AuthorizationHeaderMalformed"),
            Error::InvalidConfiguration(_)
        ));
    }
}
