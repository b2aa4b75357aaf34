//! Calls that fail are made again when that may help, and no more than they should.

use std::sync::Mutex;
use std::time::Duration;

use bytes::Bytes;
use cofferdam_sandbox::Phase;
use cofferdam_sandbox::contract::{DriverError, Throttle};
use cofferdam_sandbox::stream;

use super::*;

const CONTENT: &[u8] = b"0123456789abcdef";

/// Fails with what it is given, one after the other, then works.
#[derive(Default)]
struct Script {
    failures: Mutex<Vec<Failure>>,
    calls: AtomicU64,
    running: AtomicU64,
    most: AtomicU64,
    /// Bytes that a get gives before it fails.
    before: u64,
    ranges: Mutex<Vec<(u64, Option<u64>)>>,
}

impl Script {
    fn failing(failures: &[Failure]) -> Self {
        Script {
            failures: Mutex::new(failures.iter().rev().cloned().collect()),
            ..Self::default()
        }
    }

    async fn next(&self) -> Result<(), Failure> {
        self.calls.fetch_add(1, Ordering::SeqCst);
        let running = self.running.fetch_add(1, Ordering::SeqCst) + 1;
        self.most.fetch_max(running, Ordering::SeqCst);
        tokio::time::sleep(Duration::from_millis(1)).await;
        self.running.fetch_sub(1, Ordering::SeqCst);
        self.failures.lock().unwrap().pop().map_or(Ok(()), Err)
    }
}

#[async_trait]
impl ObjectStore for Script {
    fn needs(&self) -> BodyNeeds {
        BodyNeeds::empty()
    }

    fn greatest_object(&self) -> Option<u64> {
        None
    }

    async fn create_container(&self, _container: &str) -> Result<(), Failure> {
        self.next().await
    }

    async fn put_object(&self, _at: ObjectAddress, _body: Reader, _info: BodyInfo) -> Result<(), Failure> {
        self.next().await
    }

    async fn get_object(
        &self,
        _at: ObjectAddress,
        range: Option<ByteRange>,
        sink: Writer,
    ) -> Result<u64, Failure> {
        let offset = range.map_or(0, |range| range.offset);
        let length = range.and_then(|range| range.length);
        self.ranges.lock().unwrap().push((offset, length));
        let whole = CONTENT.len() as u64;
        let end = length.map_or(whole, |length| whole.min(offset + length));
        let outcome = self.next().await;
        let end = if outcome.is_err() {
            end.min(offset + self.before)
        } else {
            end
        };
        let part = Bytes::from_static(&CONTENT[offset as usize..end as usize]);
        let size = part.len() as u64;
        sink.write(part).await.map_err(|_| failed("the reader is gone"))?;
        match outcome {
            Ok(()) => sink.finish().await.map(|()| size).map_err(|_| failed("gone")),
            Err(failure) => {
                sink.fail(failure.to_string()).await;
                Err(failure)
            }
        }
    }

    async fn stat_object(&self, at: ObjectAddress) -> Result<ObjectInfo, Failure> {
        self.next().await.map(|()| ObjectInfo {
            name: at.name,
            size: 1,
        })
    }

    async fn delete_object(&self, _at: ObjectAddress) -> Result<(), Failure> {
        self.next().await
    }

    async fn list_objects(
        &self,
        _container: &str,
        _prefix: &str,
        _after: Option<String>,
        _limit: u32,
    ) -> Result<Page, Failure> {
        let objects = Vec::new();
        self.next().await.map(|()| Page { objects, more: false })
    }
}

fn driver(error: DriverError) -> Failure {
    Failure::Driver {
        phase: Phase::GetObject,
        error,
    }
}

fn away() -> Failure {
    driver(DriverError::Unavailable("no answer".into()))
}

fn failed(reason: &str) -> Failure {
    driver(DriverError::Failed(reason.into()))
}

fn throttled(milliseconds: u32) -> Failure {
    driver(DriverError::Throttled(Throttle {
        retry_after: Some(milliseconds),
        reason: "slow down".into(),
    }))
}

fn at() -> ObjectAddress {
    ObjectAddress {
        container: "c".into(),
        name: "n".into(),
    }
}

fn layered(script: &Arc<Script>) -> (Arc<Layers>, Arc<dyn ObjectStore>) {
    let layers = Layers::new("b", Patience::default(), 3);
    let store = layers.round(script.clone());
    (layers, store)
}

#[tokio::test(start_paused = true)]
async fn what_may_pass_is_tried_again_until_it_has() {
    let script = Arc::new(Script::failing(&[away(), throttled(0), away()]));
    let (layers, store) = layered(&script);
    store.stat_object(at()).await.unwrap();
    assert_eq!((script.calls.load(Ordering::SeqCst), layers.repeated()), (4, 3));
}

