//! The host's side of one instance: its state in the store, and the functions of `cofferdam:backup/host`.

use std::sync::Arc;

use wasmtime::component::{HasSelf, Linker, Resource, ResourceTable};
use wasmtime::{Engine, Result};
use wasmtime_wasi::p2::{DynInputStream, DynOutputStream, StreamError};
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};
use wasmtime_wasi_http::{WasiHttpCtx, WasiHttpCtxView, WasiHttpView};

use crate::budget::Meter;
use crate::contract::host::{Host, Level, PipeError};
use crate::egress::Egress;
use crate::failure::clean;
use crate::kill::Kill;
use crate::limits::{Limits, TEXT};
use crate::memory::MemoryBudget;
use crate::output::Output;
use crate::turns::Turn;

/// Bytes that one step of `pipe` moves.
const PIPE_PIECE: usize = 1 << 20;

/// Everything that a store holds for its guest.
pub(crate) struct State {
    pub(crate) table: ResourceTable,
    pub(crate) memory: MemoryBudget,
    /// Of the call that is under way.
    pub(crate) meter: Meter,
    pub(crate) turn: Turn,
    pub(crate) output: Output,
    pub(crate) kill: Arc<Kill>,
    pub(crate) egress: Egress,
    wasi: WasiCtx,
    http: WasiHttpCtx,
}

impl State {
    pub(crate) fn new(limits: &Limits, wasi: WasiCtx, output: Output, turn: Turn, kill: Arc<Kill>) -> Self {
        let mut table = ResourceTable::new();
        table.set_max_capacity(limits.resources);
        let mut http = WasiHttpCtx::new();
        http.set_field_size_limit(limits.http_header_bytes);
        let memory = MemoryBudget::new(limits.memory, limits.instances);
        State {
            table,
            memory,
            meter: Meter::default(),
            turn,
            output,
            kill,
            egress: Egress::default(),
            wasi,
            http,
        }
    }
}

impl WasiView for State {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView {
            ctx: &mut self.wasi,
            table: &mut self.table,
        }
    }
}

impl WasiHttpView for State {
    fn http(&mut self) -> WasiHttpCtxView<'_> {
        WasiHttpCtxView {
            hooks: &mut self.egress,
            table: &mut self.table,
            ctx: &mut self.http,
        }
    }
}

/// All that guests can import: WASI 0.2, outgoing HTTP, and the contract's `host`.
///
/// # Errors
/// When two of them define the same name.
pub(crate) fn linker(engine: &Engine) -> Result<Linker<State>> {
    let mut linker = Linker::new(engine);
    wasmtime_wasi::p2::add_to_linker_async(&mut linker)?;
    wasmtime_wasi_http::p2::add_only_http_to_linker_async(&mut linker)?;
    crate::contract::host::add_to_linker::<State, HasSelf<State>>(&mut linker, |state| state)?;
    Ok(linker)
}

impl Host for State {
    async fn log(&mut self, level: Level, message: String) -> Result<()> {
        let level = match level {
            Level::Debug => tracing::Level::DEBUG,
            Level::Info => tracing::Level::INFO,
            Level::Warn => tracing::Level::WARN,
            Level::Error => tracing::Level::ERROR,
        };
        self.output.line(level, &message);
        Ok(())
    }

    async fn pipe(
        &mut self,
        source: Resource<DynInputStream>,
        sink: Resource<DynOutputStream>,
        length: Option<u64>,
    ) -> Result<Result<u64, PipeError>> {
        let mut moved = 0_u64;
        loop {
            let wanted = length
                .map_or(u64::MAX, |length| length - moved)
                .min(PIPE_PIECE as u64) as usize;
            if wanted == 0 {
                break;
            }
            let piece = match self.table.get_mut(&source)?.blocking_read(wanted).await {
                Ok(piece) => piece,
                Err(StreamError::Closed) if length.is_none() => break,
                Err(StreamError::Closed) => return Ok(Err(PipeError::EarlyEnd(moved))),
                Err(StreamError::LastOperationFailed(error)) => {
                    return Ok(Err(PipeError::SourceFailed(clean(&error.to_string(), TEXT))));
                }
                Err(StreamError::Trap(error)) => return Err(error),
            };
            let bytes = piece.len() as u64;
            match self.table.get_mut(&sink)?.blocking_write_and_flush(piece).await {
                Ok(()) => moved += bytes,
                Err(StreamError::Closed) => {
                    return Ok(Err(PipeError::SinkFailed("the sink is closed".into())));
                }
                Err(StreamError::LastOperationFailed(error)) => {
                    return Ok(Err(PipeError::SinkFailed(clean(
                        &error.root_cause().to_string(),
                        TEXT,
                    ))));
                }
                Err(StreamError::Trap(error)) => return Err(error),
            }
        }
        Ok(Ok(moved))
    }

    async fn is_cancelled(&mut self) -> Result<bool> {
        Ok(self.kill.is_killed())
    }
}
