//! Every bound of the sandbox in one table: name, default, unit. The configuration overrides what a deployer may
//! want to change; the rest is fixed because no driver needs more.
//!
//! Why a table: a bound that is set in passing is a bound that is forgotten. Each row here has one test that runs
//! into it.

use std::time::Duration;

/// What one driver instance, and one driver's component, may use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of a component file. Python and JavaScript drivers have 15 to 20 MiB.
    pub component_size: u64,
    /// Wall-clock time for compiling a component in the child process.
    pub compile_timeout: Duration,
    /// Address space in bytes of the compiling child process.
    pub compile_memory: u64,
    /// Bytes over all linear memories and tables of one instance together.
    pub memory: u64,
    /// Core instances, memories and tables in one store, each.
    pub instances: usize,
    /// Live handles of resources in the guest's tables.
    pub handles: usize,
    /// Live resources (streams, descriptors, pollables) in the host's table.
    pub resources: usize,
    /// Bytes of host memory that the arguments and results of one host call may take.
    pub hostcall_bytes: usize,
    /// Bytes of random numbers that one call may ask for.
    pub random_bytes: u64,
    /// Bytes of standard output, standard error and log together, per call.
    pub output_bytes: usize,
    /// Lines of them, per call.
    pub output_lines: usize,
    /// Bytes in the headers of one HTTP request or answer.
    pub http_header_bytes: usize,
    /// HTTP requests in flight at once.
    pub http_requests: usize,
    /// Wall-clock time for resolving, dialling and TLS together; a guest may ask for less.
    pub http_connect_timeout: Duration,
    /// From the end of an HTTP request to the first byte of its answer; a guest may ask for less.
    pub http_first_byte_timeout: Duration,
    /// Between two pieces of an answer, or until one of the request's body is taken; a guest may ask for less.
    pub http_between_bytes_timeout: Duration,
    /// A call that moves data is stopped when fewer than `stall_bytes` have moved within this span.
    pub stall_timeout: Duration,
    /// Bytes that must move in it; at least one.
    pub stall_bytes: u64,
    /// Wall-clock time of a short call that no other deadline covers (`place-backup`, `delete-object`, …).
    pub call_timeout: Duration,
    /// Fuel of a call that no other budget covers.
    pub call_fuel: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            component_size: 64 << 20,
            compile_timeout: Duration::from_secs(120),
            compile_memory: 4 << 30,
            memory: 128 << 20,
            instances: 100,
            handles: 4096,
            resources: 1024,
            hostcall_bytes: 8 << 20,
            random_bytes: 1 << 20,
            output_bytes: 64 << 10,
            output_lines: 1000,
            http_header_bytes: 32 << 10,
            http_requests: 16,
            http_connect_timeout: Duration::from_secs(10),
            http_first_byte_timeout: Duration::from_secs(300),
            http_between_bytes_timeout: Duration::from_secs(60),
            stall_timeout: Duration::from_secs(300),
            stall_bytes: 1 << 20,
            call_timeout: Duration::from_secs(60),
            call_fuel: 1_000_000_000_000,
        }
    }
}

/// Bytes of native stack for guest code; deeper recursion traps. One engine serves all drivers, so it is fixed.
pub(crate) const WASM_STACK: usize = 1 << 20;

/// Native stack of an instance's fiber: the guest's part and the host calls on top of it.
pub(crate) const FIBER_STACK: usize = 2 << 20;

/// Time between two epoch ticks.
pub(crate) const TICK: Duration = Duration::from_millis(10);

/// Fuel of one slice: after so much computing the guest yields (0.01 to 0.05 ms).
pub(crate) const SLICE: u64 = 200_000;

/// Fuel of one slice of a guest that takes turns: long enough (2 ms and more) that handing the turn on costs next to
/// nothing. The epoch's tick ends a longer one.
pub(crate) const LONG_SLICE: u64 = 40_000_000;

/// Fuel that a call may burn before it has to take turns, and the most that waiting gives back: two slices.
pub(crate) const CREDIT: i64 = 2 * SLICE as i64;

/// Fuel that a second of waiting in the host gives back: 0.25 % of a processor.
pub(crate) const REFILL: u64 = 10_000_000;

/// Epoch backstop: so long after a call's deadline the guest is interrupted even if nobody else did it.
pub(crate) const BACKSTOP_GRACE: Duration = Duration::from_millis(500);

/// Characters of one text from a guest that are kept in a failure or a log line.
pub(crate) const TEXT: usize = 2000;
