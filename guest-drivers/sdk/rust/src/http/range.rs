//! Ranges of objects: how one is asked for, and whether the answer is that. Pure.

use super::Headers;
use crate::ByteRange;

/// The greatest place in an object that every server knows: those that count in signed numbers pass over a range with a greater one.
const GREATEST_PLACE: u64 = i64::MAX as u64;

/// The `Range` header; `None` for the whole object. The range must not be empty.
pub fn header(range: Option<ByteRange>) -> Option<String> {
    let ByteRange { offset, .. } = range?;
    Some(match last_of(range) {
        Some(last) if last < GREATEST_PLACE => format!("bytes={offset}-{last}"),
        _ => format!("bytes={offset}-"),
    })
}

/// The bytes of the answer's body that are to be moved, or why the answer cannot be taken.
pub fn length(status: u16, headers: &Headers, range: Option<ByteRange>) -> Result<u64, String> {
    let announced = || {
        headers
            .number("content-length")
            .ok_or("its length was not announced")
    };
    match (status, range) {
        (200, None) => Ok(announced()?),
        // The whole object in answer to a range: its beginning may be what is wanted, or it has nothing of the range.
        (200, Some(ByteRange { offset: 0, length })) => Ok(announced()?.min(length.unwrap_or(u64::MAX))),
        (200, Some(ByteRange { offset, .. })) if announced()? <= offset => Ok(0),
        (200, Some(_)) => Err("the whole object came in place of a range".to_owned()),
        (206, Some(asked)) => {
            let got = content_range(headers).ok_or("the range that came is not told")?;
            let wanted = last_of(range).unwrap_or(u64::MAX);
            // What ends early must end where the object ends.
            let whole =
                got.last == wanted || (got.last < wanted && got.last.checked_add(1) == Some(got.total));
            let length = (got.last - got.first).saturating_add(1);
            if got.first == asked.offset && whole && announced()? == length {
                Ok(length)
            } else {
                Err("another range came than was asked for".to_owned())
            }
        }
        (416, Some(asked)) => match headers
            .get("content-range")
            .and_then(|text| text.strip_prefix("bytes */"))
        {
            Some(total) if total.parse::<u64>().is_ok_and(|total| total > asked.offset) => {
                Err("a range within the object was refused".to_owned())
            }
            _ => Ok(0),
        },
        _ => Err(format!("the status {status} was not expected")),
    }
}

struct ContentRange {
    first: u64,
    last: u64,
    total: u64,
}

/// `bytes 5-9/100`.
fn content_range(headers: &Headers) -> Option<ContentRange> {
    let (span, total) = headers
        .get("content-range")?
        .strip_prefix("bytes ")?
        .split_once('/')?;
    let (first, last) = span.split_once('-')?;
    let (first, last, total) = (first.parse().ok()?, last.parse().ok()?, total.parse().ok()?);
    (first <= last && last < total).then_some(ContentRange { first, last, total })
}

/// The last byte that the range asks for; `None` for the end of the object.
fn last_of(range: Option<ByteRange>) -> Option<u64> {
    let ByteRange { offset, length } = range?;
    Some(offset.saturating_add(length?.saturating_sub(1)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn range(offset: u64, length: Option<u64>) -> Option<ByteRange> {
        Some(ByteRange { offset, length })
    }

    fn of(status: u16, fields: &[(&str, &str)], range: Option<ByteRange>) -> Result<u64, String> {
        let field = |(name, value): &(&str, &str)| ((*name).to_owned(), value.as_bytes().to_vec());
        length(status, &Headers::new(fields.iter().map(field).collect()), range)
    }

    #[test]
    fn a_range_is_asked_for_by_its_first_and_last_byte() {
        assert_eq!(header(None), None);
        assert_eq!(header(range(5, None)).as_deref(), Some("bytes=5-"));
        assert_eq!(header(range(5, Some(5))).as_deref(), Some("bytes=5-9"));
        assert_eq!(
            header(range(u64::MAX, Some(9))).as_deref(),
            Some("bytes=18446744073709551615-")
        );
    }

    #[test]
    fn the_answer_must_be_what_was_asked_for() {
        assert_eq!(of(200, &[("content-length", "7")], None), Ok(7));
        assert_eq!(of(200, &[("content-length", "7")], range(0, Some(5))), Ok(5));
        assert_eq!(
            of(
                206,
                &[("content-length", "5"), ("content-range", "bytes 5-9/100")],
                range(5, Some(5))
            ),
            Ok(5)
        );
        assert_eq!(
            of(
                206,
                &[("content-length", "5"), ("content-range", "bytes 5-9/10")],
                range(5, Some(50))
            ),
            Ok(5)
        );
        assert_eq!(
            of(
                206,
                &[("content-length", "5"), ("content-range", "bytes 5-9/10")],
                range(5, None)
            ),
            Ok(5)
        );
    }

    #[test]
    fn a_range_past_the_end_has_no_bytes() {
        assert_eq!(of(416, &[], range(10, None)), Ok(0));
        assert_eq!(of(200, &[("content-length", "10")], range(10, Some(5))), Ok(0));
        assert_eq!(of(200, &[("content-length", "0")], range(5, None)), Ok(0));
        assert_eq!(
            of(416, &[("content-range", "bytes */10")], range(10, None)),
            Ok(0)
        );
        of(416, &[("content-range", "bytes */11")], range(10, None)).unwrap_err();
        of(416, &[], None).unwrap_err();
    }

    #[test]
    fn any_other_answer_is_refused() {
        let asked = range(5, Some(5));
        for (status, length, content_range) in [
            (200, "100", ""),
            (206, "5", ""),
            (206, "5", "bytes 4-8/100"),
            (206, "4", "bytes 5-8/100"),
            (206, "6", "bytes 5-10/100"),
            (206, "9", "bytes 5-9/100"),
            (206, "", "bytes 5-9/100"),
            (206, "5", "bytes 9-5/100"),
            (206, "5", "bytes 5-9/9"),
            (206, "5", "bytes 5-9/*"),
            (206, "0", "bytes 5-18446744073709551615/18446744073709551615"),
            (204, "0", ""),
        ] {
            of(
                status,
                &[("content-length", length), ("content-range", content_range)],
                asked,
            )
            .unwrap_err();
        }
        of(
            206,
            &[("content-length", "5"), ("content-range", "bytes 0-4/100")],
            None,
        )
        .unwrap_err();
        of(200, &[("content-length", "-7")], None).unwrap_err();
    }
}
