//! Objects that are put in parts, one after the other, from the one stream of the body. Nothing is visible under the name
//! before the last step; after any failure the parts are thrown away.
//!
//! A part's digests are not known before it is sent, so its payload is not signed, with `https` as with `http`; instead
//! the MD5 of what went through the host's pipe is compared with the ETag that the storage answers. With the checksum
//! crc32c the storage checks the whole object besides.
//!
//! A service that is killed in between leaves parts, which cost money and show in no listing: [`sweep`] throws away those
//! that are a week old.

use cofferdam_driver::http::encode::percent;
use cofferdam_driver::http::{Headers as Answered, Method, time};
use cofferdam_driver::wasip2::io::streams::StreamError;
use cofferdam_driver::{BodyInfo, BodyNeeds, Error, InputStream, ObjectAddress, log};

use crate::client::{Call, add};
use crate::config::{Checksum, Config};
use crate::list::{LONGEST_PAGE, decoded};
use crate::object::shown;
use crate::xml::{Element, escaped};
use crate::{encryption, failure, integrity, names, sigv4};

const MOST_PARTS: u64 = 10_000;
const LONGEST_ANSWER: usize = 64 * 1024;
const ABANDONED_AFTER_SECONDS: u64 = 7 * 86400;
const MOST_SWEPT: &str = "100";

/// Stores the body of that size under the name.
pub(crate) fn put(
    config: &Config,
    at: &ObjectAddress,
    body: &InputStream,
    size: u64,
    info: &BodyInfo,
) -> Result<(), Error> {
    let upload = begin(config, at)?;
    let done =
        parts(config, at, &upload, body, size).and_then(|tags| complete(config, at, &upload, &tags, info));
    if done.is_err()
        && let Err(error) = abort(config, at, &upload)
    {
        log::warn(format!(
            "the parts of {} stay for the next sweep: {error:?}",
            shown(at)
        ));
    }
    done
}

/// The size of all parts but the last.
fn part_size(size: u64, configured: u64) -> u64 {
    configured.max(size.div_ceil(MOST_PARTS))
}

fn begin(config: &Config, at: &ObjectAddress) -> Result<String, Error> {
    let what = format!("begin to put {} in parts", shown(at));
    let mut headers = encryption::making(config)?;
    if config.checksum == Checksum::Crc32c {
        add(&mut headers, "x-amz-checksum-algorithm", "CRC32C");
        add(&mut headers, "x-amz-checksum-type", "FULL_OBJECT");
    }
    let call = Call {
        query: &[("uploads", "")],
        headers,
        ..Call::new(Method::Post, &at.container, &at.name)
    };
    let response = config.client.request(call)?.send()?;
    if !response.is_success() {
        return Err(failure::refused(response, &what));
    }
    let root = Element::parse(&response.text(LONGEST_ANSWER)?)?;
    let id = root.text("UploadId").filter(|id| is_upload_id(id));
    id.map(str::to_owned)
        .ok_or_else(|| Error::failed(format!("cannot {what}: the storage gave no usable id")))
}

fn parts(
    config: &Config,
    at: &ObjectAddress,
    upload: &str,
    body: &InputStream,
    size: u64,
) -> Result<Vec<String>, Error> {
    let (mut left, mut tags) = (size, Vec::new());
    while left > 0 {
        let length = part_size(size, config.part_size).min(left);
        let number = (tags.len() + 1).to_string();
        let what = format!("the part {number} of {}", shown(at));
        let call = Call {
            query: &[("partNumber", &number), ("uploadId", upload)],
            headers: encryption::using(config)?,
            payload: sigv4::UNSIGNED.to_owned(),
            ..Call::new(Method::Put, &at.container, &at.name)
        };
        let (response, sent) = config
            .client
            .request(call)?
            .send_digested(body, length, BodyNeeds::MD5)?;
        if !response.is_success() {
            return Err(failure::refused(response, &format!("put {what}")));
        }
        let md5 = sent.and_then(|sent| sent.md5);
        integrity::check(config, response.headers(), md5.as_deref(), &what)?;
        tags.push(
            tag(response.headers())
                .ok_or_else(|| Error::failed(format!("the storage gave no ETag for {what}")))?,
        );
        left -= length;
    }
    match body.blocking_read(1) {
        Err(StreamError::Closed) => Ok(tags),
        Err(StreamError::LastOperationFailed(_)) => {
            Err(Error::failed("the object's body broke off at its end"))
        }
        Ok(_) => Err(Error::failed(format!(
            "the object's body has more than the announced {size} bytes"
        ))),
    }
}

fn complete(
    config: &Config,
    at: &ObjectAddress,
    upload: &str,
    tags: &[String],
    info: &BodyInfo,
) -> Result<(), Error> {
    let what = format!("put the parts of {} together", shown(at));
    let body = manifest(tags);
    let mut headers = encryption::using(config)?;
    if config.checksum == Checksum::Crc32c {
        add(&mut headers, "x-amz-checksum-crc32c", integrity::crc32c(info)?);
        add(&mut headers, "x-amz-checksum-type", "FULL_OBJECT");
    }
    let call = Call {
        query: &[("uploadId", upload)],
        headers,
        payload: sigv4::sha256(body.as_bytes()),
        ..Call::new(Method::Post, &at.container, &at.name)
    };
    let response = config.client.request(call)?.send_bytes(body.as_bytes())?;
    if !response.is_success() {
        return Err(failure::refused(response, &what));
    }
    // S3 may begin with 200 and find out later that it fails.
    let headers = response.headers().clone();
    let root = Element::parse(&response.text(LONGEST_ANSWER)?)?;
    match root.name.as_str() {
        "CompleteMultipartUploadResult" => Ok(()),
        "Error" => Err(failure::reported(&root, &headers, &what)),
        _ => Err(Error::failed(format!(
            "cannot {what}: the answer is not understood"
        ))),
    }
}

