//! Several instances at once, each on its own thread, beside as many native connections, each on a thread too.

use std::sync::Arc;
use std::time::{Duration, Instant};

use cofferdam_sandbox::Instance;
use tokio::runtime::Runtime;

use super::client::{Access, Object};
use super::native::Native;
use super::sink::Head;
use super::{Bench, RUN_MIB, RUNS, Row};
use crate::rate;

const INSTANCES: usize = 4;
const SIZE_MIB: u64 = 8;
/// Objects that each of them moves in a run.
const EACH: u64 = RUN_MIB / SIZE_MIB / INSTANCES as u64;

pub(super) fn measure(bench: &Bench<'_>, access: Access<'_>) -> anyhow::Result<Vec<Row>> {
    let object = Object::new(SIZE_MIB);
    let first = bench.instance(access)?;
    let [put, get] = bench.heads(&first, &object)?;
    let mut instances = vec![Arc::new(first)];
    let mut natives = Vec::new();
    for _ in 0..INSTANCES {
        natives.push(Native::connect(&bench.sink.authority())?);
    }
    while instances.len() < INSTANCES {
        instances.push(Arc::new(bench.instance(access)?));
    }
    let mut rows = Vec::new();
    for (what, head) in [("put", &put), ("get", &get)] {
        let (mut best, mut best_native, mut most) = (Duration::MAX, Duration::MAX, 0);
        for _ in 0..RUNS {
            bench.sink.take_most();
            best = best.min(bench.runtime.block_on(ours(&instances, &object, what))?);
            most = most.max(bench.sink.take_most());
            best_native = best_native.min(native(bench.runtime, &mut natives, &object, head)?);
        }
        rows.push(Row {
            server: "sink",
            driver: bench.driver,
            what: format!("{what} {SIZE_MIB} MiB, {INSTANCES} instances, {most} requests at once"),
            ours: rate(RUN_MIB << 20, best),
            native: rate(RUN_MIB << 20, best_native),
            our_cpu: None,
            native_cpu: None,
            requests: None,
        });
    }
    Ok(rows)
}

async fn ours(instances: &[Arc<Instance>], object: &Object, what: &'static str) -> anyhow::Result<Duration> {
    let begin = Instant::now();
    let tasks: Vec<_> = instances
        .iter()
        .map(|instance| {
            let (instance, object) = (instance.clone(), object.clone());
            tokio::spawn(async move {
                for _ in 0..EACH {
                    match what {
                        "put" => object.put(&instance, "object").await?,
                        _ => object.get(&instance, "object").await?,
                    };
                }
                anyhow::Ok(())
            })
        })
        .collect();
    for task in tasks {
        task.await??;
    }
    Ok(begin.elapsed())
}

fn native(
    runtime: &Runtime,
    natives: &mut [Native],
    object: &Object,
    head: &Head,
) -> anyhow::Result<Duration> {
    let begin = Instant::now();
    std::thread::scope(|scope| {
        let threads: Vec<_> = natives
            .iter_mut()
            .map(|native| {
                scope.spawn(move || {
                    for _ in 0..EACH {
                        native.send(runtime, head, object)?;
                    }
                    anyhow::Ok(())
                })
            })
            .collect();
        for thread in threads {
            thread
                .join()
                .map_err(|_| anyhow::anyhow!("a native client panicked"))??;
        }
        anyhow::Ok(())
    })?;
    Ok(begin.elapsed())
}
