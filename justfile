# Every command that anyone needs. Run them through ./dev, which first makes sure that the machine can, and says
# where things are built (CARGO_TARGET_DIR, COFFERDAM_CACHE). All host code is built in the plain dev profile, so
# that wasmtime is compiled once for tests, demo and benches.

guests := "--manifest-path guest-drivers/Cargo.toml"
guest-target := '"$COFFERDAM_CACHE/guest-target"'

# List the commands
[private]
default:
    @"{{ just_executable() }}" --justfile "{{ justfile() }}" --list --unsorted

# Look again at everything this machine needs: system commands, Rust, just, the wasm target, WASI's WIT
setup:
    @tools/setup --force
    @rustc --version
    @"{{ just_executable() }}" --version
    @echo "ready; builds go to $CARGO_TARGET_DIR"

# Build the host's workspace and the guests
build: guests
    cargo build --workspace

# Build the guest drivers and put the components into $CARGO_TARGET_DIR/drivers
guests:
    @tools/guests

# Build what an author begins with in Rust, C, Python and TypeScript, and the WebDAV drivers; what cannot be had is skipped loudly
languages: build
    @tools/guests-rust
    @tools/guests-c
    @tools/guests-python
    @tools/guests-typescript

# Build everything and run every test; arguments choose among them (./dev test -p cofferdam-transfer zstd)
[positional-arguments]
test *args: languages
    @tools/test "$@"

# Get the clients of Cinder's API that the tests use (cinder, openstack, schemathesis), and say where they are
clients:
    @tools/clients

# Run every hostile guest, a line each: what came of it and after what time
zoo: build
    cargo test --quiet --workspace --test zoo -- --nocapture --test-threads 1

# Try every case of the conformance kit on drivers with one planted fault each: which case finds which (minutes)
mutants: build
    COFFERDAM_MUTANTS=all cargo test --quiet --workspace --test mutants -- --nocapture

# Check format, scripts, contract, dependencies and lints of both workspaces
lint:
    cargo fmt --all --check
    cargo fmt {{ guests }} --all --check
    rustfmt --edition 2024 --check guest-drivers/templates/rust/src/lib.rs
    @tools/lint-scripts
    @tools/wit-frozen
    @tools/book facts
    @tools/deny
    cargo clippy --locked --workspace --all-targets -- -D warnings
    cargo clippy --locked {{ guests }} --target-dir {{ guest-target }} --target wasm32-wasip2 --workspace --lib --bins --examples -- -D warnings

# Format both workspaces
fmt:
    cargo fmt --all
    cargo fmt {{ guests }} --all

# Back up and restore a real filesystem, beside a backend that hangs and one that is mended (under a minute)
demo: build
    @tools/demo

# Measure initialisation, supervision, put and get through the sandbox (`drivers`: over the network), and a full backup, beside native limits
[positional-arguments]
bench *args: languages
    @"$CARGO_TARGET_DIR/debug/cofferdam-bench" "$@"

# Let backends fail and recover without a pause, and print what the service holds minute by minute
soak minutes="30" seed="7": build
    @"$CARGO_TARGET_DIR/debug/cofferdam-bench" soak {{ minutes }} {{ seed }}

# Kill the service in the middle of its work, stop the storage under it, damage backups, let calls fail by chance, fill up the disk, try thousands of layouts: what is lost
torture kills="300" seed="7" damages="5000" stops="50" api-kills="100": build
    @"$CARGO_TARGET_DIR/debug/cofferdam-bench" torture {{ kills }} {{ seed }}
    @"$CARGO_TARGET_DIR/debug/cofferdam-bench" stops {{ stops }} {{ seed }}
    @COFFERDAM_API_KILLS={{ api-kills }} cargo test --quiet --workspace --test api_kills -- --nocapture
    @COFFERDAM_DAMAGES={{ damages }} cargo test --quiet --workspace --test transfer damage_to_any -- --nocapture
    @cargo test --quiet --workspace --test transfer chances:: -- --nocapture
    @cargo test --quiet --workspace --test full -- --nocapture

# Throw bytes that find new code at every parser of bytes from outside, so many minutes each, or at one of them
fuzz minutes="1" *target:
    @tools/fuzz {{ minutes }} {{ target }}

# Exchange backups with the real Cinder, both ways, and compare every byte: SIZE_MIB=24, then posix, swift, s3, or all
[positional-arguments]
interop *args: build
    @tests/interop/run "$@"

# Write docs/configuration.md from the option table
docs: build
    "$CARGO_TARGET_DIR/debug/cofferdam" config options --markdown > docs/configuration.md.new
    mv docs/configuration.md.new docs/configuration.md

# Build the book for driver authors and check its links, snippets and figures; `run` runs the commands of its tutorials (minutes)
[positional-arguments]
book *args:
    @tools/book "$@"

# Remove what was built here and for the guests; downloads and tools stay in the cache
clean:
    cargo clean
    cargo clean {{ guests }} --target-dir {{ guest-target }}
