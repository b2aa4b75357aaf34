//! How fast an operation goes, over the last seconds, and so when it will be done.

use std::collections::VecDeque;
use std::time::Duration;

use tokio::time::Instant;

/// What is looked back upon.
const WINDOW: Duration = Duration::from_secs(5);

/// Bytes that were done, at moments within the window and one before it.
#[derive(Debug, Default)]
pub(super) struct Rate {
    moments: VecDeque<(Instant, u64)>,
}

impl Rate {
    /// One more moment; answers whether anything has changed.
    pub(super) fn take_in(&mut self, now: Instant, done: u64) -> bool {
        let changed = self.moments.back().is_none_or(|(_, before)| *before != done);
        self.moments.push_back((now, done));
        while let Some((second, _)) = self.moments.get(1)
            && now.duration_since(*second) >= WINDOW
        {
            self.moments.pop_front();
        }
        changed
    }

    /// Bytes in a second; none while nothing can be said.
    pub(super) fn per_second(&self) -> Option<f64> {
        let ((begin, before), (end, after)) = (self.moments.front()?, self.moments.back()?);
        let span = end.duration_since(*begin).as_secs_f64();
        (span > 0.0).then(|| after.saturating_sub(*before) as f64 / span)
    }

    /// Time until all bytes are done; none while nothing can be said.
    pub(super) fn left(&self, total: u64) -> Option<Duration> {
        let (_, done) = self.moments.back()?;
        let left = total.checked_sub(*done).filter(|_| total > 0)? as f64;
        let rate = self.per_second().filter(|rate| *rate > 0.0)?;
        Duration::try_from_secs_f64(left / rate).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rate_is_that_of_the_last_seconds() {
        let (mut rate, begin) = (Rate::default(), Instant::now());
        assert!(rate.take_in(begin, 0));
        assert_eq!((rate.per_second(), rate.left(100)), (None, None));
        for second in 1..=10 {
            assert!(rate.take_in(begin + Duration::from_secs(second), second * 10));
        }
        assert_eq!(rate.per_second(), Some(10.0));
        assert_eq!(rate.left(150), Some(Duration::from_secs(5)));
        for second in 11..=20 {
            rate.take_in(begin + Duration::from_secs(second), 100);
        }
        assert_eq!(
            (rate.per_second(), rate.left(150)),
            (Some(0.0), None),
            "it stands still"
        );
        assert!(rate.moments.len() < 10, "old moments go");
    }
}
