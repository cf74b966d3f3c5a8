# shellcheck shell=bash
# What the scripts share: installing what is missing, configuring, building, messages.
#
# Usage: source "$(dirname "$(readlink -f "$0")")/lib.sh" (an absolute path without links). Sets
#   root    the project's folder
#   builds  the folder of all builds, one sub-folder each: MTCHECK_BUILD_DIR, or build/
# Everything here is silent unless it has work to do; messages go to standard error. Whatever cannot
# be installed or built ends the script with status 3.

root=${BASH_SOURCE[0]%/*/*}
builds=${MTCHECK_BUILD_DIR:-$root/build}
[[ $builds == /* ]] || builds=$PWD/$builds

# What a build and the tests need: COMMAND=PACKAGE or /FILE=PACKAGE (a pattern is allowed).
# shellcheck disable=SC2034 # used by the scripts that source this
{
    build_needs=(cmake=cmake ninja=ninja-build gcc=gcc /usr/include/stdio.h=libc6-dev
        /usr/include/cmocka.h=libcmocka-dev /usr/include/xxhash.h=libxxhash-dev
        /usr/include/uthash.h=uthash-dev /usr/include/jansson.h=libjansson-dev
        /usr/include/elfutils/libdwfl.h=libdw-dev /usr/include/sqlite3.h=libsqlite3-dev
        /usr/include/openssl/hmac.h=libssl-dev /usr/include/microhttpd.h=libmicrohttpd-dev
        '/usr/include/*/curl/curl.h=libcurl4-openssl-dev')
    test_needs=(clang=clang jq=jq xmllint=libxml2-utils)
    # The official client of the Azure Table service, which mtable serve is tested with.
    client_needs=(node=nodejs npm=npm)
    # The sanitizers' libraries for clang, which its package only recommends.
    clang_sanitizer_needs=(
        '/usr/lib/llvm-*/lib/clang/*/lib/linux/libclang_rt.asan-*.a=libclang-rt-14-dev')
    gcc_release=(release -DCMAKE_C_COMPILER=gcc)
}

say() {
    printf '%s: %s\n' "${0##*/}" "$*" >&2
}

# die STATUS MESSAGE
die() {
    say "${*:2}"
    exit "$1"
}

# Prints the comment at the top of the running script: its --help.
show_help() {
    awk 'NR == 1 { next } !/^#/ { exit } { sub(/^# ?/, ""); print }' "$0"
}

# ---- Tables in pages ----------------------------------------------------------------------------

# check_place PAGE NAME: whether PAGE (its path in the project) has a place for the table NAME:
# between the lines <!-- NAME --> and <!-- /NAME -->. Dies with status 2 if not.
check_place() {
    local line page=$root/$1
    [[ -f $page ]] || die 2 "$page: expected a file, found none"
    for line in "<!-- $2 -->" "<!-- /$2 -->"; do
        grep -qxF -- "$line" "$page" || die 2 "$page: expected a line '$line', found none"
    done
}

# put_table PAGE NAME: standard input is the new table there.
put_table() {
    local before after page=$root/$1
    before=$(sed "/^<!-- $2 -->\$/q" "$page")
    after=$(sed -n "\\|^<!-- /$2 -->\$|,\$p" "$page")
    printf '%s\n' "$before" "$(cat)" "$after" >"$page"
}

# ---- Packages ------------------------------------------------------------------------------------

