//! The options of the configuration: name, kind, default, where each may stand, what it does ([`table`]). Parsing,
//! `config show`, the error texts and `docs/configuration.md` all come from here; the definition is the documentation.
//!
//! Where Cinder has the option, it has Cinder's name (cinder: `cinder/backup/manager.py`, `cinder/service.py`,
//! `cinder/backup/chunkeddriver.py`); the three `backup_initialization_*` and `backup_periodic_initialization` come from
//! the spec "Backup driver initialization" (cinder-specs: `specs/pike/backup-init.rst`).

mod table;

pub(crate) use table::OPTIONS;

/// What an option's value is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Text,
    /// A whole number from the first to the second, both included.
    Integer(i64, i64),
    Boolean,
    /// `"30s"`, or a number of seconds; from the first to the second number of milliseconds.
    Duration(u64, u64),
    /// `"64MiB"`, or a number of bytes; from the first to the second.
    Size(u64, u64),
    /// An absolute path, or one relative to the configuration's folder.
    Path,
    /// Several of them.
    Paths,
    /// Several texts.
    Texts,
    /// One of these words, in any case.
    Choice(&'static [&'static str]),
}

impl Kind {
    /// How the kind reads in a sentence.
    pub(crate) fn describe(self) -> String {
        match self {
            Kind::Text => "a text".into(),
            Kind::Integer(least, most) => format!("a whole number from {least} to {most}"),
            Kind::Boolean => "true or false".into(),
            Kind::Duration(least, most) => {
                format!(
                    "a duration such as \"30s\" or a number of seconds, from {} to {}",
                    span(least),
                    span(most)
                )
            }
            Kind::Size(least, most) => {
                format!(
                    "a size such as \"64MiB\" or a number of bytes, from {} to {}",
                    bytes(least),
                    bytes(most)
                )
            }
            Kind::Path => "a path".into(),
            Kind::Paths => "a list of paths".into(),
            Kind::Texts => "a list of texts".into(),
            Kind::Choice(words) => format!("one of {}", words.join(", ")),
        }
    }
}

/// Milliseconds as people write them.
pub(crate) fn span(milliseconds: u64) -> String {
    humantime::format_duration(std::time::Duration::from_millis(milliseconds)).to_string()
}

/// Bytes as people write them.
pub(crate) fn bytes(bytes: u64) -> String {
    for (unit, name) in [
        (1_u64 << 40, "TiB"),
        (1 << 30, "GiB"),
        (1 << 20, "MiB"),
        (1 << 10, "KiB"),
    ] {
        if bytes >= unit && bytes.is_multiple_of(unit) {
            return format!("{}{name}", bytes / unit);
        }
    }
    bytes.to_string()
}

/// Where an option may stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scope {
    /// At the top only.
    Service,
    /// At the top for all backends, and in a backend's section for that one.
    Both,
    /// In a backend's section only.
    Backend,
}

/// One option.
#[derive(Debug, Clone, Copy)]
pub(crate) struct OptionSpec {
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
    pub(crate) scope: Scope,
    /// As it would stand in the file; `None`: there is none, and the text says what then.
    pub(crate) default: Option<&'static str>,
    pub(crate) text: &'static str,
}

/// The option of that name.
pub(crate) fn find(name: &str) -> Option<&'static OptionSpec> {
    OPTIONS.iter().find(|option| option.name == name)
}
