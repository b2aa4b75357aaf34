//! Reading an object, or a range of it, into a sink. The bytes go from socket to sink in the host.
//!
//! The answer is believed only as far as it fits the question: a range must begin where it was asked for, and may be
//! shorter only at the object's end.

use cofferdam_driver::http::Method;
use cofferdam_driver::{ByteRange, Error, ObjectAddress, OutputStream};

use crate::client::{Call, Headers, add};
use crate::config::Config;
use crate::object::{length, shown, size};
use crate::{encryption, failure, names};

/// Writes the object or the range to the sink; says how many bytes.
pub(crate) fn get(
    config: &Config,
    at: &ObjectAddress,
    range: Option<ByteRange>,
    sink: &OutputStream,
) -> Result<u64, Error> {
    names::check_key(&at.name)?;
    let wanted = match range {
        None
        | Some(ByteRange {
            offset: 0,
            length: None,
        }) => None,
        // HTTP cannot ask for no bytes; only whether the object is there is to be found out.
        Some(ByteRange { length: Some(0), .. }) => return size(config, at).map(|_| 0),
        Some(range) => Some(Wanted::new(&range)),
    };
    let mut headers = encryption::using(config)?;
    if let Some(wanted) = &wanted {
        wanted.ask(&mut headers);
    }
    let call = Call {
        headers,
        ..Call::new(Method::Get, &at.container, &at.name)
    };
    let response = config.client.request(call)?.send()?;
    let bytes = match (response.status(), &wanted) {
        (416, Some(_)) => return Ok(0),
        (200, None) => length(&response, at)?,
        (206, Some(wanted)) => {
            let answered = response.header("content-range").unwrap_or_default();
            wanted.check(answered, length(&response, at)?).ok_or_else(|| {
                Error::failed(format!(
                    "the storage answered another range of {} than asked",
                    shown(at)
                ))
            })?
        }
        (200..300, _) => {
            return Err(Error::failed(format!(
                "the storage answered {} to a get of {}, which does not fit",
                response.status(),
                shown(at)
            )));
        }
        _ => return Err(failure::refused(response, &format!("get {}", shown(at)))),
    };
    if bytes == 0 {
        return Ok(0);
    }
    response.pipe_into(sink, bytes)
}

/// The first and the last byte of a range that is not empty.
struct Wanted {
    first: u64,
    last: Option<u64>,
}

impl Wanted {
    fn new(range: &ByteRange) -> Self {
        Self {
            first: range.offset,
            last: range
                .length
                .map(|length| range.offset.saturating_add(length.saturating_sub(1))),
        }
    }

    fn ask(&self, headers: &mut Headers) {
        let last = self.last.map_or(String::new(), |last| last.to_string());
        add(headers, "range", format!("bytes={}-{last}", self.first));
    }

    /// The number of bytes that come, if `content-range` and `content-length` fit what was asked.
    fn check(&self, answered: &str, length: u64) -> Option<u64> {
        let (range, total) = answered.strip_prefix("bytes ")?.split_once('/')?;
        let (first, last) = range.split_once('-')?;
        let (first, last): (u64, u64) = (first.parse().ok()?, last.parse().ok()?);
        let total: Option<u64> = total.parse().ok();
        let whole = self.last.is_some_and(|wanted| wanted == last);
        let cut = total.is_some_and(|total| last.checked_add(1) == Some(total))
            && self.last.is_none_or(|wanted| last < wanted);
        let fits =
            first == self.first && last.checked_sub(first)?.checked_add(1)? == length && (whole || cut);
        fits.then_some(length)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wanted(offset: u64, length: Option<u64>) -> Wanted {
        Wanted::new(&ByteRange { offset, length })
    }

    fn asked(offset: u64, length: Option<u64>) -> String {
        let mut headers = Headers::new();
        wanted(offset, length).ask(&mut headers);
        headers.pop().unwrap().1
    }

    #[test]
    fn a_range_is_asked_by_its_first_and_last_byte() {
        assert_eq!(asked(0, Some(1)), "bytes=0-0");
        assert_eq!(asked(10, Some(5)), "bytes=10-14");
        assert_eq!(asked(10, None), "bytes=10-");
        assert_eq!(
            asked(u64::MAX, Some(u64::MAX)),
            format!("bytes={0}-{0}", u64::MAX)
        );
    }

    #[test]
    fn only_the_range_that_was_asked_is_believed() {
        assert_eq!(wanted(10, Some(5)).check("bytes 10-14/100", 5), Some(5));
        assert_eq!(wanted(10, Some(5)).check("bytes 10-14/*", 5), Some(5));
        assert_eq!(wanted(10, Some(5)).check("bytes 10-12/13", 3), Some(3));
        assert_eq!(wanted(10, None).check("bytes 10-99/100", 90), Some(90));
        for (answered, length) in [
            ("", 5),
            ("bytes 10-14/100", 4),
            ("bytes 9-13/100", 5),
            ("bytes 10-12/100", 3),
            ("bytes 10-15/100", 6),
            ("bytes 10-15/16", 6),
            ("bytes 14-10/100", 5),
            ("bytes */100", 5),
            ("10-14/100", 5),
        ] {
            assert_eq!(wanted(10, Some(5)).check(answered, length), None, "{answered}");
        }
        assert_eq!(wanted(10, None).check("bytes 10-98/100", 89), None);
        assert_eq!(wanted(0, None).check(&format!("bytes 0-{}/*", u64::MAX), 0), None);
    }
}