# Sets [missing] to the packages of those needs that are not met.
find_missing() {
    local need
    missing=()
    for need; do
        if [[ $need == /* ]]; then
            compgen -G "${need%=*}" >/dev/null || missing+=("${need##*=}")
        else
            command -v "${need%=*}" >/dev/null || missing+=("${need##*=}")
        fi
    done
}

# Installs Debian packages, as root or through sudo.
apt_install() {
    local as_root=() apt log reason
    command -v apt-get >/dev/null ||
        die 3 "cannot install $*: there is no apt-get here; install the like of these by hand"
    if ((EUID != 0)); then
        command -v sudo >/dev/null ||
            die 3 "cannot install $*: neither root nor sudo; run: apt-get install $*"
        as_root=(sudo)
    fi
    apt=("${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -q -o DPkg::Lock::Timeout=300)
    say "installing $* (once)"
    log=$(mktemp)
    # A source that fails to update matters only if then the installation fails.
    "${apt[@]}" update >"$log" 2>&1 </dev/null || true
    if ! "${apt[@]}" install -y --no-install-recommends "$@" >>"$log" 2>&1 </dev/null; then
        reason=$(grep -E '^(E:|sudo:)' "$log" | tail -1) || reason="see $log"
        [[ $reason == see* ]] || rm -f "$log"
        die 3 "cannot install $*: $reason"
    fi
    rm -f "$log"
}

# Meets the needs given.
install_missing() {
    find_missing "$@"
    ((${#missing[@]})) || return 0
    mkdir -p "$builds"
    (
        flock 9
        find_missing "$@" # another caller may have been first
        if ((${#missing[@]})); then
            apt_install "${missing[@]}" 9>&-
        fi
    ) 9>"$builds/install.lock"
}

# ---- Builds --------------------------------------------------------------------------------------

# Runs a command; its output is shown, on standard error, only if it fails.
quietly() {
    local output
    if ! output=$("$@" 2>&1 </dev/null 9>&-); then
        printf '%s\n' "$output" >&2
        die 3 "failed: $*"
    fi
}

# build NAME TARGET PRESET [CMAKE-OPTION]...
# Brings TARGET in the build folder NAME up to date. Ninja decides what there is to do and notices
# new files too. Callers at the same time wait for each other.
build() {
    local dir=$builds/$1 target=$2 wanted="$root ${*:3}" found=""
    [[ -d $builds ]] || mkdir -p "$builds"
    (
        flock 9
        [[ ! -f $dir/configured ]] || read -r found <"$dir/configured" || true
        if [[ $found != "$wanted" ]]; then
            say "configuring and building $dir"
            quietly cmake --fresh -S "$root" -B "$dir" --preset "${@:3}"
            printf '%s\n' "$wanted" >"$dir/configured"
        fi
        # Older than whatever is edited from now on: see is_current.
        : >"$dir/started"
        quietly ninja --quiet -C "$dir" "$target"
        mv "$dir/started" "$dir/built-$target"
    ) 9>"$dir.lock"
}

# Whether the program TARGET in the build folder NAME is newer than all sources. Folders count, so
# new and deleted files do. This takes 2 ms and no lock; asking ninja takes 15 ms.
# is_current NAME TARGET PRESET [CMAKE-OPTION]...
is_current() {
    local dir=$builds/$1 target=$2 wanted="$root ${*:3}" found="" newer
    [[ -x $dir/$target && -f $dir/built-$target && -f $dir/configured ]] || return 1
    read -r found <"$dir/configured" || return 1
    [[ $found == "$wanted" ]] || return 1
    newer=$(cd -- "$root" && find CMakeLists.txt CMakePresets.json core bugs model harness \
        -newer "$dir/built-$target" -print -quit 2>&1) || return 1
    [[ -z $newer ]]
}

# copy_sources FOLDER: what a build needs, into FOLDER/source, which becomes [root], and FOLDER
# [builds]: from here on [build] builds the copy. One script at a time, until it ends. The copies
# are new: what an earlier one left in the build folder must not pass for up to date.
copy_sources() {
    mkdir -p "$1"
    exec 8>"$1/lock"
    flock 8
    rm -rf "$1/source"
    mkdir "$1/source"
    cp -r "$root"/{CMakeLists.txt,CMakePresets.json,core,bugs,model,harness,tests,scripts} \
        "$1/source/"
    root=$1/source
    builds=$1
}

# ---- Servers of tables ---------------------------------------------------------------------------

# install_packages FOLDER: what the lock file in tests/FOLDER names, in the build folder.
install_packages() {
    local from=$root/tests/$1 to=$builds/npm/${1//\//-}
    mkdir -p "$to"
    (
        flock 9
        cmp -s "$from/package-lock.json" "$to/installed" && exit 0
        cp "$from"/package*.json "$to"
        npm ci --prefix "$to" --no-audit --no-fund >"$to/log" 2>&1 </dev/null || exit 1
        cp "$from/package-lock.json" "$to/installed"
    ) 9>"$to.lock"
}

# wait_until LOG COMMAND...: until it succeeds, for at most ten seconds; then shows the log.
wait_until() {
    local tries
    for ((tries = 0; tries < 200; tries++)); do
        "${@:2}" >/dev/null 2>&1 && return 0
        sleep 0.05
    done
    die 3 "the server does not answer: $(cat "$1")"
}

# start_azurite LOG [PORT]: its process to [server], its connection string to the environment. The
# key is that of its README, which everybody knows.
start_azurite() {
    local key=Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/
    node "$builds/npm/clients-azurite/node_modules/azurite/dist/src/table/main.js" \
        --inMemoryPersistence --skipApiVersionCheck --disableTelemetry --silent \
        --tableHost 127.0.0.1 --tablePort "${2:-21002}" >"$1" 2>&1 &
    # shellcheck disable=SC2034 # the caller's
    server=$!
    wait_until "$1" grep -q "successfully started" "$1"
    MTABLE_CONNECTION_STRING="AccountName=devstoreaccount1;AccountKey=${key}KBHBeksoGMGw==;"
    MTABLE_CONNECTION_STRING+="TableEndpoint=http://127.0.0.1:${2:-21002}/devstoreaccount1;"
    export MTABLE_CONNECTION_STRING
}
