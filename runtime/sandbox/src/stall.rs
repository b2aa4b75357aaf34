//! When a call that moves data is given up: when too little moves.
//!
//! Problem: such a call may take hours, so no deadline fits it, and a storage that sends a byte now and then would hold it for
//! ever. Solution: within any window of the span at least so many bytes must have moved. Bound: looked at eight times within the
//! span, so it is found at most an eighth of it late. Cost: one timer per call, eight numbers.

use std::collections::VecDeque;
use std::future::Future;
use std::time::Duration;

use crate::body::Meter;
use crate::failure::{Failure, Phase};
use crate::limits::Limits;

/// How often within its span it is looked.
const LOOKS: u32 = 8;

/// The least that a call must move.
#[derive(Debug)]
pub(crate) struct Stall {
    span: Duration,
    least: u64,
    meter: Meter,
}

impl Stall {
    pub(crate) fn of(limits: &Limits, meter: Meter) -> Self {
        Stall {
            span: limits.stall_timeout,
            least: limits.stall_bytes.max(1),
            meter,
        }
    }

    /// Waits for the call as long as bytes move.
    pub(crate) async fn wait<T>(&self, phase: Phase, call: impl Future<Output = T>) -> Result<T, Failure> {
        let mut call = std::pin::pin!(call);
        let mut window = VecDeque::from([self.meter.bytes()]);
        loop {
            if let Ok(answer) = tokio::time::timeout(self.span / LOOKS, call.as_mut()).await {
                return Ok(answer);
            }
            let now = self.meter.bytes();
            window.push_back(now);
            if window.len() <= LOOKS as usize {
                continue;
            }
            let moved = now.saturating_sub(window.pop_front().unwrap_or(0));
            if moved < self.least {
                return Err(Failure::Stalled {
                    phase,
                    moved,
                    span: self.span,
                });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn moving(bytes: usize, every: Duration, least: u64) -> Option<u64> {
        let meter = Meter::default();
        let stall = Stall {
            span: Duration::from_secs(80),
            least,
            meter: meter.clone(),
        };
        let call = async {
            for _ in 0..1000 {
                tokio::time::sleep(every).await;
                meter.add(bytes);
            }
        };
        match stall.wait(Phase::GetObject, call).await {
            Ok(()) => None,
            Err(Failure::Stalled { moved, .. }) => Some(moved),
            Err(other) => panic!("{other}"),
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_call_goes_on_while_enough_moves_and_ends_when_too_little_does() {
        let second = Duration::from_secs(1);
        assert_eq!(moving(10, second, 700).await, None);
        assert_eq!(moving(1, 7 * second, 1).await, None);
        // Ten bytes a second are 800 in a window, and never a thousand.
        assert!(moving(10, second, 1000).await.is_some_and(|moved| moved < 1000));
        assert_eq!(moving(1, 200 * second, 1).await, Some(0));
    }
}
