//! Visits to a guest in the sandbox.

use std::time::{Duration, Instant};

use cofferdam_sandbox::contract::SettingValue;
use cofferdam_sandbox::{Budget, Failure, Instance};
use cofferdam_tests::guests::{Pen, Setting, get, initialize, put, put_pieces};
use cofferdam_tests::{PLENTY, TestSandbox};

use crate::{Guest, Outcome, Zoo};

/// The deadline of guests that only a deadline ends.
const SHORT: Duration = Duration::from_millis(300);

/// The deadline of those that must be found out before it.
const LONG: Duration = Duration::from_secs(30);

/// Initialised within a deadline, compiled before.
async fn initialized(
    zoo: &Zoo,
    test: &TestSandbox,
    guest: &Guest,
    limit: Duration,
    settings: &[Setting],
) -> (Instant, Result<Instance, Failure>) {
    let begin = Instant::now();
    let driver = match test.load(&zoo.file(guest)).await {
        Ok(driver) => driver,
        Err(failure) => return (begin, Err(failure)),
    };
    let budget = Budget::new(limit, PLENTY);
    let begin = Instant::now();
    (begin, initialize(test, &driver, &budget, settings, None).await)
}

/// It fails while it is initialised, or works.
pub(crate) async fn setup(zoo: &Zoo, guest: &Guest) -> Outcome {
    let (begin, result) = initialized(zoo, &zoo.test, guest, LONG, &[]).await;
    Outcome::of(begin, result)
}

/// It never comes back from its initialisation.
pub(crate) async fn hang(zoo: &Zoo, guest: &Guest) -> Outcome {
    let (begin, result) = initialized(zoo, &zoo.test, guest, SHORT, &[]).await;
    Outcome::of(begin, result)
}

/// It takes nine tenths of its deadline.
pub(crate) async fn slow(zoo: &Zoo, guest: &Guest) -> Outcome {
    let wait = ("hostile_wait", SettingValue::Text("900ms".into()));
    let (begin, result) = initialized(zoo, &zoo.test, guest, Duration::from_secs(1), &[wait]).await;
    Outcome::of(begin, result)
}

/// It computes for long, honestly.
pub(crate) async fn compute(zoo: &Zoo, guest: &Guest) -> Outcome {
    let rounds = ("hostile_rounds", SettingValue::Integer(50_000_000));
    let (begin, result) = initialized(zoo, &zoo.test, guest, LONG, &[rounds]).await;
    Outcome::of(begin, result)
}

/// It has a directory, and says how far it got out of it or on in it.
pub(crate) async fn in_a_directory(zoo: &Zoo, guest: &Guest) -> Outcome {
    let pen = Pen::make(&zoo.test, guest.name);
    let driver = zoo.test.load(&zoo.file(guest)).await.unwrap();
    let budget = Budget::new(LONG, PLENTY);
    let grant = pen.grant(guest.name != "write-read-only");
    let begin = Instant::now();
    let result = initialize(&zoo.test, &driver, &budget, &[pen.setting()], Some(grant)).await;
    let outcome = Outcome::of(begin, result);
    pen.check(guest.name);
    outcome
}

/// It tries to reach a listener of this machine.
pub(crate) async fn network(zoo: &Zoo, guest: &Guest) -> Outcome {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let port = i64::from(listener.local_addr().unwrap().port());
    let port = ("hostile_port", SettingValue::Integer(port));
    let (begin, result) = initialized(zoo, &zoo.test, guest, LONG, &[port]).await;
    let outcome = Outcome::of(begin, result);
    let knocked = listener.accept().unwrap_err().kind();
    assert_eq!(knocked, std::io::ErrorKind::WouldBlock, "0 connections");
    outcome
}

