//! The files that `build.rs` put into the binary, by the path that they are called by.

/// Path and content, sorted by path within each tree: `wit/0.1.0/…`, `sdk/LANGUAGE/…`, `templates/LANGUAGE/…`.
const FILES: &[(&str, &[u8])] = include!(concat!(env!("OUT_DIR"), "/files.rs"));

/// All files below a folder, with their paths from there.
pub(crate) fn below(folder: &str) -> impl Iterator<Item = (&'static str, &'static [u8])> {
    let inside = move |path: &'static str| path.strip_prefix(folder)?.strip_prefix('/');
    FILES
        .iter()
        .filter_map(move |(path, content)| Some((inside(path)?, *content)))
}