#[tokio::test(start_paused = true)]
async fn what_will_not_pass_is_not_tried_again_and_what_may_be_a_fault_once() {
    for (failure, calls) in [
        (driver(DriverError::NotFound("n".into())), 1),
        (driver(DriverError::Unauthorized("n".into())), 1),
        (driver(DriverError::OutOfSpace("n".into())), 1),
        (driver(DriverError::Corrupted("n".into())), 1),
        (failed("it broke"), 2),
        (away(), 10),
    ] {
        let script = Arc::new(Script::failing(&vec![failure.clone(); 50]));
        let (_, store) = layered(&script);
        assert_eq!(store.delete_object(at()).await, Err(failure.clone()));
        assert_eq!(script.calls.load(Ordering::SeqCst), calls, "{failure}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_storage_that_asks_to_be_left_alone_is() {
    let script = Arc::new(Script::failing(&[throttled(40_000)]));
    let (_, store) = layered(&script);
    let begin = Instant::now();
    store.create_container("c").await.unwrap();
    assert!(begin.elapsed() >= Duration::from_secs(40));
    // It is not waited for longer than the patience lasts.
    let script = Arc::new(Script::failing(&[throttled(4_000_000)]));
    let (_, store) = layered(&script);
    assert_eq!(store.create_container("c").await, Err(throttled(4_000_000)));
    assert_eq!(script.calls.load(Ordering::SeqCst), 1);
}

#[tokio::test(start_paused = true)]
async fn once_a_call_has_spent_its_time_others_fail_at_once_until_one_succeeds() {
    let script = Arc::new(Script::failing(&vec![away(); 12]));
    let (_, store) = layered(&script);
    let calls = || script.calls.load(Ordering::SeqCst);
    let begin = Instant::now();
    assert!(store.stat_object(at()).await.is_err());
    assert_eq!(calls(), 10);
    assert!(
        begin.elapsed() >= Duration::from_secs(60),
        "{:?}",
        begin.elapsed()
    );
    assert!(store.stat_object(at()).await.is_err());
    assert_eq!(calls(), 11, "it is known that there is no hope");
    script.failures.lock().unwrap().pop();
    store.stat_object(at()).await.unwrap();
    script.failures.lock().unwrap().push(away());
    store.stat_object(at()).await.unwrap();
    assert_eq!(calls(), 14, "there is hope again");
}

#[tokio::test(start_paused = true)]
async fn a_get_goes_on_behind_what_got_through() {
    for (range, expected) in [
        (None, CONTENT),
        (
            Some(ByteRange {
                offset: 3,
                length: Some(9),
            }),
            &CONTENT[3..12],
        ),
    ] {
        let mut script = Script::failing(&[away(), away(), away()]);
        script.before = 3;
        let script = Arc::new(script);
        let (_, store) = layered(&script);
        let (writer, mut reader) = stream::channel(64);
        assert_eq!(
            store.get_object(at(), range, writer).await,
            Ok(expected.len() as u64)
        );
        let mut got = Vec::new();
        while let Some(piece) = reader.next().await.unwrap() {
            got.extend_from_slice(&piece);
        }
        assert_eq!(got, expected);
        let first = range.map_or(0, |range| range.offset);
        let offsets: Vec<u64> = script
            .ranges
            .lock()
            .unwrap()
            .iter()
            .map(|range| range.0)
            .collect();
        assert_eq!(offsets, [first, first + 3, first + 6, first + 9]);
    }
}

#[tokio::test(start_paused = true)]
async fn a_get_that_fails_for_good_fails_its_reader_and_one_without_a_reader_ends() {
    let script = Arc::new(Script::failing(&[driver(DriverError::NotFound("n".into()))]));
    let (_, store) = layered(&script);
    let (writer, mut reader) = stream::channel(4);
    assert!(store.get_object(at(), None, writer).await.is_err());
    assert!(reader.next().await.is_err());
    let script = Arc::new(Script::failing(&vec![away(); 50]));
    let (_, store) = layered(&script);
    let (writer, reader) = stream::channel(4);
    drop(reader);
    assert!(store.get_object(at(), None, writer).await.is_err());
    assert_eq!(script.calls.load(Ordering::SeqCst), 1);
}

#[tokio::test(start_paused = true)]
async fn no_more_calls_run_at_once_than_may() {
    let script = Arc::new(Script::default());
    let (_, store) = layered(&script);
    let calls = (0..50).map(|_| store.stat_object(at()));
    for result in futures::future::join_all(calls).await {
        result.unwrap();
    }
    assert_eq!(script.most.load(Ordering::SeqCst), 3);
}

#[tokio::test(start_paused = true)]
async fn many_calls_that_fail_come_again_one_after_the_other() {
    let script = Arc::new(Script::failing(&vec![away(); 200]));
    let layers = Layers::new("b", Patience::default(), 500);
    let store = layers.round(script.clone());
    let begin = Instant::now();
    let calls = (0..200).map(|_| store.stat_object(at()));
    for result in futures::future::join_all(calls).await {
        result.unwrap();
    }
    assert_eq!(script.calls.load(Ordering::SeqCst), 400);
    assert!(
        begin.elapsed() >= Duration::from_secs(170),
        "{:?}",
        begin.elapsed()
    );
}
