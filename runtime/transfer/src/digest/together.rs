//! MD5 of several objects side by side.
//!
//! Problem: MD5 is one chain of steps that each wait for the one before, so that a processor spends more time on it than on
//! all else that an uncompressed backup does, most of that waiting. The chain of one object cannot be cut; but several
//! objects are underway. So their pieces go to one worker, which takes up to [`WIDTH`] chains forward at once
//! ([`lockstep`](super::lockstep)). A chain that is alone goes at the speed of the `md-5` crate. Bound: one worker for every four
//! processors, no copies. Cost: two changes of thread per piece.

use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use md5::block_api;

use super::lockstep::{self, BLOCK, State, WIDTH};
use crate::format::Md5Digest;

/// State of an MD5 that has seen nothing (RFC 1321).
const START: State = [0x6745_2301, 0xefcd_ab89, 0x98ba_dcfe, 0x1032_5476];

/// What is less is not worth another thread.
const LEAST: usize = 32 << 10;

/// Blocks that chains go together before others may join: 64 KiB.
const STRETCH: usize = 1024;

/// Processors for each worker.
const SHARE: usize = 4;

/// Whole blocks that one chain is to take.
struct Job {
    state: State,
    data: Bytes,
    answer: SyncSender<State>,
}

/// The workers, which end when the last clone is gone.
#[derive(Debug, Clone, Default)]
pub(crate) struct Together {
    /// None: whoever wants an MD5 computes it.
    jobs: Option<Sender<Job>>,
}

impl Together {
    /// Workers for a machine of so many processors.
    pub(crate) fn start(processors: usize) -> Self {
        let (jobs, queue) = channel();
        let queue = Arc::new(Mutex::new(queue));
        let worker = |_| {
            let queue = queue.clone();
            let thread = std::thread::Builder::new().name("md5".into());
            thread.spawn(move || work(&queue)).is_ok()
        };
        let started = (0..processors.div_ceil(SHARE))
            .filter(|index| worker(*index))
            .count();
        Together {
            jobs: (started > 0).then_some(jobs),
        }
    }

    /// The state after whole blocks of data.
    fn compress(&self, mut state: State, data: Bytes) -> State {
        if data.len() >= LEAST
            && let Some(jobs) = &self.jobs
        {
            let (answer, answered) = sync_channel(1);
            let job = Job {
                state,
                data: data.clone(),
                answer,
            };
            if jobs.send(job).is_ok()
                && let Ok(state) = answered.recv()
            {
                return state;
            }
        }
        block_api::compress(&mut state, data.as_chunks().0);
        state
    }
}

/// The life of a worker.
fn work(queue: &Mutex<Receiver<Job>>) {
    let mut running: Vec<Job> = Vec::with_capacity(WIDTH);
    loop {
        if running.is_empty() {
            match queue.lock().unwrap_or_else(PoisonError::into_inner).recv() {
                Ok(job) => running.push(job),
                Err(_) => return,
            }
        }
        while running.len() < WIDTH
            && let Ok(queue) = queue.try_lock()
            && let Ok(job) = queue.try_recv()
        {
            running.push(job);
        }
        forward(&mut running);
        running.retain(|job| {
            let goes_on = !job.data.is_empty();
            if !goes_on {
                // Whoever gave it up does not wait for it.
                let _ = job.answer.send(job.state);
            }
            goes_on
        });
    }
}

/// Takes all of them some blocks forward.
fn forward(running: &mut [Job]) {
    let shortest = running
        .iter()
        .map(|job| job.data.len() / BLOCK)
        .min()
        .unwrap_or(0);
    let blocks = shortest.min(STRETCH);
    if let [only] = running {
        let data = only.data.split_to(blocks * BLOCK);
        block_api::compress(&mut only.state, data.as_chunks().0);
        return;
    }
    let spare = running.first().map(|job| job.data.clone()).unwrap_or_default();
    let mut spares = [START; WIDTH];
    let mut own = running
        .iter_mut()
        .map(|job| (&mut job.state, job.data.split_to(blocks * BLOCK)));
    let mut lanes = spares.each_mut().map(|unused| {
        own.next()
            .unwrap_or_else(|| (unused, spare.slice(..blocks * BLOCK)))
    });
    lockstep::compress(
        lanes.each_mut().map(|(state, data)| (&mut **state, &data[..])),
        blocks,
    );
}

