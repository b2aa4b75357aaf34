# shellcheck shell=bash disable=SC2154
# What tools/guests-rust, -c, -python and -typescript have in common: a lock, a digest mark beside each component, and a project
# folder in the cache, which `cofferdam driver new` itself writes: what is tested is what an author gets. Sourced after common.sh by a
# script that sets `language` and defines `compiler`, which finds or installs what compiles (or calls `skip`), and `build FOLDER OUT`.

# One line that nobody overlooks, and success: who has no compiler for a language can still work on the rest.
skip() {
    echo "SKIPPED the drivers in $language: $*"
    exit 0
}

begin() {
    drivers=$CARGO_TARGET_DIR/drivers
    binary=${COFFERDAM:-$CARGO_TARGET_DIR/debug/cofferdam}
    [[ -x $binary ]] || fail "there is no $binary" "it writes the projects out: run ./dev build first"
    mkdir -p "$drivers" "$cache"
    exec 9>"$drivers/.$language.lock"
    flock 9
    has_compiler=
}

# The digest of files and of all files in folders, their names included.
digest() {
    find "$@" -type f ! -path '*/__pycache__/*' ! -path '*/node_modules/*' ! -path '*/build/*' -print0 | LC_ALL=C sort -z | xargs -0 sha256sum |
        sed "s|$root/||" | sha256sum | cut -c1-16
}

# NAME FOLDER: a new project of the language, in the place of what is there.
new_project() {
    local stage
    stage=$(mktemp -d "$cache/new.XXXXXX")
    "$binary" driver new "$1" --lang "$language" --into "$stage" >/dev/null
    rm -rf "$2"
    mv "$stage/$1" "$2"
    rmdir "$stage"
}

# make_driver NAME [SOURCES]: compiles the template under that name; with a folder of sources, these in the place of its own.
make_driver() {
    local name=$1 sources=${2:-} out=$drivers/$1.wasm mark=$drivers/.$1.made-of folder=$cache/guests-$language/$1 now
    now=$(digest "$root/tools/guests-$language" "$root/tools/guests-common.sh" "$root/runtime/author/src" "$root/wit/0.1.0/" "$root/wit/deps/" \
        "$root/guest-drivers/sdk/$language" "$root/guest-drivers/templates/$language" ${sources:+"$sources"})
    if [[ -e $out && -e $mark && $(<"$mark") == "$now" ]]; then return 0; fi
    if [[ -z $has_compiler ]]; then
        compiler
        has_compiler=yes
    fi
    say "building $name"
    mkdir -p "$cache/guests-$language"
    new_project "$name" "$folder"
    if [[ -n $sources ]]; then
        # The template's own sources go, its project stays.
        rm -rf "$folder"/*.py "$folder/src" "$folder/test" "$folder/tests"
        cp -R "$sources/." "$folder"
    fi
    build "$folder" "$out.new"
    mv "$out.new" "$out"
    echo "$now" >"$mark"
    say "drivers/$name.wasm ($(du -k --apparent-size "$out" | cut -f1) KiB)"
}
