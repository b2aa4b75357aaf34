//! One zlib stream, compressed on all processors.
//!
//! Problem: deflate is the slowest step of a backup, and an object of 2 GB is one stream. How (the way of Mark Adler's
//! pigz): parts of [`PART`] bytes are compressed apart, each with the 32 KiB before it as its dictionary, and
//! flushed to a byte boundary, so that one behind the other they are one valid stream; header and checksum
//! are of the whole. Bound: two parts for each processor in memory. Cost: five bytes for each part, and what a match
//! across a part's end would have saved.

use std::collections::VecDeque;
use std::io;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};

use flate2::{Compress, Compression, FlushCompress, Status};

/// Bytes that one processor compresses at a time.
const PART: usize = 512 << 10;

/// How far back deflate looks.
const WINDOW: usize = 32 << 10;

/// Deflate with a window of 32 KiB, default level (RFC 1950).
const HEADER: [u8; 2] = [0x78, 0x9c];

struct Job {
    before: Vec<u8>,
    part: Vec<u8>,
    last: bool,
    answer: SyncSender<io::Result<Vec<u8>>>,
}

/// Compresses what is pushed.
pub(super) struct ParallelZlib {
    pub(super) out: Vec<u8>,
    level: u32,
    part: Vec<u8>,
    before: Vec<u8>,
    checksum: simd_adler32::Adler32,
    jobs: SyncSender<Job>,
    queue: Arc<Mutex<Receiver<Job>>>,
    pending: VecDeque<Receiver<io::Result<Vec<u8>>>>,
    workers: usize,
    most: usize,
}

impl ParallelZlib {
    /// An encoder that uses so many processors.
    pub(super) fn new(level: u32, processors: usize) -> Self {
        let (jobs, queue) = sync_channel(processors);
        ParallelZlib {
            out: HEADER.to_vec(),
            level,
            part: Vec::with_capacity(PART),
            before: Vec::new(),
            checksum: simd_adler32::Adler32::new(),
            jobs,
            queue: Arc::new(Mutex::new(queue)),
            pending: VecDeque::new(),
            workers: 0,
            most: processors,
        }
    }

    pub(super) fn push(&mut self, mut data: &[u8]) -> io::Result<()> {
        self.checksum.write(data);
        while !data.is_empty() {
            let (now, rest) = data.split_at(data.len().min(PART - self.part.len()));
            self.part.extend_from_slice(now);
            data = rest;
            if self.part.len() == PART {
                self.send(false)?;
            }
        }
        Ok(())
    }

    pub(super) fn finish(mut self) -> io::Result<Vec<u8>> {
        self.send(true)?;
        while let Some(answer) = self.pending.pop_front() {
            self.take(&answer)?;
        }
        self.out.extend_from_slice(&self.checksum.finish().to_be_bytes());
        Ok(self.out)
    }

    fn send(&mut self, last: bool) -> io::Result<()> {
        // A short stream never needs a second thread.
        if self.workers < self.most && self.workers <= self.pending.len() {
            self.hire()?;
        }
        if self.pending.len() >= 2 * self.most
            && let Some(answer) = self.pending.pop_front()
        {
            self.take(&answer)?;
        }
        let part = std::mem::replace(&mut self.part, Vec::with_capacity(if last { 0 } else { PART }));
        let window = part.get(part.len().saturating_sub(WINDOW)..).unwrap_or_default();
        let before = std::mem::replace(&mut self.before, window.to_vec());
        let (answer, answered) = sync_channel(1);
        self.pending.push_back(answered);
        let job = Job {
            before,
            part,
            last,
            answer,
        };
        self.jobs.send(job).map_err(|_| lost())
    }

    fn take(&mut self, answer: &Receiver<io::Result<Vec<u8>>>) -> io::Result<()> {
        let part = answer.recv().map_err(|_| lost())??;
        self.out.extend_from_slice(&part);
        Ok(())
    }

    /// One more thread, which ends when the encoder does.
    fn hire(&mut self) -> io::Result<()> {
        let (queue, level) = (self.queue.clone(), self.level);
        std::thread::Builder::new()
            .name("deflate".into())
            .spawn(move || {
                loop {
                    let job = queue.lock().unwrap_or_else(PoisonError::into_inner).recv();
                    let Ok(job) = job else { return };
                    // Nobody waits for the answer of an encoder that was given up.
                    let _ = job.answer.send(compress(&job, level));
                }
            })?;
        self.workers += 1;
        Ok(())
    }
}

fn lost() -> io::Error {
    io::Error::other("a compressing thread is gone")
}

fn compress(job: &Job, level: u32) -> io::Result<Vec<u8>> {
    let mut deflate = Compress::new(Compression::new(level), false);
    if !job.before.is_empty() {
        deflate.set_dictionary(&job.before)?;
    }
    let flush = if job.last {
        FlushCompress::Finish
    } else {
        FlushCompress::Sync
    };
    let mut out = Vec::with_capacity(job.part.len() / 2 + 1024);
    loop {
        let consumed = usize::try_from(deflate.total_in()).unwrap_or(usize::MAX);
        let rest = job.part.get(consumed..).unwrap_or_default();
        let status = deflate.compress_vec(rest, &mut out, flush)?;
        let all = deflate.total_in() == job.part.len() as u64;
        // All of it is out once room is left over.
        if status == Status::StreamEnd || (!job.last && all && out.len() < out.capacity()) {
            return Ok(out);
        }
        out.reserve(job.part.len() / 2 + 1024);
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;

    fn inflate(packed: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        let mut decoder = flate2::bufread::ZlibDecoder::new(packed);
        decoder.read_to_end(&mut out).unwrap();
        assert_eq!(decoder.total_in(), packed.len() as u64, "nothing behind");
        out
    }

    #[test]
    fn parts_make_one_stream_that_any_zlib_reads() {
        let mut chance = fastrand::Rng::with_seed(3);
        for length in [0, 1, WINDOW, PART - 1, PART, PART + 1, 3 * PART + 77, 9 * PART] {
            let mut data = Vec::with_capacity(length);
            while data.len() < length {
                let run = chance.usize(1..5000).min(length - data.len());
                match chance.u8(..3) {
                    0 => data.extend(std::iter::repeat_with(|| chance.u8(..)).take(run)),
                    1 => data.extend(b"volume backup chunk ".iter().cycle().take(run)),
                    _ => data.extend(std::iter::repeat_n(0, run)),
                }
            }
            let mut encoder = ParallelZlib::new(6, 3);
            let mut rest = &data[..];
            while !rest.is_empty() {
                let (now, later) = rest.split_at(rest.len().min(chance.usize(1..300_000)));
                encoder.push(now).unwrap();
                rest = later;
            }
            let packed = encoder.finish().unwrap();
            assert!(inflate(&packed) == data, "{length}");
            let mut whole = flate2::bufread::ZlibEncoder::new(&data[..], Compression::new(6));
            let mut alone = Vec::new();
            whole.read_to_end(&mut alone).unwrap();
            let most = alone.len() + alone.len() / 50 + 64 + 16 * (length / PART + 1);
            assert!(
                packed.len() <= most,
                "{length}: {} against {}",
                packed.len(),
                alone.len()
            );
        }
    }
}
