//! Reading a manifest, key by key: what is not exactly right is refused, with the file, the key, and what would be right.

use toml::{Table, Value};

use crate::digest::Sha256Digest;
use crate::error::{DistributionError, Result, shown};
use crate::manifest::{MAX_OPTIONS, Manifest, OptionEntry, OptionKind};

const KEYS: &str = "name, version, contract, sha256, size, licence, description, option";
const OPTION_KEYS: &str = "name, kind, required";

/// A greatest length in characters, what they may be, and both in words.
struct Words {
    longest: usize,
    allows: fn(char) -> bool,
    valid: &'static str,
}

const NAME: Words = Words {
    longest: 64,
    allows: |c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '_',
    valid: "1 to 64 lower-case letters, digits, \"-\" and \"_\", of which the first is a letter or a digit",
};
const VERSION: Words = Words {
    longest: 64,
    allows: |c| c.is_ascii_alphanumeric() || "._+-".contains(c),
    valid: "1 to 64 letters, digits, \".\", \"_\", \"+\" and \"-\"",
};
const CONTRACT: Words = Words {
    longest: 32,
    allows: |c| c.is_ascii_alphanumeric() || ".+-".contains(c),
    valid: "the contract's version, as \"0.1.0\"",
};
const LICENCE: Words = Words {
    longest: 128,
    allows: |c| c.is_ascii_alphanumeric() || ".+-:() ".contains(c),
    valid: "an SPDX expression of at most 128 characters, as \"Apache-2.0\"",
};
const DESCRIPTION: Words = Words {
    longest: 1000,
    allows: |c| !c.is_control() && !is_reordering(c),
    valid: "at most 1000 printable characters on one line",
};
const OPTION: Words = Words {
    longest: 64,
    allows: |c| c.is_ascii_alphanumeric() || "._+-".contains(c),
    valid: "1 to 64 letters, digits, \".\", \"_\", \"+\" and \"-\"",
};

/// The nearest text that can stand as a description.
pub(crate) fn as_description(text: &str) -> String {
    let printable = |c| if (DESCRIPTION.allows)(c) { c } else { ' ' };
    text.chars().take(DESCRIPTION.longest).map(printable).collect()
}

/// Marks that turn the direction of writing, so that a line reads other than it is.
fn is_reordering(c: char) -> bool {
    matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200e}' | '\u{200f}' | '\u{061c}')
}

/// Whether a driver can have the name; `..` and the like cannot be one.
pub(crate) fn is_name(name: &str) -> bool {
    fits(&NAME, name) && name.starts_with(|c: char| c.is_ascii_alphanumeric())
}

fn fits(words: &Words, text: &str) -> bool {
    text.chars().count() <= words.longest && text.chars().all(words.allows)
}

impl Manifest {
    /// Reads a manifest. `file` is what errors call it.
    ///
    /// # Errors
    /// [`DistributionError::Manifest`] and [`DistributionError::ManifestSyntax`].
    pub fn parse(text: &str, file: &str) -> Result<Self> {
        let table: Table =
            text.parse()
                .map_err(|error: toml::de::Error| DistributionError::ManifestSyntax {
                    file: file.to_owned(),
                    reason: place(text, &error),
                })?;
        let mut reader = Reader {
            file,
            place: String::new(),
            table,
        };
        let name = reader.words("name", &NAME)?;
        if !is_name(&name) {
            return Err(reader.wrong("name", format!("it is {}", shown(&name)), NAME.valid));
        }
        let version = reader.filled("version", &VERSION)?;
        let contract = reader.filled("contract", &CONTRACT)?;
        let sha256 = reader.words(
            "sha256",
            &Words {
                longest: 71,
                allows: |c| c.is_ascii(),
                valid: "64 hexadecimal digits",
            },
        )?;
        let sha256: Sha256Digest = sha256.parse().map_err(|_| {
            reader.wrong(
                "sha256",
                format!("it is {}", shown(&sha256)),
                "64 hexadecimal digits",
            )
        })?;
        let size = match reader.take("size", "the component's length in bytes")? {
            Value::Integer(size) => u64::try_from(size).ok(),
            _ => None,
        };
        let size = size.ok_or_else(|| {
            reader.wrong(
                "size",
                "it is no such number".into(),
                "the component's length in bytes",
            )
        })?;
        let licence = reader.filled("licence", &LICENCE)?;
        let description = reader.words("description", &DESCRIPTION)?;
        let options = options(&mut reader)?;
        reader.end(KEYS)?;
        Ok(Manifest {
            name,
            version,
            contract,
            sha256,
            size,
            licence,
            description,
            options,
        })
    }
}

