//! The host's side of one instance: its state in the store, and the functions of `cofferdam:backup/host`.

use std::sync::Arc;

use wasmtime::component::{HasSelf, Linker, Resource, ResourceTable};
use wasmtime::{Engine, Result};
use wasmtime_wasi::p2::{DynInputStream, DynOutputStream};
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};
use wasmtime_wasi_http::p2::bindings::http::outgoing_handler::Host as _;
use wasmtime_wasi_http::p2::bindings::http::types::{ErrorCode, Host as _, RequestOptions};
use wasmtime_wasi_http::p2::bindings::{LinkOptions, http};
use wasmtime_wasi_http::p2::types::{HostFutureIncomingResponse, HostOutgoingRequest};
use wasmtime_wasi_http::{WasiHttp, WasiHttpCtx, WasiHttpCtxView, WasiHttpView};

use crate::budget::Meter;
use crate::contract::host::{Host, Level, PipeError};
use crate::contract::secrets::{self, Algorithm, Encoding, SecretError};
use crate::contract::{BodyInfo, BodyNeeds};
use crate::egress::Egress;
use crate::files;
use crate::kill::Kill;
use crate::limits::Limits;
use crate::memory::MemoryBudget;
use crate::output::Output;
use crate::pipe::pump;
use crate::secrets::Vault;
use crate::slabs::Slabs;
use crate::turns::Turn;

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
    vault: Arc<Vault>,
    wasi: WasiCtx,
    http: WasiHttpCtx,
}

impl State {
    pub(crate) fn new(
        limits: &Limits,
        wasi: WasiCtx,
        output: Output,
        turn: Turn,
        kill: Arc<Kill>,
        (egress, vault): (Egress, Arc<Vault>),
    ) -> Self {
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
            egress,
            vault,
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

/// All that guests can import: WASI 0.2, outgoing HTTP, and the contract's `host` and `secrets`.
///
/// # Errors
/// When two of them define the same name.
pub(crate) fn linker(engine: &Engine) -> Result<Linker<State>> {
    let mut linker = Linker::new(engine);
    wasmtime_wasi::p2::add_to_linker_async(&mut linker)?;
    http::types::add_to_linker::<State, WasiHttp>(&mut linker, &LinkOptions::default().into(), State::http)?;
    linker
        .instance("wasi:http/outgoing-handler@0.2.12")?
        .func_wrap("handle", |mut store, (request, options)| {
            Ok((send(store.data_mut(), request, options)?,))
        })?;
    let slabs = Slabs::default();
    linker.allow_shadowing(true);
    linker.instance("wasi:filesystem/types@0.2.12")?.func_wrap(
        "[method]descriptor.read-via-stream",
        move |mut store, (file, offset)| {
            Ok((files::open(&mut store.data_mut().table, &file, offset, &slabs)?,))
        },
    )?;
    linker.allow_shadowing(false);
    crate::contract::host::add_to_linker::<State, HasSelf<State>>(&mut linker, |state| state)?;
    secrets::add_to_linker::<State, HasSelf<State>>(&mut linker, |state| state)?;
    Ok(linker)
}

/// Sends a request as wasmtime-wasi-http does, and then takes its options out of the table. That crate forgets to, so that after a
/// thousand requests there was no room left in it.
fn send(
    state: &mut State,
    request: Resource<HostOutgoingRequest>,
    options: Option<Resource<RequestOptions>>,
) -> Result<Result<Resource<HostFutureIncomingResponse>, ErrorCode>> {
    let used = options.as_ref().map(|options| Resource::new_own(options.rep()));
    let started = state.http().handle(request, options);
    if let Some(used) = used {
        let _: RequestOptions = state.table.delete(used)?;
    }
    match started {
        Ok(future) => Ok(Ok(future)),
        Err(error) => state.http().convert_error_code(error).map(Err),
    }
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
        let moved = pump(&mut self.table, &source, &sink, length, BodyNeeds::empty()).await?;
        Ok(moved.map(|info| info.size.unwrap_or_default()))
    }

    async fn pipe_digested(
        &mut self,
        source: Resource<DynInputStream>,
        sink: Resource<DynOutputStream>,
        length: Option<u64>,
        wanted: BodyNeeds,
    ) -> Result<Result<BodyInfo, PipeError>> {
        pump(&mut self.table, &source, &sink, length, wanted).await
    }

    async fn is_cancelled(&mut self) -> Result<bool> {
        Ok(self.kill.is_killed())
    }
}

type Told<T> = Result<std::result::Result<T, SecretError>>;

impl secrets::Host for State {
    async fn sign(
        &mut self,
        secret: String,
        algorithm: Algorithm,
        prefix: Vec<u8>,
        message: Vec<u8>,
    ) -> Told<Vec<u8>> {
        Ok(self.vault.sign(&secret, algorithm, &prefix, &message).await)
    }

    async fn md5(&mut self, secret: String, decode_base64: bool) -> Told<Vec<u8>> {
        Ok(self.vault.md5(&secret, decode_base64).await)
    }

    async fn sha256(&mut self, message: Vec<u8>) -> Told<Vec<u8>> {
        Ok(self.vault.sha256(&message).await)
    }

    async fn placeholder(&mut self, secret: String, prefix: String, encoding: Encoding) -> Told<String> {
        Ok(self.vault.placeholder(&secret, prefix, encoding))
    }

    async fn reveal(&mut self, secret: String) -> Told<String> {
        Ok(self.vault.reveal(&secret).await)
    }
}
