//! At start, each time limit must stop a spinning guest, or the service does not start.
//!
//! A ticker without a deadline, or a deadline without a ticker, is silently no limit; no configuration should be able
//! to get there. Four small runs, one mechanism each, with the others out of the way. Cost: about 60 ms.

use std::sync::Arc;
use std::time::Duration;

use wasmtime::component::{Component, Linker};
use wasmtime::{Store, Trap, UpdateDeadline};

use crate::egress::dial::SystemResolver;
use crate::failure::{Failure, Phase};
use crate::kill::{Kill, Killed};
use crate::limits::SLICE;
use crate::sandbox::Shared;
use crate::turns::Turn;

/// A component whose one function never returns.
const SPIN: &str = r#"(component
    (core module $m (func (export "spin") (loop (br 0))))
    (core instance $i (instantiate $m))
    (func (export "spin") (canon lift (core func $i "spin"))))"#;

/// A guest is given so long before a mechanism counts as broken.
const PATIENCE: Duration = Duration::from_secs(10);

fn broken(what: &str) -> Failure {
    Failure::Host {
        phase: Phase::Load,
        reason: format!("the self-test failed: {what}"),
        remedy: "do not run drivers on this machine; report this with its kernel and processor".into(),
    }
}

/// Runs the self-test.
///
/// # Errors
/// [`Failure::Host`] that names the mechanism that does not hold.
pub(crate) async fn run() -> Result<(), Failure> {
    let shared = Arc::new(Shared::new(Arc::new(SystemResolver))?);
    let component = Component::new(&shared.engine, SPIN)
        .map_err(|error| broken(&format!("it cannot be compiled: {error:#}")))?;
    let test = |stop: Stop| {
        let (shared, component) = (shared.clone(), component.clone());
        std::thread::Builder::new()
            .name(format!("self-test {stop:?}"))
            .spawn(move || spin(&shared, &component, stop))
            .map_err(|error| broken(&format!("no thread: {error}")))
    };
    for (stop, what) in [
        (Stop::Fuel, "fuel does not stop a spinning guest"),
        (
            Stop::Wall,
            "a kill does not stop a spinning guest at its next slice",
        ),
        (Stop::Epoch, "the epoch does not stop a guest that never yields"),
        (Stop::Gate, "a closed gate does not hold up a computing guest"),
    ] {
        let thread = test(stop)?;
        let joined = tokio::task::spawn_blocking(move || thread.join());
        match tokio::time::timeout(PATIENCE, joined).await {
            Ok(Ok(Ok(true))) => {}
            _ => return Err(broken(what)),
        }
    }
    Ok(())
}

#[derive(Debug, Clone, Copy)]
enum Stop {
    Fuel,
    Wall,
    Epoch,
    Gate,
}

/// Spins until the mechanism under test stops it; whether it was that one.
fn spin(shared: &Shared, component: &Component, stop: Stop) -> bool {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build();
    runtime.is_ok_and(|runtime| {
        runtime
            .block_on(spinning(shared, component, stop))
            .unwrap_or(false)
    })
}

async fn spinning(shared: &Shared, component: &Component, stop: Stop) -> wasmtime::Result<bool> {
    let kill = Arc::new(Kill::new());
    let mut store = Store::new(&shared.engine, Turn::new(shared.gate.clone(), kill.clone()));
    store.set_fuel(if matches!(stop, Stop::Fuel) {
        10 * SLICE
    } else {
        u64::MAX / 2
    })?;
    store.set_epoch_deadline(1);
    let by_epoch = matches!(stop, Stop::Epoch);
    let killed = kill.clone();
    store.epoch_deadline_callback(move |_| {
        let interrupt = by_epoch && killed.must_stop();
        Ok(if interrupt {
            UpdateDeadline::Interrupt
        } else {
            UpdateDeadline::Continue(1)
        })
    });
    if !by_epoch {
        Turn::install(&mut store, |turn| turn, |_, _| {});
        store.fuel_async_yield_interval(Some(SLICE))?;
    }
    let closed = matches!(stop, Stop::Gate).then(|| shared.gate.close()).flatten();
    // Fuel has to do it alone, however slow the machine.
    let timer = (!matches!(stop, Stop::Fuel)).then(|| {
        let killer = kill.clone();
        std::thread::spawn(move || {
            std::thread::sleep(Duration::from_millis(15));
            killer.kill();
        })
    });
    let linker = Linker::new(&shared.engine);
    let instance = linker.instantiate_async(&mut store, component).await?;
    let spin = instance.get_typed_func::<(), ()>(&mut store, "spin")?;
    let outcome = kill.or(spin.call_async(&mut store, ())).await;
    drop(closed);
    if let Some(timer) = timer {
        let _ = timer.join();
    }
    Ok(match (stop, outcome) {
        (Stop::Fuel, Ok(Err(error))) => error.downcast_ref() == Some(&Trap::OutOfFuel),
        (Stop::Epoch, Ok(Err(error))) => error.downcast_ref() == Some(&Trap::Interrupt),
        (Stop::Wall, Err(Killed)) => true,
        (Stop::Gate, outcome) => {
            // Held up at the gate, where the kill found it: it burnt its credit and little more.
            let killed = match outcome {
                Err(Killed) => true,
                Ok(Err(error)) => error.is::<Killed>(),
                Ok(Ok(())) => false,
            };
            killed && u64::MAX / 2 - store.get_fuel()? < 20 * SLICE
        }
        _ => false,
    })
}

#[cfg(test)]
mod tests {
    #[tokio::test]
    async fn every_time_limit_stops_a_spinning_guest() {
        let start = std::time::Instant::now();
        super::run().await.unwrap();
        println!("self-test: {:?}", start.elapsed());
    }
}
