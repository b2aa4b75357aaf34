//! One stream, compressed on all processors in parts that are put one behind the other.
//!
//! Problem: compressing is the slowest step of a backup, and an object of 2 GB is one stream. How: parts of the input go
//! to threads, with the bytes before each as far as the format looks back; what they make is put together in order. What
//! a part becomes, and what stands before and behind all of them, is the format's affair (`deflate`, `bzip2`). Bound: two
//! parts for each processor in memory. Threads are hired as parts come, so that a short stream has one.

use std::collections::VecDeque;
use std::io;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};

/// How a format is cut.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cut {
    /// Bytes that one processor compresses at a time.
    pub(super) part: usize,
    /// How far back the format looks.
    pub(super) window: usize,
    /// Makes of a part, and of the window before it, what stands in the stream; of the last part its end too.
    pub(super) compress: fn(&Part) -> io::Result<Vec<u8>>,
}

/// Some of the input.
pub(super) struct Part {
    pub(super) before: Vec<u8>,
    pub(super) bytes: Vec<u8>,
    pub(super) is_last: bool,
}

struct Job {
    part: Part,
    answer: SyncSender<io::Result<Vec<u8>>>,
}

/// Compresses what is pushed; the output collects in `out`.
pub(super) struct Parallel {
    pub(super) out: Vec<u8>,
    cut: Cut,
    part: Vec<u8>,
    before: Vec<u8>,
    jobs: SyncSender<Job>,
    queue: Arc<Mutex<Receiver<Job>>>,
    pending: VecDeque<Receiver<io::Result<Vec<u8>>>>,
    workers: usize,
    most: usize,
}

impl Parallel {
    /// An encoder that uses so many processors.
    pub(super) fn new(cut: Cut, processors: usize) -> Self {
        let (jobs, queue) = sync_channel(processors);
        Parallel {
            out: Vec::new(),
            cut,
            part: Vec::new(),
            before: Vec::new(),
            jobs,
            queue: Arc::new(Mutex::new(queue)),
            pending: VecDeque::new(),
            workers: 0,
            most: processors,
        }
    }

    pub(super) fn push(&mut self, mut data: &[u8]) -> io::Result<()> {
        while !data.is_empty() {
            // A part that is full goes when more comes: the last one must know that it is.
            if self.part.len() == self.cut.part {
                self.send(false)?;
            }
            let (now, rest) = data.split_at(data.len().min(self.cut.part - self.part.len()));
            self.part.extend_from_slice(now);
            data = rest;
        }
        Ok(())
    }

    /// Ends the stream; all of it that was not taken.
    pub(super) fn finish(mut self) -> io::Result<Vec<u8>> {
        self.send(true)?;
        while let Some(answer) = self.pending.pop_front() {
            self.take(&answer)?;
        }
        Ok(self.out)
    }

    fn send(&mut self, is_last: bool) -> io::Result<()> {
        if self.workers < self.most && self.workers <= self.pending.len() {
            self.hire()?;
        }
        if self.pending.len() >= 2 * self.most
            && let Some(answer) = self.pending.pop_front()
        {
            self.take(&answer)?;
        }
        let room = if is_last { 0 } else { self.cut.part };
        let bytes = std::mem::replace(&mut self.part, Vec::with_capacity(room));
        let window = bytes
            .get(bytes.len().saturating_sub(self.cut.window)..)
            .unwrap_or_default();
        let before = std::mem::replace(&mut self.before, window.to_vec());
        let (answer, answered) = sync_channel(1);
        self.pending.push_back(answered);
        let part = Part {
            before,
            bytes,
            is_last,
        };
        self.jobs.send(Job { part, answer }).map_err(|_| lost())
    }

    fn take(&mut self, answer: &Receiver<io::Result<Vec<u8>>>) -> io::Result<()> {
        let part = answer.recv().map_err(|_| lost())??;
        self.out.extend_from_slice(&part);
        Ok(())
    }

    /// One more thread, which ends when the encoder does.
    fn hire(&mut self) -> io::Result<()> {
        let (queue, compress) = (self.queue.clone(), self.cut.compress);
        std::thread::Builder::new()
            .name("compress".into())
            .spawn(move || {
                loop {
                    let job = queue.lock().unwrap_or_else(PoisonError::into_inner).recv();
                    let Ok(job) = job else { return };
                    // Nobody waits for the answer of an encoder that was given up.
                    let _ = job.answer.send(compress(&job.part));
                }
            })?;
        self.workers += 1;
        Ok(())
    }
}

fn lost() -> io::Error {
    io::Error::other("a compressing thread is gone")
}
