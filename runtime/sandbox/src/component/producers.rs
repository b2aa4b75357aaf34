//! What a component says of the tools that made it: its `producers` sections, which every toolchain writes and anyone may forge or
//! strip. For people to read; nothing is decided by it.

use wasmparser::{KnownCustom, Parser, Payload};

use crate::failure::clean;

/// Tools that are told.
const MOST: usize = 32;

/// Characters of one tool's name, and of its version.
const TEXT: usize = 60;

/// Languages and tools with their versions, once each, in the order of the file: `language JavaScript`, `clang 19.1.7`.
pub(super) fn producers(bytes: &[u8]) -> Vec<String> {
    let mut tools: Vec<String> = Vec::new();
    for payload in Parser::new(0).parse_all(bytes).map_while(Result::ok) {
        let Payload::CustomSection(section) = payload else {
            continue;
        };
        let KnownCustom::Producers(fields) = section.as_known() else {
            continue;
        };
        for field in fields.into_iter().map_while(Result::ok) {
            for value in field.values.into_iter().map_while(Result::ok) {
                let tool = match field.name {
                    "language" => format!(
                        "language {} {}",
                        clean(value.name, TEXT),
                        clean(value.version, TEXT)
                    ),
                    _ => format!("{} {}", clean(value.name, TEXT), clean(value.version, TEXT)),
                };
                let tool = tool.trim_end().to_owned();
                if tools.len() < MOST && !tools.contains(&tool) {
                    tools.push(tool);
                }
            }
        }
    }
    tools
}
