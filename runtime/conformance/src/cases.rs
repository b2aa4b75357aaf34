//! The cases, a table per file. The numbers are those of the project's list of promises, 1 to 75; what of them cannot be tried here
//! stands in the tables too, with its reason.

mod backups;
mod chains;
mod describe;
mod faults;
mod hygiene;
mod life;
mod listing;
mod names;
mod objects;
mod odd;
mod pages;
mod ranges;
mod reach;
mod reading;
mod room;
mod session;
mod setup;
mod sharing;
mod statuses;
mod transit;
mod volume;
mod writing;

use crate::case::Case;

/// Every case, in the order of the tables.
pub fn all() -> Vec<Case> {
    let tables: [&[Case]; 22] = [
        describe::CASES,
        setup::CASES,
        reach::CASES,
        objects::CASES,
        writing::CASES,
        ranges::CASES,
        reading::CASES,
        names::CASES,
        odd::CASES,
        listing::CASES,
        pages::CASES,
        sharing::CASES,
        statuses::CASES,
        faults::CASES,
        transit::CASES,
        room::CASES,
        session::CASES,
        life::CASES,
        volume::CASES,
        backups::CASES,
        chains::CASES,
        hygiene::CASES,
    ];
    tables.concat()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::all;

    #[test]
    fn every_promise_has_a_case_and_no_name_stands_twice() {
        let all = all();
        let numbers: BTreeSet<u16> = all.iter().map(|case| case.number).collect();
        let missing: Vec<u16> = (1..=75).filter(|number| !numbers.contains(number)).collect();
        assert_eq!(missing, [] as [u16; 0]);
        let names: BTreeSet<&str> = all.iter().map(|case| case.name).collect();
        assert_eq!(names.len(), all.len());
    }
}
