//! Buckets: is one there, and making one.

use cofferdam_driver::Error;
use cofferdam_driver::http::{Method, Response};

use crate::client::Call;
use crate::config::Config;
use crate::options::DEFAULT_REGION;
use crate::{failure, sigv4, xml};

/// Whether the bucket is there, by the cheapest request. Any other answer than yes and no is an error.
pub(crate) fn is_there(config: &Config, bucket: &str) -> Result<bool, Error> {
    let response = config
        .client
        .request(Call::new(Method::Head, bucket, ""))?
        .send()?;
    match response.status() {
        200..300 => Ok(true),
        404 => Ok(false),
        300..500 if response.status() != 429 => asked_again(config, bucket),
        _ => Err(failure::refused(response, &look_at(bucket))),
    }
}

/// The answer to a HEAD has no body, and so no reason. The listing needs the same right and gives one.
fn asked_again(config: &Config, bucket: &str) -> Result<bool, Error> {
    let response = listed(config, bucket)?;
    match response.status() {
        200..300 => Ok(true),
        404 => Ok(false),
        _ => Err(failure::refused(response, &look_at(bucket))),
    }
}

fn listed(config: &Config, bucket: &str) -> Result<Response, Error> {
    let call = Call {
        query: &[("list-type", "2"), ("max-keys", "1")],
        ..Call::new(Method::Get, bucket, "")
    };
    config.client.request(call)?.send()
}

/// Makes the bucket if it is missing.
pub(crate) fn create(config: &Config, bucket: &str) -> Result<(), Error> {
    if is_there(config, bucket)? {
        return Ok(());
    }
    let body = location(&config.client.region);
    let call = Call {
        payload: sigv4::sha256(body.as_bytes()),
        ..Call::new(Method::Put, bucket, "")
    };
    let request = config.client.request(call)?;
    let response = if body.is_empty() {
        request.send()?
    } else {
        request.send_bytes(body.as_bytes())?
    };
    // A conflict may mean that somebody made it a moment ago.
    if response.is_success() || (response.status() == 409 && is_there(config, bucket)?) {
        return Ok(());
    }
    Err(failure::refused(
        response,
        &format!("make the bucket {bucket}, which is missing"),
    ))
}

/// The body of a request that makes a bucket: empty in the region that S3 takes when none is named.
fn location(region: &str) -> String {
    if region == DEFAULT_REGION {
        return String::new();
    }
    format!(
        "<CreateBucketConfiguration xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><LocationConstraint>{}\
         </LocationConstraint></CreateBucketConfiguration>",
        xml::escaped(region)
    )
}

fn look_at(bucket: &str) -> String {
    format!("look at the bucket {bucket}")
}

#[cfg(test)]
mod tests {
    use super::location;
    use crate::xml::Element;

    #[test]
    fn a_bucket_outside_the_default_region_names_its_own() {
        assert_eq!(location("us-east-1"), "");
        let root = Element::parse(&location("eu-west-1")).unwrap();
        assert_eq!(root.text("LocationConstraint"), Some("eu-west-1"));
    }
}
