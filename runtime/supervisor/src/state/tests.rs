//! The table, cell by cell, and random sequences against invariants that are written without the table.

use std::time::Duration;

use fastrand::Rng;

use super::Phase::{Degraded, Disabled, Down, Initializing, Pending, Up};
use super::*;
use crate::status::{ServiceState, Status};

const THRESHOLD: u32 = 3;
const DOWN_TIME: Duration = Duration::from_secs(60);
const COST: Initialization = Initialization {
    duration_ms: 5.0,
    fuel: 7,
    peak_memory: 9,
};

fn settings() -> Settings {
    Settings {
        failure_threshold: THRESHOLD,
        service_down_time: DOWN_TIME,
        ..Settings::default()
    }
}

fn reason(code: &str) -> Reason {
    Reason {
        code: code.into(),
        message: "found".into(),
        remedy: "mend".into(),
    }
}

fn start() -> Moment {
    Moment {
        instant: Instant::now(),
        time: "2026-01-01T00:00:00Z".parse().unwrap(),
    }
}

fn later(now: Moment, by: Duration) -> Moment {
    Moment {
        instant: now.instant + by,
        time: now.time.checked_add(by).unwrap(),
    }
}

/// A state that is in `phase`, reached by inputs alone.
fn state_in(phase: Phase, now: Moment) -> State {
    let mut state = State::new(&settings(), now);
    let path: &[Input] = match phase {
        Pending => &[],
        Initializing => &[Input::Begin],
        Up => &[Input::Begin, Input::Initialized(COST)],
        Degraded => &[
            Input::Begin,
            Input::Initialized(COST),
            Input::ProbeFailed(reason("lost")),
        ],
        Down => &[Input::Begin, Input::InitializeFailed(reason("broken"), COST)],
        Disabled => &[Input::Disable("why".into())],
    };
    for input in path {
        assert_ne!(state.apply(input.clone(), now), Applied::Ignored);
    }
    assert_eq!(state.phase, phase);
    state
}

fn inputs() -> [Input; 10] {
    [
        Input::Begin,
        Input::Initialized(COST),
        Input::InitializeFailed(reason("broken"), COST),
        Input::ProbeSucceeded,
        Input::ProbeFailed(reason("lost")),
        Input::Beat,
        Input::Disable("why".into()),
        Input::Enable,
        Input::Stop(Ending::Stopped),
        Input::Configure(settings()),
    ]
}

#[test]
fn every_cell_of_the_table_is_as_written() {
    // In the order of `inputs`; no call under way except in Initializing.
    let table = [
        (
            Pending,
            [
                Some(Initializing),
                None,
                None,
                None,
                None,
                None,
                Some(Disabled),
                None,
                Some(Down),
                Some(Pending),
            ],
        ),
        (
            Initializing,
            [
                None,
                Some(Up),
                Some(Down),
                None,
                None,
                None,
                Some(Disabled),
                None,
                Some(Down),
                Some(Pending),
            ],
        ),
        (
            Up,
            [
                Some(Up),
                None,
                None,
                Some(Up),
                Some(Degraded),
                Some(Up),
                Some(Disabled),
                None,
                Some(Down),
                Some(Up),
            ],
        ),
        (
            Degraded,
            [
                Some(Degraded),
                None,
                None,
                Some(Up),
                Some(Degraded),
                Some(Degraded),
                Some(Disabled),
                None,
                Some(Down),
                Some(Degraded),
            ],
        ),
        (
            Down,
            [
                Some(Initializing),
                None,
                None,
                None,
                None,
                None,
                Some(Disabled),
                None,
                Some(Down),
                Some(Down),
            ],
        ),
        (
            Disabled,
            [
                None,
                None,
                None,
                None,
                None,
                None,
                Some(Disabled),
                Some(Pending),
                Some(Disabled),
                Some(Disabled),
            ],
        ),
    ];
    let now = start();
    for (phase, row) in table {
        for (input, cell) in inputs().into_iter().zip(row) {
            let mut state = state_in(phase, now);
            let before = state.clone();
            let applied = state.apply(input.clone(), now);
            assert_eq!(applied == Applied::Ignored, cell.is_none(), "{phase} {input:?}");
            assert_eq!(state.phase, cell.unwrap_or(phase), "{phase} {input:?}");
            if cell.is_none() {
                assert_eq!(
                    state, before,
                    "an ignored input changes nothing: {phase} {input:?}"
                );
            }
        }
    }
}

