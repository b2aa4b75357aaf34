//! Compression: which algorithms there are, and streams of them in both directions.
//!
//! `gzip` is Cinder's other name for zlib, not the gzip format. What is written decodes in every Cinder: zlib level 6,
//! bzip2 level 9, zstd level 3 as one frame that states its content size (older python-zstd refuses others). What is
//! read gives exactly the bytes that were declared, from exactly one stream, or an error. Bound: the decoder never
//! holds more than one piece; a zstd frame may ask for a window of 128 MiB, no more.

mod decode;
mod deflate;
mod encode;

use std::str::FromStr;

use crate::error::TransferError;

pub(crate) use decode::{Decoder, Fault};
pub(crate) use encode::{Effort, Encoder, looks_incompressible};

/// How data is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    /// Not at all.
    None,
    /// A zlib stream (RFC 1950).
    Zlib,
    /// One zstd frame.
    Zstd,
    /// A bzip2 stream.
    Bz2,
}

/// An algorithm by its configured name, which is also the tag that is written into the metadata.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tag {
    text: &'static str,
    format: Format,
}

/// The configured algorithm: any name that Cinder takes, in any case.
pub type Algorithm = Tag;

impl Tag {
    /// Stored as it is.
    pub const NONE: Tag = Tag {
        text: "none",
        format: Format::None,
    };

    const ALL: [Tag; 8] = [
        Tag::NONE,
        Tag {
            text: "off",
            format: Format::None,
        },
        Tag {
            text: "no",
            format: Format::None,
        },
        Tag {
            text: "zlib",
            format: Format::Zlib,
        },
        Tag {
            text: "gzip",
            format: Format::Zlib,
        },
        Tag {
            text: "bz2",
            format: Format::Bz2,
        },
        Tag {
            text: "bzip2",
            format: Format::Bz2,
        },
        Tag {
            text: "zstd",
            format: Format::Zstd,
        },
    ];

    /// The name in lower case.
    pub fn text(self) -> &'static str {
        self.text
    }

    /// What it stands for.
    pub(crate) fn format(self) -> Format {
        self.format
    }
}

impl FromStr for Tag {
    type Err = TransferError;

    fn from_str(text: &str) -> Result<Self, TransferError> {
        Tag::ALL
            .into_iter()
            .find(|tag| tag.text.eq_ignore_ascii_case(text))
            .ok_or_else(|| TransferError::UnsupportedCompression {
                found: text.chars().take(64).collect(),
            })
    }
}

impl std::fmt::Display for Tag {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.text)
    }
}

#[cfg(test)]
mod tests;
