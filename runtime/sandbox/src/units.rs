//! Sizes and durations as people write them: `"64MiB"`, `"30s"`. One reading for the configuration and for drivers'
//! settings.

use std::time::Duration;

/// Bytes in `"64MiB"`, `"2 GB"`, `"4096"`.
pub fn parse_size(text: &str) -> Option<u64> {
    text.trim()
        .parse::<bytesize::ByteSize>()
        .ok()
        .map(|size| size.as_u64())
}

/// The span in `"30s"`, `"1h 30m"`, `"250ms"`.
pub fn parse_duration(text: &str) -> Option<Duration> {
    humantime::parse_duration(text.trim()).ok()
}

/// Bytes for people, in binary units: `43.1 MiB`.
pub fn show_bytes(bytes: u64) -> String {
    format!("{:.1}", bytesize::ByteSize::b(bytes).display().iec())
}
