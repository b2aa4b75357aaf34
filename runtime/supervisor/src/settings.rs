//! How a backend is supervised: deadlines and intervals, under the names of Cinder's options.

use std::time::Duration;

/// Shortest interval: whatever the configuration says, no timer spins.
const SHORTEST: Duration = Duration::from_millis(10);

/// Longest time: keeps every sum with a clock in range.
const LONGEST: Duration = Duration::from_secs(366 * 24 * 3600);

/// Settings of one backend. Intervals are used as if they were between 10 ms and 366 days.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// Wall-clock time of one initialisation after the driver has been loaded (`backup_initialization_timeout`; 30 s).
    pub initialization_timeout: Duration,
    /// CPU budget of one initialisation in units of fuel (`backup_initialization_fuel`; 10 000 million, about 2 s).
    pub initialization_fuel: u64,
    /// Whether a backend that is down is initialised again by itself (`backup_periodic_initialization`; true).
    pub periodic_initialization: bool,
    /// Time between probes, and longest time between tries to initialise (`periodic_interval`; 60 s).
    pub periodic_interval: Duration,
    /// The first probe comes after a random part of this, at most `periodic_interval`; 0: after `periodic_interval`
    /// (`periodic_fuzzy_delay`; 60 s).
    pub periodic_fuzzy_delay: Duration,
    /// Time between heartbeats of a backend that works (`report_interval`; 10 s).
    pub report_interval: Duration,
    /// Without a heartbeat for so long a backend reads down (`service_down_time`; 60 s). When it is not greater than
    /// `report_interval`, 2.5 times that is used, as Cinder does.
    pub service_down_time: Duration,
    /// So many failed probes in a row make it down (`failure_threshold`; 3, at least 1).
    pub failure_threshold: u32,
    /// Wall-clock time of one probe (`backup_probe_timeout`; 10 s).
    pub probe_timeout: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            initialization_timeout: Duration::from_secs(30),
            initialization_fuel: 10_000_000_000,
            periodic_initialization: true,
            periodic_interval: Duration::from_secs(60),
            periodic_fuzzy_delay: Duration::from_secs(60),
            report_interval: Duration::from_secs(10),
            service_down_time: Duration::from_secs(60),
            failure_threshold: 3,
            probe_timeout: Duration::from_secs(10),
        }
    }
}

impl Settings {
    /// The same within the bounds that the supervisor relies on.
    pub(crate) fn bounded(mut self) -> Self {
        for time in [
            &mut self.initialization_timeout,
            &mut self.periodic_interval,
            &mut self.report_interval,
            &mut self.service_down_time,
            &mut self.probe_timeout,
        ] {
            *time = (*time).clamp(SHORTEST, LONGEST);
        }
        self.periodic_fuzzy_delay = self.periodic_fuzzy_delay.min(self.periodic_interval);
        self.failure_threshold = self.failure_threshold.max(1);
        if self.service_down_time <= self.report_interval {
            self.service_down_time = self.report_interval.mul_f64(2.5);
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_work_is_brought_into_bounds() {
        let zero = Settings {
            periodic_interval: Duration::ZERO,
            report_interval: Duration::MAX,
            service_down_time: Duration::ZERO,
            failure_threshold: 0,
            ..Settings::default()
        }
        .bounded();
        assert_eq!(zero.periodic_interval, SHORTEST);
        assert_eq!(zero.periodic_fuzzy_delay, SHORTEST);
        assert_eq!(zero.report_interval, LONGEST);
        assert_eq!(zero.service_down_time, LONGEST.mul_f64(2.5));
        assert_eq!(zero.failure_threshold, 1);
        assert_eq!(Settings::default().bounded(), Settings::default());
    }
}
