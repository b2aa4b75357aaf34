//! A histogram with fixed bounds, for what is counted here and shown elsewhere.
//!
//! Cost: one walk over the bounds per observation. Bound: as many counts as bounds, and one more.

/// How often values fell below each bound.
#[derive(Debug, Clone, PartialEq)]
pub struct Histogram {
    bounds: &'static [f64],
    counts: Vec<u64>,
    sum: f64,
}

impl Histogram {
    /// Nothing was observed yet. The bounds ascend; what is above the last is counted too.
    pub fn new(bounds: &'static [f64]) -> Self {
        Histogram {
            bounds,
            counts: vec![0; bounds.len() + 1],
            sum: 0.0,
        }
    }

    /// Takes in one value.
    pub fn observe(&mut self, value: f64) {
        let at = self.bounds.iter().position(|bound| value <= *bound);
        if let Some(count) = self.counts.get_mut(at.unwrap_or(self.bounds.len())) {
            *count += 1;
            self.sum += value;
        }
    }

    /// The sum of all values.
    pub fn sum(&self) -> f64 {
        self.sum
    }

    /// How many there were.
    pub fn count(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// Each bound with the number of values between the bound before it and itself; the last bound is infinite.
    pub fn buckets(&self) -> Vec<(f64, u64)> {
        let bounds = self.bounds.iter().copied().chain([f64::INFINITY]);
        bounds.zip(self.counts.iter().copied()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_counted_below_the_first_bound_that_it_does_not_exceed() {
        let mut histogram = Histogram::new(&[1.0, 10.0]);
        for value in [0.5, 1.0, 2.0, 11.0] {
            histogram.observe(value);
        }
        assert_eq!(histogram.buckets(), [(1.0, 2), (10.0, 1), (f64::INFINITY, 1)]);
        assert_eq!((histogram.count(), histogram.sum()), (4, 14.5));
    }
}
