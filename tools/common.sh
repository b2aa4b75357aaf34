# shellcheck shell=bash disable=SC2034
# What every script here needs: where the project is, where its cache is, and one way to speak and to fail.
# Sourced, never run; changes nothing but its caller's environment; costs two processes.
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
cache=$(realpath -m "${COFFERDAM_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/cofferdam}")
export COFFERDAM_CACHE=$cache
export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$cache/target}
# mkfs.ext4 and fsck are in sbin, which is not in a plain user's PATH; a fresh rustup is not in an old shell's.
export PATH="$PATH:$HOME/.cargo/bin:$cache/bin:/usr/local/sbin:/usr/sbin:/sbin"

say() { printf '%s: %s\n' "${0##*/}" "$*" >&2; }

# The first argument is what went wrong; the others say what to do, one line each.
fail() {
    printf '%s: error: %s\n' "${0##*/}" "$1" >&2
    shift
    (($# == 0)) || printf '    %s\n' "$@" >&2
    exit 1
}
