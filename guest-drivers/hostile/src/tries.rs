//! Counts what a program tried that must not work, and what of it did.

use cofferdam_driver::Error;

/// A tally of tries. The best end: none worked.
#[derive(Debug, Default)]
pub struct Tries {
    tried: u32,
    worked: Vec<&'static str>,
}

impl Tries {
    /// Notes one try by its name, and whether it worked.
    pub fn note(&mut self, name: &'static str, worked: bool) {
        self.tried += 1;
        if worked {
            self.worked.push(name);
        }
    }

    /// Whether none worked.
    pub fn all_failed(&self) -> bool {
        self.worked.is_empty()
    }

    /// `failed`, with `0 of 3 doors open: none` or `2 of 3 doors open: back, side` when `what` is `doors open`.
    pub fn told(&self, what: &str) -> Error {
        let names = if self.worked.is_empty() {
            "none".to_owned()
        } else {
            self.worked.join(", ")
        };
        Error::failed(format!("{} of {} {what}: {names}", self.worked.len(), self.tried))
    }
}
