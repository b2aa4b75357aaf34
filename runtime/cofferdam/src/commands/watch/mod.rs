//! `cofferdam watch`: operations and changes of backends as they come. Bars on a terminal, plain lines elsewhere, with
//! `--json` one document a line.
//!
//! How: two questions every [`LOOK`], compared with what was known. Operations that ended between two looks are shown too,
//! from the newest [`ENDED`] that the service remembers. A service that goes away is asked again until it is back.

mod output;
mod rate;

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use cofferdam_api::model::{OperationView, ServiceView};
use tokio::time::Instant;

use super::Context;
use crate::client::Client;
use crate::exit;
use output::Output;
use rate::Rate;

/// How often the service is asked.
const LOOK: Duration = Duration::from_millis(250);

/// Operations that have ended, at each look.
const ENDED: usize = 200;

/// How often progress is told where there are no bars.
const TELL: Duration = Duration::from_secs(2);

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// End as soon as no operation runs
    #[arg(long)]
    until_idle: bool,
}

/// An operation that runs.
struct Followed {
    rate: Rate,
    told: Instant,
}

/// What is known from the looks so far.
struct Watch {
    output: Output,
    running: HashMap<String, Followed>,
    ended: HashSet<String>,
    services: HashMap<String, ServiceView>,
    first: bool,
}

pub(crate) async fn run(context: &Context, arguments: &Arguments) -> anyhow::Result<()> {
    let client = context.service().await?;
    let mut watch = Watch {
        output: Output::new(context.json),
        running: HashMap::new(),
        ended: HashSet::new(),
        services: HashMap::new(),
        first: true,
    };
    let watching = async {
        let mut gone = false;
        loop {
            match look(&client).await {
                Ok((operations, services)) => {
                    if std::mem::take(&mut gone) {
                        watch.output.note("the service answers again");
                    }
                    watch.take_in(operations, services)?;
                    if arguments.until_idle && watch.running.is_empty() {
                        return Ok(());
                    }
                }
                Err(error) if watch.first || arguments.until_idle => return Err(error),
                Err(error) => {
                    if !std::mem::replace(&mut gone, true) {
                        watch.output.note(&exit::view(&error).message);
                    }
                }
            }
            tokio::time::sleep(LOOK).await;
        }
    };
    let result = tokio::select! {
        result = watching => result,
        _ = tokio::signal::ctrl_c() => Ok(()),
    };
    watch.output.finish();
    result
}

async fn look(client: &Client) -> anyhow::Result<(Vec<OperationView>, Vec<ServiceView>)> {
    let operations = client.get(&format!("/v1/operations?ended={ENDED}")).await?;
    Ok((operations, client.get("/v1/services").await?))
}

impl Watch {
    /// Shows what is new in a look.
    fn take_in(&mut self, operations: Vec<OperationView>, services: Vec<ServiceView>) -> anyhow::Result<()> {
        let first = std::mem::take(&mut self.first);
        if first {
            self.output.begin(&operations, &services);
        }
        self.take_in_services(services, first)?;
        let (running, ended): (Vec<_>, Vec<_>) = operations
            .into_iter()
            .partition(|operation| operation.state == "running");
        let present: HashSet<String> = ended.iter().map(|operation| operation.id.clone()).collect();
        // They come newest first, and are told in the order in which they ended.
        for operation in ended.iter().rev() {
            self.running.remove(&operation.id);
            if !first && !self.ended.contains(&operation.id) {
                self.output.ended(operation)?;
            }
        }
        self.ended = present;
        let alive: HashSet<&str> = running.iter().map(|operation| operation.id.as_str()).collect();
        // What is in neither list belonged to a service that has ended.
        let lost: Vec<String> = self
            .running
            .keys()
            .filter(|id| !alive.contains(id.as_str()))
            .cloned()
            .collect();
        for id in lost {
            self.running.remove(&id);
            self.output.forget(&id);
        }
        for operation in &running {
            self.follow(operation)?;
        }
        Ok(())
    }

    fn follow(&mut self, operation: &OperationView) -> anyhow::Result<()> {
        let now = Instant::now();
        let known = self.running.contains_key(&operation.id);
        let followed = self
            .running
            .entry(operation.id.clone())
            .or_insert_with(|| Followed {
                rate: Rate::default(),
                told: now,
            });
        let changed = followed.rate.take_in(now, operation.bytes_done);
        let due = changed && now.duration_since(followed.told) >= TELL;
        if !known || due {
            followed.told = now;
        }
        self.output.running(operation, &followed.rate, !known, due)
    }

    fn take_in_services(&mut self, services: Vec<ServiceView>, first: bool) -> anyhow::Result<()> {
        let names: HashSet<String> = services.iter().map(|service| service.name.clone()).collect();
        for service in services {
            let before = self.services.insert(service.name.clone(), service.clone());
            let differs =
                before.is_none_or(|before| before.phase != service.phase || before.code != service.code);
            if differs {
                self.output.service(&service, first)?;
            }
        }
        self.services.retain(|name, _| names.contains(name));
        Ok(())
    }
}