#[test]
fn a_working_backend_serves_on_while_it_is_initialised_again_and_a_failure_takes_it_down_at_once() {
    let now = start();
    for phase in [Up, Degraded] {
        let mut state = state_in(phase, now);
        assert_eq!(state.apply(Input::Begin, now), Applied::Same);
        assert!(state.is_up(now.instant));
        for ignored in [
            Input::Begin,
            Input::ProbeSucceeded,
            Input::ProbeFailed(reason("lost")),
        ] {
            assert_eq!(state.clone().apply(ignored, now), Applied::Ignored);
        }
        let mut better = state.clone();
        better.apply(Input::Initialized(COST), now);
        assert_eq!((better.phase, &better.reason, better.attempt), (Up, &None, 1));
        assert_eq!(
            state.apply(Input::InitializeFailed(reason("broken"), COST), now),
            Applied::Moved(phase, Down)
        );
    }
}

#[test]
fn a_backend_that_is_tried_again_keeps_its_reason_and_the_time_since_when_it_is_down() {
    let first = start();
    let mut state = state_in(Down, first);
    let since = state.since;
    for attempt in 2..10 {
        let now = later(first, Duration::from_secs(60 * attempt));
        state.apply(Input::Begin, now);
        let status = Status::of("a", &state, now.instant);
        assert_eq!(status.code.as_deref(), Some("broken"));
        assert_eq!(
            (status.state, status.since, status.attempt),
            (ServiceState::Down, since, attempt)
        );
        state.apply(Input::InitializeFailed(reason("broken"), COST), now);
        assert_eq!(u64::from(state.consecutive_failures), attempt);
    }
    state.apply(Input::Begin, first);
    state.apply(Input::Initialized(COST), later(first, Duration::from_secs(9)));
    assert_eq!(state.since, later(first, Duration::from_secs(9)).time);
    assert_eq!((state.attempt, state.consecutive_failures), (10, 0));
}

#[test]
fn without_a_heartbeat_it_reads_down_with_a_reason_whatever_the_wall_clock_says() {
    let now = start();
    let mut state = state_in(Up, now);
    assert!(state.is_up(now.instant + DOWN_TIME));
    let late = now.instant + DOWN_TIME + Duration::from_millis(1);
    let status = Status::of("a", &state, late);
    assert_eq!((status.state, status.phase), (ServiceState::Down, Up));
    assert_eq!(status.code.as_deref(), Some("no-heartbeat"));
    // The wall clock jumps back a year; the beat counts all the same.
    let jumped = Moment {
        instant: late,
        time: "2025-01-01T00:00:00Z".parse().unwrap(),
    };
    state.apply(Input::Beat, jumped);
    assert!(state.is_up(late));
}

/// What must be so after each input, known without the table.
#[derive(Default)]
struct Model {
    under_way: bool,
    /// A success since the last thing that takes a backend down.
    works: bool,
    failed_probes: u32,
    disabled: bool,
}

impl Model {
    fn see(&mut self, input: &Input) {
        match input {
            Input::Begin if !self.disabled => self.under_way = true,
            Input::Initialized(_) if self.under_way => {
                *self = Model {
                    works: true,
                    ..Model::default()
                };
            }
            Input::InitializeFailed(..) if self.under_way => *self = Model::default(),
            Input::ProbeSucceeded if self.works && !self.under_way => self.failed_probes = 0,
            Input::ProbeFailed(_) if self.works && !self.under_way => {
                self.failed_probes += 1;
                if self.failed_probes == THRESHOLD {
                    *self = Model::default();
                }
            }
            Input::Disable(_) => {
                *self = Model {
                    disabled: true,
                    ..Model::default()
                }
            }
            Input::Enable => self.disabled = false,
            Input::Configure(_) => self.under_way = false,
            Input::Stop(_) => {
                *self = Model {
                    disabled: self.disabled,
                    ..Model::default()
                }
            }
            _ => {}
        }
    }
}

