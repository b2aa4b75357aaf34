//! Every option of the configuration, in one table. The definition is the documentation.

use super::{Kind, OptionSpec, Scope};

const MINUTE: u64 = 60_000;
const DAY: u64 = 24 * 60 * MINUTE;

/// All options, in the order of the documentation.
pub(crate) const OPTIONS: &[OptionSpec] = &[
    OptionSpec {
        name: "state_path",
        kind: Kind::Path,
        scope: Scope::Service,
        default: Some("\"/var/lib/cofferdam\""),
        text: "Folder for the catalog, the compile cache and the API's socket. Made if missing, mode 0700.",
    },
    OptionSpec {
        name: "api_socket",
        kind: Kind::Path,
        scope: Scope::Service,
        default: None,
        text: "Unix socket of the API. Default: `api.sock` in `state_path`. Only the service's own user can connect.",
    },
    OptionSpec {
        name: "osapi_volume_listen",
        kind: Kind::Text,
        scope: Scope::Service,
        default: None,
        text: "IP address on which the API is served over TCP too (`\"127.0.0.1\"`, `\"::1\"`). Without it there is only the \
               Unix socket.",
    },
    OptionSpec {
        name: "osapi_volume_listen_port",
        kind: Kind::Integer(1, 65535),
        scope: Scope::Service,
        default: Some("8776"),
        text: "Its port.",
    },
    OptionSpec {
        name: "osapi_volume_use_ssl",
        kind: Kind::Boolean,
        scope: Scope::Service,
        default: Some("false"),
        text: "Whether it speaks TLS (1.2 and 1.3) and nothing else. Needs `ssl_cert_file` and `ssl_key_file`.",
    },
    OptionSpec {
        name: "ssl_cert_file",
        kind: Kind::Path,
        scope: Scope::Service,
        default: None,
        text: "The service's certificate in PEM, followed by those between it and its authority. Read again at each reload; bad \
               files change nothing then.",
    },
    OptionSpec {
        name: "ssl_key_file",
        kind: Kind::Path,
        scope: Scope::Service,
        default: None,
        text: "Its private key in PEM, without a passphrase.",
    },
    OptionSpec {
        name: "ssl_ca_file",
        kind: Kind::Path,
        scope: Scope::Service,
        default: None,
        text: "Certificates in PEM of the authorities whose clients may connect. Without it no certificate is asked of clients.",
    },
    OptionSpec {
        name: "osapi_max_connections",
        kind: Kind::Integer(1, 1_000_000),
        scope: Scope::Service,
        default: Some("1024"),
        text: "Connections that are served at once over TCP, and as many over the Unix socket; more wait to be accepted.",
    },
    OptionSpec {
        name: "auth_strategy",
        kind: Kind::Choice(&["noauth"]),
        scope: Scope::Service,
        default: Some("\"noauth\""),
        text: "Who may use the API over TCP. `noauth`: everybody who reaches it, as whom the header `X-Auth-Token: \
               user:project` says. The Unix socket needs no token: its mode is its guard.",
    },
    OptionSpec {
        name: "allow_noauth_on_network",
        kind: Kind::Boolean,
        scope: Scope::Service,
        default: Some("false"),
        text: "Must be true for `noauth` on an address that is not of this machine alone. Everybody who reaches it can then read, \
               overwrite and delete every backup, and files of this machine that the service may read or write.",
    },
    OptionSpec {
        name: "backup_workers",
        kind: Kind::Integer(0, 1024),
        scope: Scope::Service,
        default: Some("0"),
        text: "Threads that serve requests and steer operations; 0: one for each processor. What computes and moves data has \
               threads of its own (`transfer_parallelism`).",
    },
    OptionSpec {
        name: "graceful_shutdown_timeout",
        kind: Kind::Duration(0, DAY),
        scope: Scope::Service,
        default: Some("\"60s\""),
        text: "When the service is told to stop, operations that run may end within this time; what is left is cancelled then, \
               and backups go on at the next start. 0: they are cancelled at once (in oslo, 0 is to wait for ever).",
    },
    OptionSpec {
        name: "log_format",
        kind: Kind::Choice(&["text", "json"]),
        scope: Scope::Service,
        default: Some("\"text\""),
        text: "How the service logs to standard error: lines for people, or a JSON document a line (as `--json` does too).",
    },
    OptionSpec {
        name: "driver_path",
        kind: Kind::Paths,
        scope: Scope::Service,
        default: Some("[\"/usr/lib/cofferdam/drivers\"]"),
        text: "Folders in which a driver named by `backup_driver` is looked for, as `NAME/driver.wasm` or `NAME.wasm`, in this \
               order. `cofferdam driver add` installs into the first.",
    },
    OptionSpec {
        name: "driver_keys",
        kind: Kind::Texts,
        scope: Scope::Service,
        default: None,
        text: "Public keys of minisign, each the line that begins with `RW` or the path of its file. When there are any, only drivers \
               that one of them has signed are installed, and only those become backends.",
    },
    OptionSpec {
        name: "host",
        kind: Kind::Text,
        scope: Scope::Service,
        default: None,
        text: "Name of this host in services and records. Default: the machine's host name.",
    },
    OptionSpec {
        name: "storage_availability_zone",
        kind: Kind::Text,
        scope: Scope::Both,
        default: Some("\"nova\""),
        text: "Availability zone of the service, its volumes and its backends; some drivers put it into object names. A backup that \
               asks for a zone goes to a backend in it.",
    },
    OptionSpec {
        name: "backup_max_operations",
        kind: Kind::Integer(0, 100_000),
        scope: Scope::Service,
        default: Some("15"),
        text: "Backups and restores that run at once; the others wait, and projects take turns. 0: all run.",
    },
    OptionSpec {
        name: "volume_folders",
        kind: Kind::Paths,
        scope: Scope::Service,
        default: Some("[]"),
        text: "Folders for the raw files of volumes that are made over the API; each goes where the most room is. None: no volumes \
               can be made, only those registered in `[volumes.NAME]` are there.",
    },
    OptionSpec {
        name: "quota_backups",
        kind: Kind::Integer(-1, 2_147_483_647),
        scope: Scope::Service,
        default: Some("10"),
        text: "Backups that a project may have, unless it has a quota of its own; -1: any number. Binds what is made over Cinder's \
               API, not the command line on the service's own machine.",
    },
    OptionSpec {
        name: "quota_backup_gigabytes",
        kind: Kind::Integer(-1, 2_147_483_647),
        scope: Scope::Service,
        default: Some("1000"),
        text: "GiB of the volumes of all a project's backups, also of incremental ones; -1: any.",
    },
    OptionSpec {
        name: "quota_volumes",
        kind: Kind::Integer(-1, 2_147_483_647),
        scope: Scope::Service,
        default: Some("10"),
        text: "Volumes that a project may have; -1: any number.",
    },
    OptionSpec {
        name: "quota_gigabytes",
        kind: Kind::Integer(-1, 2_147_483_647),
        scope: Scope::Service,
        default: Some("1000"),
        text: "GiB of a project's volumes and snapshots; -1: any.",
    },
    OptionSpec {
        name: "quota_snapshots",
        kind: Kind::Integer(-1, 2_147_483_647),
        scope: Scope::Service,
        default: Some("10"),
        text: "Snapshots that a project may have; -1: any number.",
    },
    OptionSpec {
        name: "public_endpoint",
        kind: Kind::Text,
        scope: Scope::Service,
        default: None,
        text: "The URL that clients reach the API by, such as `https://backup.example`, for the links in its answers. Default: what \
               each client calls it.",
    },
    OptionSpec {
        name: "noauth_admins",
        kind: Kind::Texts,
        scope: Scope::Service,
        default: Some("[\"admin\"]"),
        text: "With `auth_strategy = \"noauth\"`: users who are administrators. Cinder makes everybody one.",
    },
    OptionSpec {
        name: "noauth_readers",
        kind: Kind::Texts,
        scope: Scope::Service,
        default: Some("[]"),
        text: "With `auth_strategy = \"noauth\"`: users who may only look.",
    },
    OptionSpec {
        name: "backup_service_inithost_offload",
        kind: Kind::Boolean,
        scope: Scope::Service,
        default: Some("true"),
        text: "Deletes that a killed process left unfinished are finished in the background after a start. `false`: the \
               service takes no requests until they are.",
    },
    OptionSpec {
        name: "transfer_memory",
        kind: Kind::Size(32 << 20, 1 << 40),
        scope: Scope::Service,
        default: Some("\"256MiB\""),
        text: "Memory that all backups, restores and verifications use together, besides 2 MiB for each GiB of a volume; with \
               less they do less side by side.",
    },
    OptionSpec {
        name: "transfer_parallelism",
        kind: Kind::Integer(0, 1024),
        scope: Scope::Service,
        default: Some("0"),
        text: "Processors that one backup, restore or verification uses; 0: all.",
    },
    OptionSpec {
        name: "backup_verify_within",
        kind: Kind::Duration(0, 3650 * DAY),
        scope: Scope::Service,
        default: Some("\"0s\""),
        text: "Every available backup is read and checked again within this span (`\"30d\"`), one at a time, the one that \
               was looked at longest ago first; 0: only when somebody asks.",
    },
    OptionSpec {
        name: "event_history",
        kind: Kind::Integer(1, 1_000_000),
        scope: Scope::Service,
        default: Some("1000"),
        text: "So many events of each backend are kept for `cofferdam service events`.",
    },
    OptionSpec {
        name: "event_webhook",
        kind: Kind::Text,
        scope: Scope::Service,
        default: None,
        text: "`http` or `https` URL that every event but heartbeats is posted to, as CloudEvents 1.0 JSON. A dead \
               receiver delays nothing; what it misses is counted and logged.",
    },
    OptionSpec {
        name: "event_webhook_timeout",
        kind: Kind::Duration(100, MINUTE),
        scope: Scope::Service,
        default: Some("\"5s\""),
        text: "Wall-clock time of one try to deliver an event; there are five tries.",
    },
    OptionSpec {
        name: "event_webhook_token_file",
        kind: Kind::Path,
        scope: Scope::Service,
        default: None,
        text: "File whose first line is sent to the webhook as bearer token. Read anew for every event.",
    },
    OptionSpec {
        name: "backup_driver",
        kind: Kind::Text,
        scope: Scope::Backend,
        default: None,
        text: "The backend's driver: a name looked for in `driver_path` (`\"posix\"`; the class path that Cinder uses for \
               it works too), or the path of a `.wasm` file. Required.",
    },
    OptionSpec {
        name: "driver_sha256",
        kind: Kind::Text,
        scope: Scope::Backend,
        default: None,
        text: "The SHA-256 that the driver's component must have, in hex; another is refused. `cofferdam driver add` tells it.",
    },
    OptionSpec {
        name: "backup_initialization_timeout",
        kind: Kind::Duration(10, DAY),
        scope: Scope::Both,
        default: Some("\"30s\""),
        text: "Wall-clock time for instantiation, `do-setup` and `check-for-setup-error` together. When it is over the \
               backend is down, at once. Compiling a new driver is bounded by `driver_compile_timeout` instead.",
    },
    OptionSpec {
        name: "backup_initialization_fuel",
        kind: Kind::Integer(1, i64::MAX),
        scope: Scope::Both,
        default: Some("10000000000"),
        text: "CPU budget of the same, in units of WebAssembly fuel; the default is one to two seconds of computing. \
               Waiting for storage does not count.",
    },
    OptionSpec {
        name: "backup_periodic_initialization",
        kind: Kind::Boolean,
        scope: Scope::Both,
        default: Some("true"),
        text: "Whether a backend whose initialisation failed, or that went down, is initialised again by itself, for ever. \
               `false`: it stays down until `cofferdam service reinitialize NAME`, which always works.",
    },
    OptionSpec {
        name: "periodic_interval",
        kind: Kind::Duration(100, DAY),
        scope: Scope::Both,
        default: Some("\"60s\""),
        text: "A backend that is up is probed so often; one that is down is initialised again at least so often (at \
               first sooner: 1 s, 2 s, 4 s, …).",
    },
    OptionSpec {
        name: "periodic_fuzzy_delay",
        kind: Kind::Duration(0, DAY),
        scope: Scope::Both,
        default: Some("\"60s\""),
        text: "The first probe comes after a random part of this, so that many services do not probe in step. 0: off.",
    },
    OptionSpec {
        name: "backup_probe_timeout",
        kind: Kind::Duration(10, DAY),
        scope: Scope::Both,
        default: Some("\"10s\""),
        text: "Wall-clock time for one probe.",
    },
    OptionSpec {
        name: "failure_threshold",
        kind: Kind::Integer(1, 1000),
        scope: Scope::Both,
        default: Some("3"),
        text: "So many failed probes in a row make a backend down; fewer make it degraded.",
    },
    OptionSpec {
        name: "report_interval",
        kind: Kind::Duration(100, DAY),
        scope: Scope::Both,
        default: Some("\"10s\""),
        text: "A backend that works leaves a heartbeat so often.",
    },
    OptionSpec {
        name: "service_down_time",
        kind: Kind::Duration(100, DAY),
        scope: Scope::Both,
        default: Some("\"60s\""),
        text: "Without a heartbeat for so long any reader calls the backend down. Must be greater than `report_interval`.",
    },
    OptionSpec {
        name: "backup_compression_algorithm",
        kind: Kind::Choice(&["none", "off", "no", "zlib", "gzip", "bz2", "bzip2", "zstd"]),
        scope: Scope::Both,
        default: Some("\"zlib\""),
        text: "How objects are compressed. `gzip` means zlib and `bzip2` means bz2, as in Cinder. `zstd` is the fastest.",
    },
    OptionSpec {
        name: "driver_memory_limit",
        kind: Kind::Size(1 << 20, 4 << 30),
        scope: Scope::Both,
        default: Some("\"128MiB\""),
        text: "Memory of one driver instance, over all its memories and tables. JavaScript's engine lets its heap grow to 110 MiB before it collects; drivers in Rust and C need one or two.",
    },
    OptionSpec {
        name: "driver_component_size",
        kind: Kind::Size(1 << 10, 1 << 30),
        scope: Scope::Both,
        default: Some("\"64MiB\""),
        text: "Greatest component file that is loaded.",
    },
    OptionSpec {
        name: "driver_compile_timeout",
        kind: Kind::Duration(100, DAY),
        scope: Scope::Both,
        default: Some("\"2m\""),
        text: "Wall-clock time for compiling a driver that is not in the compile cache.",
    },
    OptionSpec {
        name: "driver_call_timeout",
        kind: Kind::Duration(100, DAY),
        scope: Scope::Both,
        default: Some("\"60s\""),
        text: "Wall-clock time for one short call of a driver: place, list, stat, delete, make a container.",
    },
    OptionSpec {
        name: "driver_stall_timeout",
        kind: Kind::Duration(100, DAY),
        scope: Scope::Both,
        default: Some("\"5m\""),
        text: "A put or get is stopped when fewer than `driver_stall_bytes` have moved for so long.",
    },
    OptionSpec {
        name: "driver_stall_bytes",
        kind: Kind::Size(1, 1 << 40),
        scope: Scope::Both,
        default: Some("\"1MiB\""),
        text: "Least that a put or get moves within `driver_stall_timeout`.",
    },
    OptionSpec {
        name: "driver_calls",
        kind: Kind::Integer(1, 10_000),
        scope: Scope::Both,
        default: Some("16"),
        text: "Calls of one backend's driver that all operations together make at once; more wait. Each has an instance of its \
               own.",
    },
    OptionSpec {
        name: "driver_retry_attempts",
        kind: Kind::Integer(1, 10_000),
        scope: Scope::Both,
        default: Some("10"),
        text: "So often a call of an operation is made in all when it fails with what may pass by itself; 1: never again. A get \
               goes on where it was; an object that could not be put is made again from the volume. A crash of the driver, and \
               an error that says no more than that it failed, are tried twice.",
    },
    OptionSpec {
        name: "driver_retry_time",
        kind: Kind::Duration(0, DAY),
        scope: Scope::Both,
        default: Some("\"5m\""),
        text: "No such try begins later than this after the first failure. When a call has spent it, others fail at once until one \
               succeeds.",
    },
    OptionSpec {
        name: "driver_retry_wait",
        kind: Kind::Duration(1, DAY),
        scope: Scope::Both,
        default: Some("\"1s\""),
        text: "Wait before the second try, drawn from half of it to all; doubled before each further one, up to 30 s, or as long \
               as the storage asks. Over all calls of a backend at most 20 come again at once, and then one each second.",
    },
    OptionSpec {
        name: "driver_http_connect_timeout",
        kind: Kind::Duration(1, DAY),
        scope: Scope::Both,
        default: Some("\"10s\""),
        text: "Most time for resolving, connecting and TLS together; a driver may take less.",
    },
    OptionSpec {
        name: "driver_http_first_byte_timeout",
        kind: Kind::Duration(1, DAY),
        scope: Scope::Both,
        default: Some("\"5m\""),
        text: "Most time from the end of an HTTP request to the first byte of its answer; a driver may take less.",
    },
    OptionSpec {
        name: "driver_http_idle_timeout",
        kind: Kind::Duration(1, DAY),
        scope: Scope::Both,
        default: Some("\"60s\""),
        text: "Most time between two pieces of an answer, or until one of a request is taken; a driver may take less.",
    },
    OptionSpec {
        name: "driver_http_requests",
        kind: Kind::Integer(1, 10_000),
        scope: Scope::Both,
        default: Some("16"),
        text: "HTTP requests of one driver instance that are under way at once; more are refused.",
    },
];