fn abort(config: &Config, at: &ObjectAddress, upload: &str) -> Result<(), Error> {
    let call = Call {
        query: &[("uploadId", upload)],
        ..Call::new(Method::Delete, &at.container, &at.name)
    };
    let response = config.client.request(call)?.send()?;
    if response.is_success() || response.status() == 404 {
        return Ok(());
    }
    Err(failure::refused(
        response,
        &format!("throw the parts of {} away", shown(at)),
    ))
}

/// Throws away parts that this driver's killed puts left a week ago or earlier, a hundred uploads at a time. Whatever
/// goes wrong here says nothing about backups, so it is passed over: the right to list uploads may be missing.
pub(crate) fn sweep(config: &Config, bucket: &str) {
    let swept = abandoned(config, bucket).map(|uploads| {
        for (key, upload) in uploads {
            let at = ObjectAddress {
                container: bucket.to_owned(),
                name: key,
            };
            match abort(config, &at, &upload) {
                Ok(()) => log::info(format!("threw away the abandoned parts of {}", shown(&at))),
                Err(error) => log::debug(format!("abandoned parts stay: {error:?}")),
            }
        }
    });
    if let Err(error) = swept {
        log::debug(format!("abandoned parts were not looked for: {error:?}"));
    }
}

fn abandoned(config: &Config, bucket: &str) -> Result<Vec<(String, String)>, Error> {
    let call = Call {
        query: &[
            ("uploads", ""),
            ("prefix", names::OWN_PREFIX),
            ("encoding-type", "url"),
            ("max-uploads", MOST_SWEPT),
        ],
        ..Call::new(Method::Get, bucket, "")
    };
    let response = config.client.request(call)?.send()?;
    if !response.is_success() {
        return Err(failure::refused(
            response,
            &format!("list the uploads to {bucket}"),
        ));
    }
    let root = Element::parse(&response.text(LONGEST_PAGE)?)?;
    Ok(older(&root, time::now().saturating_sub(ABANDONED_AFTER_SECONDS)))
}

/// Names and ids of the driver's own uploads that began before that time.
fn older(root: &Element, than: u64) -> Vec<(String, String)> {
    let encoded = root.text("EncodingType") == Some("url");
    let old = root.all("Upload").filter_map(|upload| {
        let began = upload.text("Initiated").and_then(time::parse_iso)?;
        let key = decoded(upload.text("Key")?, encoded)?;
        let id = upload.text("UploadId").filter(|id| is_upload_id(id))?;
        let own = key.starts_with(names::OWN_PREFIX) && names::check_key(&key).is_ok();
        (own && began < than).then(|| (key, id.to_owned()))
    });
    old.take(100).collect()
}

fn manifest(tags: &[String]) -> String {
    let parts: String = (1..)
        .zip(tags)
        .map(|(number, tag)| {
            format!(
                "<Part><ETag>{}</ETag><PartNumber>{number}</PartNumber></Part>",
                escaped(tag)
            )
        })
        .collect();
    format!(
        "<CompleteMultipartUpload xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">{parts}</CompleteMultipartUpload>"
    )
}

fn tag(answered: &Answered) -> Option<String> {
    let tag = answered.get("etag")?;
    ((1..=256).contains(&tag.len()) && tag.bytes().all(|byte| byte.is_ascii_graphic()))
        .then(|| tag.to_owned())
}

/// Whether an id that the storage gave fits into a URL.
fn is_upload_id(id: &str) -> bool {
    !id.is_empty() && percent(id).len() <= 2048
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_grow_when_ten_thousand_would_not_do() {
        assert_eq!(part_size(1 << 30, 64 << 20), 64 << 20);
        let great: u64 = 5 << 40;
        let size = part_size(great, 64 << 20);
        assert!(great.div_ceil(size) <= MOST_PARTS && size <= 5 << 30);
    }

    #[test]
    fn the_manifest_lists_the_parts_in_order() {
        let root = Element::parse(&manifest(&["\"a\"".to_owned(), "<&".to_owned()])).unwrap();
        let parts: Vec<_> = root
            .all("Part")
            .map(|part| (part.text("PartNumber"), part.text("ETag")))
            .collect();
        assert_eq!(parts, [(Some("1"), Some("\"a\"")), (Some("2"), Some("<&"))]);
    }

    #[test]
    fn only_old_uploads_of_the_driver_itself_are_swept() {
        let upload = |key: &str, began: &str| {
            format!("<Upload><Key>{key}</Key><UploadId>id</UploadId><Initiated>{began}</Initiated></Upload>")
        };
        let document = format!(
            "<ListMultipartUploadsResult><EncodingType>url</EncodingType>{}{}{}{}{}</ListMultipartUploadsResult>",
            upload("volume_1%2Fa", "2024-01-01T00:00:00.000Z"),
            upload("volume_2", "2024-02-01T00:00:00.000Z"),
            upload("other", "2024-01-01T00:00:00.000Z"),
            upload("volume_3", "once"),
            upload("volume_4/../x", "2024-01-01T00:00:00.000Z"),
        );
        let than = time::parse_iso("2024-01-15T00:00:00Z").unwrap();
        let old = older(&Element::parse(&document).unwrap(), than);
        assert_eq!(old, [("volume_1/a".to_owned(), "id".to_owned())]);
    }
}
