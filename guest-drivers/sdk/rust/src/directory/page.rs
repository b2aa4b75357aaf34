//! The names of one page of a listing, picked out of a folder's names as they come, in no order. Pure.
//!
//! Bound: one name more than the page holds, however many the folder has.

use std::collections::BinaryHeap;

/// Picks the first `limit` names, in byte order, that begin with a prefix and come after a name.
pub(super) struct Picker<'a> {
    prefix: &'a str,
    after: Option<&'a str>,
    limit: usize,
    /// The least names so far, the greatest on top; one more than the page, to know whether more follow.
    names: BinaryHeap<String>,
}

impl<'a> Picker<'a> {
    pub(super) fn new(prefix: &'a str, after: Option<&'a str>, limit: usize) -> Self {
        Self {
            prefix,
            after,
            limit,
            names: BinaryHeap::new(),
        }
    }

    pub(super) fn take(&mut self, name: String) {
        if !name.starts_with(self.prefix) || self.after.is_some_and(|after| name.as_str() <= after) {
            return;
        }
        self.names.push(name);
        if self.names.len() > self.limit.saturating_add(1) {
            self.names.pop();
        }
    }

    /// The page's names in ascending order, and whether more follow.
    pub(super) fn finish(self) -> (Vec<String>, bool) {
        let mut names = self.names.into_sorted_vec();
        let more = names.len() > self.limit;
        names.truncate(self.limit);
        (names, more)
    }
}

#[cfg(test)]
mod tests {
    use super::Picker;

    fn pick(all: &[&str], prefix: &str, after: Option<&str>, limit: usize) -> (Vec<String>, bool) {
        let mut picker = Picker::new(prefix, after, limit);
        all.iter().for_each(|name| picker.take((*name).to_owned()));
        picker.finish()
    }

    #[test]
    fn pages_follow_one_another_without_gap_or_repetition() {
        let all = ["b-3", "a", "b-1", "b", "c", "b-2", "b-10"];
        let (page, more) = pick(&all, "b", None, 2);
        assert_eq!(
            (page.as_slice(), more),
            (["b".to_owned(), "b-1".to_owned()].as_slice(), true)
        );
        let (page, more) = pick(&all, "b", Some("b-1"), 2);
        assert_eq!(
            (page.as_slice(), more),
            (["b-10".to_owned(), "b-2".to_owned()].as_slice(), true)
        );
        let (page, more) = pick(&all, "b", Some("b-2"), 2);
        assert_eq!((page.as_slice(), more), (["b-3".to_owned()].as_slice(), false));
    }

    #[test]
    fn a_page_that_is_just_full_says_that_nothing_follows() {
        assert_eq!(
            pick(&["b", "a"], "", None, 2),
            (vec!["a".to_owned(), "b".to_owned()], false)
        );
    }

    #[test]
    fn names_are_ordered_by_their_bytes() {
        let (page, _) = pick(&["é", "z", "Z", "\u{10000}", "\u{ffff}"], "", None, 10);
        assert_eq!(page, ["Z", "z", "é", "\u{ffff}", "\u{10000}"]);
    }
}
