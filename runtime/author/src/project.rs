//! A new project: the template of a language, with the contract and the language's SDK beside it.
//!
//! The project is written under a hidden name and renamed, so that it is whole or not there. In every text of the template
//! `{{name}}` becomes the name (`my-shelf`) and `{{ident}}` the same as an identifier (`my_shelf`).

use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use crate::files;

/// Bytes that a name may have.
const LONGEST_NAME: usize = 40;

/// A language that there is a template for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Language {
    /// cargo, for wasm32-wasip2.
    Rust,
    /// componentize-py.
    Python,
    /// jco, by npm.
    TypeScript,
    /// clang, by make.
    C,
}

impl Language {
    /// All of them.
    pub const ALL: [Language; 4] = [
        Language::Rust,
        Language::Python,
        Language::TypeScript,
        Language::C,
    ];

    /// Its name in folders and on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Language::Rust => "rust",
            Language::Python => "python",
            Language::TypeScript => "typescript",
            Language::C => "c",
        }
    }
}

/// Why there is no new project.
#[derive(Debug, thiserror::Error)]
pub enum ProjectError {
    /// The name cannot be used.
    #[error(
        "{0:?} cannot be a driver's name: it must be lower-case letters, digits and single hyphens, begin with a letter, and have at \
         most {LONGEST_NAME} characters"
    )]
    Name(String),
    /// Something is there.
    #[error("{} is there already; nothing was changed", .0.display())]
    Exists(PathBuf),
    /// The system's word.
    #[error("{} cannot be written: {error}", path.display())]
    Io {
        /// What was to be written.
        path: PathBuf,
        /// Why not.
        error: io::Error,
    },
}

/// Makes the project `name` in a folder of that name below `parent`. Says where it is.
///
/// # Errors
/// [`ProjectError`]; then nothing is left.
pub fn create(language: Language, name: &str, parent: &Path) -> Result<PathBuf, ProjectError> {
    if !is_name(name) {
        return Err(ProjectError::Name(name.to_owned()));
    }
    let project = parent.join(name);
    if project.symlink_metadata().is_ok() {
        return Err(ProjectError::Exists(project));
    }
    let hidden = parent.join(format!(".{name}.new"));
    let made = write_all(language, name, &hidden)
        .and_then(|()| fs::rename(&hidden, &project).map_err(|error| failed(&project, error)));
    if let Err(error) = made {
        // The first failure is the cause; what cannot be removed is hidden.
        let _ = fs::remove_dir_all(&hidden);
        return Err(error);
    }
    Ok(project)
}

fn is_name(name: &str) -> bool {
    let letter = |first: char| first.is_ascii_lowercase();
    name.len() <= LONGEST_NAME
        && name.starts_with(letter)
        && name.split('-').all(|part| {
            !part.is_empty() && part.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit())
        })
}

fn write_all(language: Language, name: &str, project: &Path) -> Result<(), ProjectError> {
    let language = language.name();
    for (path, content) in files::below(&format!("templates/{language}")) {
        let content = filled(content, name);
        write(&project.join(path), &content)?;
    }
    for (path, content) in files::below(&format!("sdk/{language}")) {
        write(&project.join("sdk").join(path), content)?;
    }
    for (path, content) in files::below("wit/0.1.0") {
        write(&project.join("wit/0.1.0").join(path), content)?;
    }
    Ok(())
}

/// A text with its places filled in; what is no text stays as it is.
fn filled(content: &[u8], name: &str) -> Vec<u8> {
    match std::str::from_utf8(content) {
        Ok(text) => text
            .replace("{{name}}", name)
            .replace("{{ident}}", &name.replace('-', "_"))
            .into_bytes(),
        Err(_) => content.to_vec(),
    }
}

fn write(path: &Path, content: &[u8]) -> Result<(), ProjectError> {
    let written = (|| {
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        fs::write(path, content)?;
        if content.starts_with(b"#!") {
            fs::set_permissions(path, fs::Permissions::from_mode(0o755))?;
        }
        Ok(())
    })();
    written.map_err(|error| failed(path, error))
}

fn failed(path: &Path, error: io::Error) -> ProjectError {
    ProjectError::Io {
        path: path.to_owned(),
        error,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_names_are_taken() {
        for name in ["a", "my-shelf", "s3-2"] {
            assert!(is_name(name), "{name}");
        }
        let long = "x".repeat(LONGEST_NAME + 1);
        for name in ["", "-a", "a-", "a--b", "A", "2a", "a_b", "a/b", "..", "ä", &long] {
            assert!(!is_name(name), "{name}");
        }
    }

    #[test]
    fn a_project_is_whole_or_not_there() {
        let folder = tempfile::tempdir().unwrap();
        for language in Language::ALL {
            let name = format!("a-{}", language.name());
            let project = create(language, &name, folder.path()).unwrap();
            assert!(project.join("README.md").is_file(), "{name}");
            assert!(project.join("wit/0.1.0/world.wit").is_file(), "{name}");
            assert!(project.join("wit/0.1.0/deps/io.wit").is_file(), "{name}");
            assert!(project.join("sdk").is_dir(), "{name}");
            let again = create(language, &name, folder.path());
            assert!(matches!(again, Err(ProjectError::Exists(_))));
        }
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), Language::ALL.len());
        let nowhere = create(Language::C, "x", &folder.path().join("gone/\0"));
        assert!(matches!(nowhere, Err(ProjectError::Io { .. })));
    }

    #[test]
    fn the_places_of_a_template_are_filled() {
        assert_eq!(
            filled(b"{{name}} {{ident}} {name}", "my-shelf"),
            b"my-shelf my_shelf {name}"
        );
        assert_eq!(filled(b"\xff{{name}}", "x"), b"\xff{{name}}");
    }
}