fn options(reader: &mut Reader<'_>) -> Result<Vec<OptionEntry>> {
    let several = "one [[option]] for each, 256 at most, no name twice";
    let entries = match reader.table.remove("option") {
        None => Vec::new(),
        Some(Value::Array(entries)) if entries.len() <= MAX_OPTIONS => entries,
        Some(_) => return Err(reader.wrong("option", "it is no such list".into(), several)),
    };
    let mut options: Vec<OptionEntry> = Vec::new();
    for (number, entry) in entries.into_iter().enumerate() {
        let Value::Table(table) = entry else {
            return Err(reader.wrong("option", "it is no list of tables".into(), several));
        };
        let mut reader = Reader {
            file: reader.file,
            place: format!("option {}, ", number + 1),
            table,
        };
        let name = reader.filled("name", &OPTION)?;
        if options.iter().any(|other| other.name == name) {
            return Err(reader.wrong("name", format!("{name} is there twice"), several));
        }
        let valid = OptionKind::NAMES.join(", ");
        let kind = match reader.take("kind", &valid)? {
            Value::String(kind) => OptionKind::named(&kind)
                .ok_or_else(|| reader.wrong("kind", format!("it is {}", shown(&kind)), &valid))?,
            _ => return Err(reader.wrong("kind", "it is no text".into(), &valid)),
        };
        let required = match reader.table.remove("required") {
            None => false,
            Some(Value::Boolean(required)) => required,
            Some(_) => return Err(reader.wrong("required", "it is neither".into(), "true or false")),
        };
        reader.end(OPTION_KEYS)?;
        options.push(OptionEntry { name, kind, required });
    }
    Ok(options)
}

/// What is left of a table.
struct Reader<'a> {
    file: &'a str,
    place: String,
    table: Table,
}

impl Reader<'_> {
    fn wrong(&self, key: &str, reason: String, valid: &str) -> DistributionError {
        DistributionError::Manifest {
            file: self.file.to_owned(),
            key: format!("{}{key}", self.place),
            reason,
            valid: valid.to_owned(),
        }
    }

    fn take(&mut self, key: &str, valid: &str) -> Result<Value> {
        let value = self.table.remove(key);
        value.ok_or_else(|| self.wrong(key, "it is missing".into(), valid))
    }

    fn words(&mut self, key: &str, words: &Words) -> Result<String> {
        match self.take(key, words.valid)? {
            Value::String(text) if fits(words, &text) => Ok(text),
            Value::String(text) => Err(self.wrong(key, format!("it is {}", shown(&text)), words.valid)),
            _ => Err(self.wrong(key, "it is no text".into(), words.valid)),
        }
    }

    fn filled(&mut self, key: &str, words: &Words) -> Result<String> {
        let text = self.words(key, words)?;
        if text.trim().is_empty() {
            return Err(self.wrong(key, "it is empty".into(), words.valid));
        }
        Ok(text)
    }

    /// Refuses what nobody asked for.
    fn end(&self, valid: &str) -> Result<()> {
        match self.table.keys().next() {
            Some(key) => Err(self.wrong(&shown(key), "there is no such key".into(), valid)),
            None => Ok(()),
        }
    }
}

/// The parser's word with the line, without the text that it quotes.
fn place(text: &str, error: &toml::de::Error) -> String {
    let line = error
        .span()
        .and_then(|span| text.get(..span.start))
        .map(|before| before.matches('\n').count() + 1);
    let message: String = error
        .message()
        .chars()
        .filter(|c| !c.is_control())
        .take(200)
        .collect();
    line.map_or_else(|| message.clone(), |line| format!("line {line}: {message}"))
}
