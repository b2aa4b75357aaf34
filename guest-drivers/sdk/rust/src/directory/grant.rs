//! Which granted directory covers a path. Pure.
//!
//! A directory that the deployer grants is preopened under the very path it has on the host, so the setting's
//! path is either a preopen's or lies below one; of several the nearest is taken.

/// The index of the preopen, and the way from there: `.` or a relative path. The error is a reason for people.
pub(super) fn find<'a>(
    preopens: impl Iterator<Item = &'a str>,
    path: &str,
) -> Result<(usize, String), String> {
    if !path.starts_with('/') {
        return Err(format!("{path} is not an absolute path"));
    }
    let wanted = components(path);
    if wanted.contains(&"..") {
        return Err(format!("{path} holds `..`: write the path without it"));
    }
    preopens
        .enumerate()
        .filter_map(|(index, granted)| {
            let granted = components(granted);
            let below = wanted.strip_prefix(granted.as_slice())?;
            Some((
                granted.len(),
                index,
                if below.is_empty() {
                    ".".to_owned()
                } else {
                    below.join("/")
                },
            ))
        })
        .max_by_key(|(depth, ..)| *depth)
        .map(|(_, index, below)| (index, below))
        .ok_or_else(|| format!("{path} is not granted to this driver"))
}

fn components(path: &str) -> Vec<&str> {
    path.split('/')
        .filter(|component| !component.is_empty() && *component != ".")
        .collect()
}

#[cfg(test)]
mod tests {
    use super::find;

    fn found(preopens: &[&str], path: &str) -> Result<(usize, String), String> {
        find(preopens.iter().copied(), path)
    }

    #[test]
    fn the_preopen_itself_and_what_lies_below_it_are_covered() {
        assert_eq!(found(&["/srv/backup"], "/srv/backup"), Ok((0, ".".to_owned())));
        assert_eq!(
            found(&["/srv/backup/"], "/srv//backup/./"),
            Ok((0, ".".to_owned()))
        );
        assert_eq!(
            found(&["/srv/backup"], "/srv/backup/a/b"),
            Ok((0, "a/b".to_owned()))
        );
        assert_eq!(found(&["/"], "/srv"), Ok((0, "srv".to_owned())));
    }

    #[test]
    fn the_nearest_of_several_preopens_is_taken() {
        assert_eq!(
            found(&["/srv", "/srv/backup", "/"], "/srv/backup/a"),
            Ok((1, "a".to_owned()))
        );
    }

    #[test]
    fn a_path_beside_the_grant_is_refused() {
        for path in ["/srv/backup2", "/srv", "/srv/backup/../other", "srv/backup", ""] {
            found(&["/srv/backup"], path).unwrap_err();
        }
        found(&[], "/srv/backup").unwrap_err();
    }
}
