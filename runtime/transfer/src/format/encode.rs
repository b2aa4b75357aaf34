//! The control documents as bytes: what Python's `json.dumps(document, sort_keys=True, indent=2)` gives.
//!
//! Written by hand because the shape is fixed and the sha256 document of a great volume is far greater than memory
//! should be: it goes out piece by piece. Cost: 72 bytes per hash block.

use std::io::{self, Write};

use super::{Header, Metadata, Sha256file, VERSION, data_name};

/// Writes the `_metadata` document of the backup with that prefix.
///
/// # Errors
/// Those of `out`.
pub fn encode_metadata(out: &mut impl Write, prefix: &str, metadata: &Metadata) -> io::Result<()> {
    let Header {
        backup_id,
        volume_id,
        backup_name,
        backup_description,
        created_at,
    } = &metadata.header;
    out.write_all(b"{\n")?;
    field(out, "backup_description", backup_description.as_deref(), ",\n")?;
    field(out, "backup_id", Some(backup_id), ",\n")?;
    field(out, "backup_name", backup_name.as_deref(), ",\n")?;
    field(out, "created_at", Some(created_at), ",\n")?;
    out.write_all(b"  \"objects\": [")?;
    for (index, object) in (0_u64..).zip(&metadata.objects) {
        out.write_all(if index == 0 {
            b"\n    {\n      "
        } else {
            b",\n    {\n      "
        })?;
        string(out, &data_name(prefix, index + 1))?;
        write!(
            out,
            ": {{\n        \"compression\": \"{}\",\n        \"length\": {},\n        \"md5\": \"{}\",\n        \
             \"offset\": {}\n      }}\n    }}",
            object.compression.text(),
            object.length,
            hex::encode(object.md5),
            object.offset
        )?;
    }
    out.write_all(if metadata.objects.is_empty() {
        b"],\n"
    } else {
        b"\n  ],\n"
    })?;
    field(out, "parent_id", metadata.parent_id.as_deref(), ",\n")?;
    field(out, "version", Some(VERSION), ",\n")?;
    field(out, "volume_id", Some(volume_id), ",\n")?;
    field(out, "volume_meta", metadata.volume_meta.as_deref(), "\n}")
}

/// Writes the `_sha256file` document.
///
/// # Errors
/// Those of `out`.
pub fn encode_sha256file(out: &mut impl Write, file: &Sha256file) -> io::Result<()> {
    let Header {
        backup_id,
        volume_id,
        backup_name,
        backup_description,
        created_at,
    } = &file.header;
    out.write_all(b"{\n")?;
    field(out, "backup_description", backup_description.as_deref(), ",\n")?;
    field(out, "backup_id", Some(backup_id), ",\n")?;
    field(out, "backup_name", backup_name.as_deref(), ",\n")?;
    writeln!(out, "  \"chunk_size\": {},", file.block_size)?;
    field(out, "created_at", Some(created_at), ",\n")?;
    out.write_all(b"  \"sha256s\": [")?;
    let mut comma: &[u8] = b"";
    for (count, digest) in file.digests.runs() {
        let line = format!("\n    \"{}\"", hex::encode(digest));
        for _ in 0..count {
            out.write_all(comma)?;
            out.write_all(line.as_bytes())?;
            comma = b",";
        }
    }
    out.write_all(if file.digests.is_empty() {
        b"],\n"
    } else {
        b"\n  ],\n"
    })?;
    field(out, "version", Some(VERSION), ",\n")?;
    field(out, "volume_id", Some(volume_id), "\n}")
}

fn field(out: &mut impl Write, key: &str, value: Option<&str>, end: &str) -> io::Result<()> {
    write!(out, "  \"{key}\": ")?;
    match value {
        Some(value) => string(out, value)?,
        None => out.write_all(b"null")?,
    }
    out.write_all(end.as_bytes())
}

/// A string as Python writes it with `ensure_ascii`: 0x7f and `/` as they are, no other control character, all else
/// beyond ASCII as UTF-16 escapes.
fn string(out: &mut impl Write, text: &str) -> io::Result<()> {
    let mut escaped = String::with_capacity(text.len() + 2);
    escaped.push('"');
    for character in text.chars() {
        match character {
            '"' => escaped.push_str("\\\""),
            '\\' => escaped.push_str("\\\\"),
            '\n' => escaped.push_str("\\n"),
            '\r' => escaped.push_str("\\r"),
            '\t' => escaped.push_str("\\t"),
            '\u{8}' => escaped.push_str("\\b"),
            '\u{c}' => escaped.push_str("\\f"),
            ' '..='\u{7f}' => escaped.push(character),
            _ => {
                for unit in character.encode_utf16(&mut [0; 2]) {
                    escaped.push_str(&format!("\\u{unit:04x}"));
                }
            }
        }
    }
    escaped.push('"');
    out.write_all(escaped.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_are_escaped_as_python_does_it() {
        let mut out = Vec::new();
        string(&mut out, "a\"\\/\n\r\t\u{8}\u{c}\u{1}\u{7f}\u{80}é€😀").unwrap();
        let expected = "\"a\\\"\\\\/\\n\\r\\t\\b\\f\\u0001\u{7f}\\u0080\\u00e9\\u20ac\\ud83d\\ude00\"";
        assert_eq!(String::from_utf8(out).unwrap(), expected);
    }
}
