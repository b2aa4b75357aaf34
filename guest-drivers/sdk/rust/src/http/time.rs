//! Points in time as HTTP and the storages write them. Pure, but for [`now`].
//!
//! UTC only; years 1970 to 9999, other times are cut to these.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use wasip2::clocks::wall_clock;

const DAY: u64 = 86400;
/// The last second of the year 9999.
const LATEST: u64 = 253_402_300_799;

/// Seconds since 1970 by the host's wall clock.
pub fn now() -> u64 {
    wall_clock::now().seconds
}

/// `20150830T123600Z`: the basic form of ISO 8601.
pub fn iso_basic(seconds: u64) -> String {
    let (year, month, day) = date_of(seconds);
    let (hour, minute, second) = time_of(seconds);
    format!("{year:04}{month:02}{day:02}T{hour:02}{minute:02}{second:02}Z")
}

/// `20150830`.
pub fn date_basic(seconds: u64) -> String {
    let (year, month, day) = date_of(seconds);
    format!("{year:04}{month:02}{day:02}")
}

/// `Sun, 06 Nov 1994 08:49:37 GMT`: how HTTP writes a date.
pub fn http_date(seconds: u64) -> String {
    httpdate::fmt_http_date(UNIX_EPOCH + Duration::from_secs(seconds.min(LATEST)))
}

/// Reads any of HTTP's three forms of a date.
pub fn parse_http_date(text: &str) -> Option<u64> {
    let time: SystemTime = httpdate::parse_http_date(text).ok()?;
    Some(time.duration_since(UNIX_EPOCH).ok()?.as_secs())
}

/// Reads `2015-08-30T12:36:00.000Z`: ISO 8601 in UTC, with or without a fraction, as storages answer it.
pub fn parse_iso(text: &str) -> Option<u64> {
    let (date, time) = text.strip_suffix('Z')?.split_once('T')?;
    let time = time.split_once('.').map_or(time, |(whole, _)| whole);
    let (year, month, day) = three(date, '-')?;
    let (hour, minute, second) = three(time, ':')?;
    let in_range = (1970..=9999).contains(&year)
        && (1..=12).contains(&month)
        && (1..=31).contains(&day)
        && hour < 24
        && minute < 60
        && second < 61;
    in_range.then(|| days_before(year, month, day) * DAY + hour * 3600 + minute * 60 + second)
}

fn three(text: &str, separator: char) -> Option<(u64, u64, u64)> {
    let mut parts = text.split(separator).map(|part| {
        let digits = (1..=4).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit());
        if digits { part.parse().ok() } else { None }
    });
    let all = (parts.next()??, parts.next()??, parts.next()??);
    parts.next().is_none().then_some(all)
}

fn time_of(seconds: u64) -> (u64, u64, u64) {
    let second = seconds.min(LATEST) % DAY;
    (second / 3600, second / 60 % 60, second % 60)
}

/// Year, month and day. Howard Hinnant's `civil_from_days`, in eras of 400 years that begin in March.
fn date_of(seconds: u64) -> (u64, u64, u64) {
    let days = seconds.min(LATEST) / DAY + 719_468;
    let (era, day_of_era) = (days / 146_097, days % 146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * from_march + 2) / 5 + 1;
    let month = if from_march < 10 {
        from_march + 3
    } else {
        from_march - 9
    };
    (era * 400 + year_of_era + u64::from(month <= 2), month, day)
}

/// Days from 1970 to the date: `days_from_civil` of the same author.
fn days_before(year: u64, month: u64, day: u64) -> u64 {
    let year = year - u64::from(month <= 2);
    let (era, year_of_era) = (year / 400, year % 400);
    let from_march = if month > 2 { month - 3 } else { month + 9 };
    let day_of_year = (153 * from_march + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_times_are_written_as_they_should_be() {
        assert_eq!(iso_basic(1_440_938_160), "20150830T123600Z");
        assert_eq!(date_basic(1_440_938_160), "20150830");
        assert_eq!(iso_basic(0), "19700101T000000Z");
        assert_eq!(iso_basic(u64::MAX), "99991231T235959Z");
        assert_eq!(http_date(784_111_777), "Sun, 06 Nov 1994 08:49:37 GMT");
        assert_eq!(
            parse_http_date("Sun, 06 Nov 1994 08:49:37 GMT"),
            Some(784_111_777)
        );
    }

    #[test]
    fn every_day_is_read_as_it_was_written() {
        for day in 0..60_000 {
            let basic = iso_basic(day * DAY + 3661);
            let extended = format!(
                "{}-{}-{}T01:01:01.000Z",
                basic.get(0..4).unwrap(),
                basic.get(4..6).unwrap(),
                basic.get(6..8).unwrap()
            );
            assert_eq!(parse_iso(&extended), Some(day * DAY + 3661), "{extended}");
        }
    }

    #[test]
    fn what_is_no_time_is_refused() {
        for wrong in [
            "",
            "Z",
            "2015-08-30",
            "2015-08-30T12:36:00",
            "2015-13-30T12:36:00Z",
            "1969-12-31T23:59:59Z",
            "2015-08-30T24:00:00Z",
            "2015-08-30T12:36Z",
            "2015-08-30T+1:36:00Z",
            "2015-08-30-01T12:36:00Z",
        ] {
            assert_eq!(parse_iso(wrong), None, "{wrong}");
        }
        assert_eq!(parse_http_date("yesterday"), None);
    }
}
