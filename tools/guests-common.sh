# shellcheck shell=bash disable=SC2154
# What tools/guests-python and tools/guests-typescript have in common: a lock, a digest mark beside each component, and a
# project folder in the cache. Sourced after common.sh by a script that sets `language` and defines `compiler`, which finds
# or installs what compiles (or calls `skip`), and `build FOLDER OUT`.

# One line that nobody overlooks, and success: who has no compiler for a language can still work on the rest.
skip() {
    echo "SKIPPED the drivers in $language: $*"
    exit 0
}

begin() {
    drivers=$CARGO_TARGET_DIR/drivers
    mkdir -p "$drivers" "$cache"
    exec 9>"$drivers/.$language.lock"
    flock 9
    [[ -e $root/wit/deps/io.wit ]] || "$root/tools/wit-deps"
    has_compiler=
}

# The digest of files and of all files in folders, their names included.
digest() {
    find "$@" -type f ! -path '*/__pycache__/*' ! -path '*/node_modules/*' -print0 | sort -z | xargs -0 sha256sum |
        sed "s|$root/||" | sha256sum | cut -c1-16
}

# make_driver NAME [SOURCES]: compiles the template under that name; with a folder of sources, these in the place of its own.
make_driver() {
    local name=$1 sources=${2:-} out=$drivers/$1.wasm mark=$drivers/.$1.made-of folder=$cache/guests-$language/$1 now
    now=$(digest "$root/tools/guests-$language" "$root/tools/guests-common.sh" "$root/tools/new-from-template" "$root/wit/0.1.0/" \
        "$root/wit/deps/" "$root/guest-drivers/sdk/$language" "$root/guest-drivers/templates/$language" ${sources:+"$sources"})
    if [[ -e $out && -e $mark && $(<"$mark") == "$now" ]]; then return 0; fi
    if [[ -z $has_compiler ]]; then
        compiler
        has_compiler=yes
    fi
    say "building $name"
    rm -rf "$folder"
    "$root/tools/new-from-template" "$language" "$name" "$folder"
    if [[ -n $sources ]]; then
        # The template's own sources go, its project stays.
        rm -rf "$folder"/*.py "$folder/src" "$folder/test"
        cp -R "$sources/." "$folder"
    fi
    build "$folder" "$out.new"
    mv "$out.new" "$out"
    echo "$now" >"$mark"
    say "drivers/$name.wasm ($(du -k --apparent-size "$out" | cut -f1) KiB)"
}
