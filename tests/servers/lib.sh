# shellcheck shell=bash disable=SC2154
# What the scripts that start real servers share: Python environments from pinned packages, made once in the cache folder,
# and server processes that a later call of the same script can stop.
#
# Sourced after tools/common.sh, never run. A server has a session of its own, its log in DIR/log and its process id in
# DIR/run; a process is only ever signalled when its command line names DIR, so that a used-up id hits nobody else.
# Exit code 77 means: this machine cannot have the server; the last line says why.
here=$root/tests/servers

skip() {
    printf '%s: SKIPPED: %s\n' "${0##*/}" "$1" >&2
    exit 77
}

# Makes the environment of requirements-NAME.txt if it is missing; its folder is then in $venv. A changed list makes a new
# one. Half a minute the first time, 20 ms later.
make_venv() { # NAME
    local list=$here/requirements-$1.txt
    venv=$cache/servers/$1-$(cksum <"$list" | cut -d' ' -f1)
    mkdir -p "$cache/servers"
    [[ ! -e $venv/.made ]] || return 0
    (
        flock 9
        [[ ! -e $venv/.made ]] || exit 0
        say "installing $1 from PyPI (half a minute, once)"
        rm -rf "$venv"
        python3 -m venv "$venv" >&2 || skip "$1 cannot run here: python3 makes no venv (on Debian: apt-get install python3-venv)"
        "$venv/bin/pip" --quiet --disable-pip-version-check install --no-deps --requirement "$list" >&2 ||
            skip "$1 cannot run here: its packages cannot be had from PyPI"
        touch "$venv/.made"
    ) 9>"$cache/servers/$1.lock" || exit
}

is_taken() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

# A folder keeps the port of its first start, so that its URLs hold; a new one gets the first of PORT, PORT+10 .. PORT+90
# whose own and COUNT - 1 next ports are free. The result is in $port.
choose_port() { # DIR PORT COUNT
    local first last=$(($2 + 90)) offset
    for ((first = $2; first <= last; first += 10)); do
        if [[ -s $1/port ]]; then
            first=$(<"$1/port")
            last=$first
        fi
        for ((offset = 0; offset < $3; offset++)); do
            ! is_taken $((first + offset)) || continue 2
        done
        port=$first
        echo "$port" >"$1/port"
        return
    done
    fail "no free ports at $2 (and ten further, or where $1 had its own)" "give another PORT, or a new folder"
}

runs() { # DIR NAME
    local pid
    pid=$(cat "$1/run/$2" 2>/dev/null) && grep -qzF -- "$1/" "/proc/$pid/cmdline" 2>/dev/null
}

# The command must name DIR in its arguments.
launch() { # DIR NAME COMMAND...
    local dir=$1 name=$2
    shift 2
    ! runs "$dir" "$name" || return 0
    mkdir -p "$dir/run" "$dir/log"
    setsid "$@" >>"$dir/log/$name" 2>&1 </dev/null 8>&- &
    echo $! >"$dir/run/$name"
    # Until the command has taken this script's place, it would not be known for what it is.
    while ! runs "$dir" "$name" && kill -0 $! 2>/dev/null; do sleep 0.01; done
}

http_status() ( # PORT PATH
    exec 3<>"/dev/tcp/127.0.0.1/$1"
    printf 'GET %s HTTP/1.0\r\nHost: 127.0.0.1:%s\r\n\r\n' "$2" "$1" >&3
    read -r -t 10 _ status _ <&3
    echo "$status"
)

# Waits until the port answers with 200 for the path, 30 s at most, or fails with the end of the server's log.
await() { # DIR NAME PORT PATH
    local deadline=$((SECONDS + 30))
    while ((SECONDS < deadline)) && runs "$1" "$2"; do
        [[ $(http_status "$3" "$4" 2>/dev/null) != 200 ]] || return 0
        sleep 0.1
    done
    tail -n 5 "$1/log/$2" >&2
    halt "$1"
    fail "$2 did not start" "see $1/log/$2"
}

# Ends all servers of the folder, and whatever they started; with KILL at once, as a crash would.
halt() { # DIR [SIGNAL=TERM]
    local file pid tries
    for file in "$1"/run/*; do
        runs "$1" "${file##*/}" || continue
        kill -"${2:-TERM}" -- "-$(<"$file")" 2>/dev/null || true
    done
    for file in "$1"/run/*; do
        [[ -e $file ]] || continue
        pid=$(<"$file")
        for ((tries = 0; tries < 50; tries++)); do
            runs "$1" "${file##*/}" || break
            sleep 0.1
        done
        ! runs "$1" "${file##*/}" || kill -KILL -- "-$pid" 2>/dev/null || true
        rm -f "$file"
    done
}

# Says which servers of the folder run; fails when there are none or one is dead.
report() { # DIR
    local file all=0
    compgen -G "$1/run/*" >/dev/null || { echo "nothing runs in $1" && return 1; }
    for file in "$1"/run/*; do
        if runs "$1" "${file##*/}"; then echo "${file##*/} runs"; else echo "${file##*/} is dead" && all=1; fi
    done
    return "$all"
}
