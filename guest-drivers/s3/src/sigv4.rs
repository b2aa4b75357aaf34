//! Amazon's signature, version 4, as S3 wants it. Pure, but for the first step, which the host does.
//!
//! The secret key never comes here: the host makes the key of the day from it (`kDate`), which is good for one day and
//! only for signatures, and the rest is derived from that. Path and query are signed as they are sent, encoded once.

use cofferdam_driver::Error;
use cofferdam_driver::http::encode::hex;
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};

/// Stands for the payload's digest when it is not known before the payload is sent.
pub(crate) const UNSIGNED: &str = "UNSIGNED-PAYLOAD";

const ALGORITHM: &str = "AWS4-HMAC-SHA256";
const SERVICE: &str = "s3";
const END: &str = "aws4_request";

/// What is put before the secret key to make the key that signs the date.
pub(crate) const KEY_PREFIX: &[u8] = b"AWS4";

/// A request as far as the signature covers it.
pub(crate) struct Canonical<'a> {
    /// `GET` and the like.
    pub(crate) method: &'a str,
    /// As the request line has it.
    pub(crate) path: &'a str,
    /// As the request line has it, sorted by name.
    pub(crate) query: &'a str,
    /// Names in lower case; in any order. `host` must be among them.
    pub(crate) headers: &'a [(String, String)],
    /// The payload's SHA-256 in hex, or [`UNSIGNED`].
    pub(crate) payload: &'a str,
}

/// For what a signature is good.
pub(crate) struct Scope<'a> {
    pub(crate) region: &'a str,
    /// `20150830T123600Z`, the same as in `x-amz-date`.
    pub(crate) time: &'a str,
}

impl Scope<'_> {
    fn date(&self) -> &str {
        self.time.get(..8).unwrap_or_default()
    }

    fn text(&self) -> String {
        format!("{}/{}/{SERVICE}/{END}", self.date(), self.region)
    }
}

/// The value of the `authorization` header. `digest` makes the SHA-256 of the canonical request: the host does, who knows what
/// stands behind placeholders.
pub(crate) fn authorization(
    request: &Canonical<'_>,
    scope: &Scope<'_>,
    access_key: &str,
    date_key: &[u8],
    digest: impl FnOnce(&[u8]) -> Result<Vec<u8>, Error>,
) -> Result<String, Error> {
    let (names, canonical) = canonical(request);
    let digest = hex(&digest(canonical.as_bytes())?);
    let signature = signature(&string_to_sign(scope, &digest), scope, date_key)?;
    Ok(format!(
        "{ALGORITHM} Credential={access_key}/{},SignedHeaders={names},Signature={signature}",
        scope.text()
    ))
}

/// The SHA-256 in hex.
pub(crate) fn sha256(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

/// The signed headers' names, and the canonical request.
fn canonical(request: &Canonical<'_>) -> (String, String) {
    let mut headers: Vec<(&str, String)> = request
        .headers
        .iter()
        .map(|(name, value)| {
            (
                name.as_str(),
                value.split_whitespace().collect::<Vec<_>>().join(" "),
            )
        })
        .collect();
    headers.sort();
    let names: Vec<&str> = headers.iter().map(|(name, _)| *name).collect();
    let names = names.join(";");
    let lines: String = headers
        .iter()
        .map(|(name, value)| format!("{name}:{value}\n"))
        .collect();
    let Canonical {
        method,
        path,
        query,
        payload,
        ..
    } = request;
    let text = format!("{method}\n{path}\n{query}\n{lines}\n{names}\n{payload}");
    (names, text)
}

fn string_to_sign(scope: &Scope<'_>, digest: &str) -> String {
    format!("{ALGORITHM}\n{}\n{}\n{digest}", scope.time, scope.text())
}

fn signature(string_to_sign: &str, scope: &Scope<'_>, date_key: &[u8]) -> Result<String, Error> {
    let region_key = hmac(date_key, scope.region)?;
    let service_key = hmac(&region_key, SERVICE)?;
    let key = hmac(&service_key, END)?;
    Ok(hex(&hmac(&key, string_to_sign)?))
}

fn hmac(key: &[u8], message: &str) -> Result<Vec<u8>, Error> {
    // HMAC takes keys of any length, so this cannot fail.
    let mut mac =
        Hmac::<Sha256>::new_from_slice(key).map_err(|_| Error::failed("the signing key cannot be used"))?;
    mac.update(message.as_bytes());
    Ok(mac.finalize().into_bytes().to_vec())
}

#[cfg(test)]
mod tests {
    //! The examples of "Authenticating Requests (AWS Signature Version 4)" in the S3 API reference.

    use super::*;

    const EMPTY: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    const TIME: &str = "20130524T000000Z";

    fn signed(method: &str, path: &str, query: &str, payload: &str, headers: &[(&str, &str)]) -> String {
        let headers: Vec<(String, String)> = headers
            .iter()
            .chain(&[
                ("x-amz-content-sha256", payload),
                ("x-amz-date", TIME),
                ("host", "examplebucket.s3.amazonaws.com"),
            ])
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        let scope = Scope {
            region: "us-east-1",
            time: TIME,
        };
        let date_key = hmac(b"AWS4wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "20130524").unwrap();
        let request = Canonical {
            method,
            path,
            query,
            headers: &headers,
            payload,
        };
        let digest = |text: &[u8]| Ok(Sha256::digest(text).to_vec());
        authorization(&request, &scope, "AKIAIOSFODNN7EXAMPLE", &date_key, digest).unwrap()
    }

    #[test]
    fn amazons_get_example_is_signed_as_published() {
        assert_eq!(
            signed("GET", "/test.txt", "", EMPTY, &[("range", "bytes=0-9")]),
            "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request,\
             SignedHeaders=host;range;x-amz-content-sha256;x-amz-date,\
             Signature=f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41"
        );
    }

    #[test]
    fn amazons_put_example_is_signed_as_published() {
        let payload = sha256(b"Welcome to Amazon S3.");
        assert_eq!(
            payload,
            "44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072"
        );
        let headers = [
            ("date", "Fri, 24 May 2013 00:00:00 GMT"),
            ("x-amz-storage-class", "REDUCED_REDUNDANCY"),
        ];
        assert!(
            signed("PUT", "/test%24file.text", "", &payload, &headers).ends_with(
                "SignedHeaders=date;host;x-amz-content-sha256;x-amz-date;x-amz-storage-class,\
             Signature=98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd"
            )
        );
    }

    #[test]
    fn amazons_examples_with_a_query_are_signed_as_published() {
        assert!(
            signed("GET", "/", "lifecycle=", EMPTY, &[])
                .ends_with("Signature=fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543")
        );
        assert!(
            signed("GET", "/", "max-keys=2&prefix=J", EMPTY, &[])
                .ends_with("Signature=34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7")
        );
    }

    #[test]
    fn a_values_outer_and_repeated_spaces_do_not_matter() {
        let one = signed("GET", "/", "", EMPTY, &[("x-amz-meta-a", "b c")]);
        assert_eq!(
            signed("GET", "/", "", EMPTY, &[("x-amz-meta-a", "  b   c ")]),
            one
        );
        assert_ne!(signed("GET", "/", "", UNSIGNED, &[("x-amz-meta-a", "b c")]), one);
    }
}
