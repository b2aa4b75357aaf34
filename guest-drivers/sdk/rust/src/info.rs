//! Short ways to write what a driver says of itself.

use crate::{OptionInfo, OptionKind};

impl OptionInfo {
    /// An option without which the backend is refused before `do-setup`.
    pub fn required(name: &str, kind: OptionKind, description: &str) -> Self {
        Self {
            name: name.to_owned(),
            kind,
            required: true,
            default: None,
            description: description.to_owned(),
        }
    }

    /// An option that may be absent; `default` is what the driver assumes then, as text for people.
    pub fn optional(name: &str, kind: OptionKind, default: impl Into<String>, description: &str) -> Self {
        Self {
            name: name.to_owned(),
            kind,
            required: false,
            default: Some(default.into()),
            description: description.to_owned(),
        }
    }
}