/// A live instance of the guest, with a directory for those that take one, in a sandbox that waits for stalled data
/// a short while only.
async fn living(zoo: &Zoo, guest: &Guest) -> (Instance, Pen) {
    let test = zoo.test.with(|limits| limits.stall_timeout = SHORT);
    let pen = Pen::make(&test, guest.name);
    let driver = test.load(&zoo.file(guest)).await.unwrap();
    let budget = Budget::new(LONG, PLENTY);
    let limits = std::sync::Arc::new(test.limits.clone());
    let info = test
        .sandbox
        .describe(&driver, "test", &limits, &budget)
        .await
        .unwrap();
    let takes = info.options.iter().any(|option| option.name == "hostile_path");
    let settings = if takes { vec![pen.setting()] } else { Vec::new() };
    let instance = initialize(&test, &driver, &budget, &settings, Some(pen.grant(true))).await;
    (instance.unwrap(), pen)
}

/// What a failed call leaves: an instance that takes no other, unless the driver itself said no.
fn ended<T>(instance: &Instance, begin: Instant, result: Result<T, Failure>) -> Outcome {
    if let Err(failure) = &result {
        let answered = failure.code().starts_with("driver.");
        assert_eq!(instance.is_alive(), answered, "{failure}");
    }
    Outcome::of(begin, result)
}

/// It misbehaves in its probe.
pub(crate) async fn probe(zoo: &Zoo, guest: &Guest) -> Outcome {
    let (instance, _) = living(zoo, guest).await;
    let begin = Instant::now();
    let result = instance.probe(&Budget::new(SHORT, PLENTY)).await;
    ended(&instance, begin, result)
}

/// Its probe works until its storage is gone.
pub(crate) async fn probe_dies(zoo: &Zoo, guest: &Guest) -> Outcome {
    let (instance, pen) = living(zoo, guest).await;
    let alive = pen.granted.join("alive");
    std::fs::write(&alive, "").unwrap();
    instance.probe(&Budget::new(LONG, PLENTY)).await.unwrap();
    std::fs::remove_file(alive).unwrap();
    let begin = Instant::now();
    let result = instance.probe(&Budget::new(LONG, PLENTY)).await;
    ended(&instance, begin, result)
}

/// Its second set-up fails; the instance lives.
pub(crate) async fn second_setup(zoo: &Zoo, guest: &Guest) -> Outcome {
    let (instance, _) = living(zoo, guest).await;
    let begin = Instant::now();
    let result = instance.do_setup(&[], &Budget::new(LONG, PLENTY)).await;
    ended(&instance, begin, result)
}

/// It misbehaves in a put.
pub(crate) async fn put_object(zoo: &Zoo, guest: &Guest) -> Outcome {
    let (instance, _) = living(zoo, guest).await;
    let begin = Instant::now();
    let result = put_pieces(&instance, "o").await;
    ended(&instance, begin, result)
}

/// It misbehaves in a get: the stream breaks, it never ends as if it were whole.
pub(crate) async fn get_object(zoo: &Zoo, guest: &Guest) -> Outcome {
    let (instance, _) = living(zoo, guest).await;
    put(&instance, "o", b"some bytes").await.unwrap();
    let begin = Instant::now();
    let (result, whole) = get(&instance, "o", 8 << 20).await;
    assert!(!whole, "the stream must break, not end");
    ended(&instance, begin, result)
}

/// It returns a listing without measure.
pub(crate) async fn list(zoo: &Zoo, guest: &Guest) -> Outcome {
    let (instance, _) = living(zoo, guest).await;
    let begin = Instant::now();
    let result = instance.list_objects("c", "p", None, 1000).await;
    Outcome::of(begin, result)
}

/// Its component takes the compiler long, or much memory.
pub(crate) async fn compile(zoo: &Zoo, guest: &Guest) -> Outcome {
    let test = zoo.test.with(|limits| match guest.code {
        "compile-timeout" => limits.compile_timeout = Duration::from_secs(1),
        _ => limits.compile_memory = 1 << 30,
    });
    let (begin, result) = initialized(zoo, &test, guest, LONG, &[]).await;
    Outcome::of(begin, result)
}
