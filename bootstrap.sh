#!/bin/sh
# Sets up .venv in this folder and installs aggregator into it.
#
#   sh bootstrap.sh              what running it needs
#   sh bootstrap.sh pages        and what `shares: text: null` needs (trafilatura)
#   sh bootstrap.sh fast         and what makes serving faster (uvloop, httptools)
#   sh bootstrap.sh cluster      and what several machines need (PostgreSQL, object storage)
#   sh bootstrap.sh test         all of that, and what the tests need
#   sh bootstrap.sh ... newest   the newest libraries that pyproject.toml allows, instead
#                                of the versions in constraints.txt
#   sh bootstrap.sh constraints  rewrites constraints.txt from the newest libraries
#
# Works with any Python from 3.11 on (PYTHON=python3.13 chooses one), also where the
# distribution refuses installations outside a virtual environment, or ships the venv
# module without pip.  Run again, it does nothing unless pyproject.toml or constraints.txt
# has changed, or something else is wanted; what was installed once stays.
set -eu
cd "$(dirname "$0")"

fail() {
    echo "bootstrap.sh: $1" >&2
    exit 1
}

extras=
libraries=constraints
job=install
for word in "$@"; do
    case "$word" in
        cluster | fast | pages | test) extras="$extras $word" ;;
        newest) libraries=newest ;;
        constraints) job=constraints ;;
        *) fail "usage: sh bootstrap.sh [pages] [fast] [cluster] [test] [newest], or sh bootstrap.sh constraints" ;;
    esac
done

# Makes a virtual environment in the folder $1, with a function `pip` that installs into it.
make_environment() {
    if ! "$1/bin/python" -c 'import sys' 2>/dev/null; then
        check='import sys
assert sys.version_info >= (3, 11)
if sys.version_info >= (3, 14): import compression.zstd'
        for python in ${PYTHON:-python3 python3.14 python3.13 python3.12 python3.11} none; do
            if "$python" -c "$check" 2>/dev/null; then
                break
            fi
        done
        [ "$python" != none ] ||
            fail "needs Python 3.11 or newer, from 3.14 on with its module compression.zstd"
        "$python" -c 'import venv' 2>/dev/null ||
            fail "$python has no venv module; install it, on Debian: apt install python3-venv"
        "$python" -m venv --clear --without-pip "$1"
    fi
    # pip: the environment's own, or one unpacked into it, or that of the Python it is made of.
    environment=$1
    base=$("$1/bin/python" -c 'import sys; print(sys._base_executable)')
    if "$1/bin/python" -c 'import pip' 2>/dev/null; then
        pip() { "$environment/bin/python" -m pip "$@"; }
    elif "$1/bin/python" -c 'import ensurepip' 2>/dev/null; then
        "$1/bin/python" -m ensurepip >/dev/null
        pip() { "$environment/bin/python" -m pip "$@"; }
    elif "$base" -c 'import pip' 2>/dev/null; then
        pip() { "$base" -m pip --python "$environment/bin/python" "$@"; }
    else
        fail "$base has neither pip nor ensurepip; on Debian: apt install python3-venv"
    fi
}

# Only errors are shown: pip's warnings are about other people's packages.
quiet='--quiet --quiet --disable-pip-version-check'

if [ "$job" = constraints ]; then
    [ $# -eq 1 ] || fail "usage: sh bootstrap.sh constraints"
    folder=$(mktemp -d)
    trap 'rm -rf "$folder"' EXIT
    make_environment "$folder/venv"
    pip install $quiet uv || fail "uv, which finds the versions, could not be installed"
    # What builds it, and the libraries that come as source, has its versions as well.
    printf '%s\n' hatchling editables setuptools wheel >"$folder/build.txt"
    "$folder/venv/bin/uv" pip compile --quiet --no-config --universal --python-version 3.11 \
        --no-header --no-annotate --extra test pyproject.toml "$folder/build.txt" \
        --output-file "$folder/versions.txt"
    {
        echo "# The libraries that the tests passed with.  bootstrap.sh installs these; it wrote"
        echo "# this list, too: sh bootstrap.sh constraints (see CONTRIBUTING.md)."
        cat "$folder/versions.txt"
    } >"$folder/constraints.txt"
    cp "$folder/constraints.txt" constraints.txt
    echo "constraints.txt is written; run the tests with it: sh tests/pythons.sh"
    exit 0
fi

# Programs that some tests run for real; where one is missing, those tests are skipped.
case "$extras" in *test*)
    missing=
    for program in chromium nginx caddy newsboat strace; do
        if ! command -v "$program" >/dev/null; then
            [ "$program" = nginx ] && program=nginx-light
            missing="$missing $program"
        fi
    done
    if [ -n "$missing" ] && [ "${CI:-}" = true ] && [ "$(id -u)" = 0 ]; then
        # A machine that is there for nothing else.
        (apt-get update && apt-get install -y --no-install-recommends $missing) >/dev/null 2>&1 ||
            true
    elif [ -n "$missing" ]; then
        echo "bootstrap.sh: some tests will be skipped; for all, on Debian: apt install$missing" >&2
    fi
    ;;
esac

# What is installed: where, from what, and with which extras.
stamp=.venv/installed
wanted="$PWD $libraries $(cat pyproject.toml constraints.txt | cksum)"
# Scripts in .venv name the folder that it was made in: a copy of it elsewhere is no good.
case "$(cat "$stamp" 2>/dev/null)" in
    '' | "$PWD "*) ;;
    *) rm -rf .venv ;;
esac
present=" $(sed -n 2p "$stamp" 2>/dev/null || true) "
missing=
for extra in $extras; do
    case "$present" in
        *" $extra "* | *" test "*) ;;
        *) missing="$missing $extra" ;;
    esac
done
if [ "$libraries" != newest ] && [ -z "$missing" ] &&
    [ "$(sed -n 1p "$stamp" 2>/dev/null)" = "$wanted" ] &&
    .venv/bin/aggregator --version >/dev/null 2>&1; then
    exit 0
fi
extras=$(echo $present $missing)
project=.
[ -z "$extras" ] || project=".[$(echo "$extras" | tr ' ' ,)]"

size='140 MB'
case "$extras" in *test*) size='690 MB' ;; *cluster*) size='180 MB' ;; *pages*) size='160 MB' ;; esac
echo "Installing into .venv: $size, a minute or so."
make_environment .venv
rm -f "$stamp"
if [ "$libraries" = newest ]; then
    set -- --upgrade --upgrade-strategy eager
else
    # Both names: for what is built on the way, newer versions of pip look at the second.
    export PIP_CONSTRAINT=constraints.txt PIP_BUILD_CONSTRAINT=constraints.txt
    set --
fi
pip install $quiet "$@" --editable "$project" ||
    fail "the libraries could not be installed; fix the cause above, and run it again"
# They only installed the rest, and take 27 MB.
case "$extras" in
    *test*) ;;
    *) pip uninstall --quiet --yes setuptools pip >/dev/null 2>&1 || true ;;
esac
printf '%s\n%s\n' "$wanted" "$extras" >"$stamp"
echo "Ready: .venv/bin/aggregator"