const EDGES: [(Phase, Phase); 18] = [
    (Pending, Initializing),
    (Pending, Down),
    (Pending, Disabled),
    (Initializing, Up),
    (Initializing, Down),
    (Initializing, Disabled),
    // Configured anew while it was initialised.
    (Initializing, Pending),
    (Up, Degraded),
    (Up, Down),
    (Up, Disabled),
    (Degraded, Up),
    (Degraded, Down),
    (Degraded, Disabled),
    (Down, Initializing),
    (Down, Disabled),
    (Disabled, Pending),
    // Not in the drawing of the design but in the table: nothing else may appear.
    (Down, Down),
    (Disabled, Disabled),
];

#[test]
fn random_sequences_keep_the_invariants() {
    const SEQUENCES: u64 = 100_000;
    let base = std::env::var("COFFERDAM_SEED")
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or_else(|| fastrand::u64(..));
    let (mut taken, mut ups) = (0_u64, 0_u64);
    for sequence in 0..SEQUENCES {
        let seed = base.wrapping_add(sequence);
        let mut rng = Rng::with_seed(seed);
        let mut now = start();
        let (mut state, mut model) = (State::new(&settings(), now), Model::default());
        for step in 0..rng.usize(1..80) {
            now = later(now, Duration::from_millis(rng.u64(0..20_000)));
            // Disable, stop and new settings are rarer, so that the rest of the table is seen too.
            let choice = if rng.u8(..) < 16 {
                rng.usize(6..10)
            } else {
                rng.usize(0..6)
            };
            let input = inputs()[choice].clone();
            let before = state.clone();
            let applied = state.apply(input.clone(), now);
            model.see(&input);
            let at = || {
                format!("seed {seed} (COFFERDAM_SEED), step {step}: {input:?} on {before:?} gave {state:?}")
            };

            assert_eq!(
                state.phase.works(),
                model.works,
                "works exactly with a success since it was last down: {}",
                at()
            );
            assert_eq!(
                state.initializing,
                model.under_way,
                "one initialisation at most, and none lost: {}",
                at()
            );
            assert_eq!(
                state.phase == Disabled,
                model.disabled,
                "disabled until enabled: {}",
                at()
            );
            assert!(
                !state.is_up(now.instant) || model.works,
                "never up without a success: {}",
                at()
            );
            assert!(
                !state.phase.works() || state.last_success.is_some(),
                "never up before the first success: {}",
                at()
            );
            assert!(
                !state.phase.works() || state.consecutive_failures < THRESHOLD,
                "{}",
                at()
            );
            assert_eq!(
                state.phase == Degraded,
                model.works && model.failed_probes > 0,
                "{}",
                at()
            );
            if matches!(state.phase, Down | Degraded | Disabled) {
                assert!(state.reason.is_some(), "what does not work says why: {}", at());
            }
            if state.phase == Up {
                assert!(state.reason.is_none(), "{}", at());
            }
            if before.phase == Down && state.phase == Initializing {
                assert_eq!(
                    state.reason,
                    before.reason,
                    "the old reason stays while it is tried again: {}",
                    at()
                );
            }
            match applied {
                Applied::Ignored => assert_eq!(state, before, "{}", at()),
                Applied::Same => assert_eq!(state.phase, before.phase, "{}", at()),
                Applied::Moved(from, to) => {
                    assert_eq!((from, to), (before.phase, state.phase), "{}", at());
                    assert!(from != to && EDGES.contains(&(from, to)), "{}", at());
                }
            }
            taken += u64::from(applied != Applied::Ignored);
            ups += u64::from(state.is_up(now.instant));
        }
    }
    println!("{SEQUENCES} sequences from seed {base}: {taken} inputs taken in, up after {ups} of them");
    assert!(
        taken > SEQUENCES && ups > SEQUENCES,
        "the sequences hardly go anywhere: {taken}, {ups}"
    );
}