/// One MD5 that is being made.
#[derive(Debug)]
pub(crate) struct Md5 {
    together: Together,
    state: State,
    length: u64,
    /// Bytes that make no block yet.
    rest: Vec<u8>,
}

impl Md5 {
    pub(crate) fn new(together: &Together) -> Self {
        Md5 {
            together: together.clone(),
            state: START,
            length: 0,
            rest: Vec::with_capacity(BLOCK),
        }
    }

    /// The next bytes.
    pub(crate) fn update(&mut self, mut data: Bytes) {
        self.length = self.length.wrapping_add(data.len() as u64);
        if !self.rest.is_empty() {
            let begin = data.split_to(data.len().min(BLOCK - self.rest.len()));
            self.rest.extend_from_slice(&begin);
            if self.rest.len() < BLOCK {
                return;
            }
            block_api::compress(&mut self.state, self.rest.as_chunks().0);
            self.rest.clear();
        }
        let end = data.split_off(data.len() / BLOCK * BLOCK);
        self.rest.extend_from_slice(&end);
        if !data.is_empty() {
            self.state = self.together.compress(self.state, data);
        }
    }

    /// The digest.
    pub(crate) fn finish(mut self) -> Md5Digest {
        self.rest.push(0x80);
        let end = if self.rest.len() > BLOCK - 8 {
            2 * BLOCK
        } else {
            BLOCK
        };
        self.rest.resize(end - 8, 0);
        self.rest
            .extend_from_slice(&self.length.wrapping_mul(8).to_le_bytes());
        block_api::compress(&mut self.state, self.rest.as_chunks().0);
        let mut digest = Md5Digest::default();
        for (bytes, word) in digest.chunks_exact_mut(4).zip(self.state) {
            bytes.copy_from_slice(&word.to_le_bytes());
        }
        digest
    }
}

#[cfg(test)]
mod tests {
    use md5::Digest;

    use super::*;

    fn expected(data: &[u8]) -> Md5Digest {
        md5::Md5::digest(data).into()
    }

    #[test]
    fn the_digests_of_rfc_1321() {
        let together = Together::default();
        for (text, digest) in [
            ("", "d41d8cd98f00b204e9800998ecf8427e"),
            ("abc", "900150983cd24fb0d6963f7d28e17f72"),
            (
                "12345678901234567890123456789012345678901234567890123456789012345678901234567890",
                "57edf4a22be3c955ac49da2e2107b67a",
            ),
        ] {
            let mut md5 = Md5::new(&together);
            md5.update(Bytes::from_static(text.as_bytes()));
            assert_eq!(hex::encode(md5.finish()), digest);
        }
    }

    #[test]
    fn it_is_the_same_alone_together_and_however_the_bytes_come() {
        let together = Together::start(2);
        std::thread::scope(|scope| {
            for thread in 0..9 {
                let together = &together;
                scope.spawn(move || {
                    let mut chance = fastrand::Rng::with_seed(thread);
                    for _ in 0..12 {
                        let mut data = vec![0; chance.usize(..600_000)];
                        chance.fill(&mut data);
                        let mut md5 = Md5::new(together);
                        let mut rest = Bytes::from(data.clone());
                        while !rest.is_empty() {
                            let most = [70, 5000, 300_000][chance.usize(..3)];
                            md5.update(rest.split_to(chance.usize(..most).min(rest.len())));
                        }
                        assert_eq!(md5.finish(), expected(&data));
                    }
                });
            }
        });
    }

    #[test]
    fn four_chains_in_lockstep_are_four_chains() {
        let mut chance = fastrand::Rng::with_seed(1);
        for blocks in [0, 1, 2, 77] {
            let mut data = [(); WIDTH].map(|()| vec![0; blocks * BLOCK]);
            data.iter_mut().for_each(|data| chance.fill(data));
            let mut states = [START; WIDTH];
            let [first, second, third, fourth] = &mut states;
            let lanes = [
                (first, &data[0][..]),
                (second, &data[1][..]),
                (third, &data[2][..]),
                (fourth, &data[3][..]),
            ];
            lockstep::compress(lanes, blocks);
            for (state, data) in states.iter().zip(&data) {
                let mut alone = START;
                block_api::compress(&mut alone, data.as_chunks().0);
                assert_eq!(*state, alone);
            }
        }
    }
}
