#!/bin/sh
# Sets up .venv in this folder and installs aggregator into it.
#
#   sh bootstrap.sh                what running it needs
#   sh bootstrap.sh fast           and what lets aggregator serve answer more requests a second
#   sh bootstrap.sh test           all that the tests need, too
#   sh bootstrap.sh [test] newest  the newest libraries that pyproject.toml allows, instead
#                                  of the versions in constraints.txt
#   sh bootstrap.sh constraints    writes constraints.txt anew, from the newest libraries
#
# Works with any Python from 3.11 on (PYTHON=python3.13 chooses one), also where the
# distribution refuses installations outside a virtual environment, or ships the venv
# module without pip.  Run again, it does nothing unless pyproject.toml or constraints.txt
# has changed, or other libraries are asked for.
set -eu
cd "$(dirname "$0")"

fail() {
    echo "bootstrap.sh: $1" >&2
    exit 1
}

project=.
libraries=constraints
job=install
for word in "$@"; do
    case "$word" in
        fast | test) project=".[$word]" ;;
        newest) libraries=newest ;;
        constraints) job=constraints ;;
        *) fail "usage: sh bootstrap.sh [fast | test] [newest], or sh bootstrap.sh constraints" ;;
    esac
done

# Makes a virtual environment in the folder $1, with a function `pip` that installs into it.
make_environment() {
    if ! "$1/bin/python" -c 'import sys' 2>/dev/null; then
        for python in ${PYTHON:-python3 python3.14 python3.13 python3.12 python3.11} none; do
            if "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
                break
            fi
        done
        [ "$python" != none ] || fail "needs Python 3.11 or newer, and found none"
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
if [ "$project" = '.[test]' ]; then
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
fi

# What is installed: the libraries, and for whom.  The tests' are more than a run's.
stamp=.venv/installed
# Its scripts name the folder that it was made in: a copy of it elsewhere is no good.
wanted="$PWD $libraries $(cat pyproject.toml constraints.txt | cksum)"
case "$(cat "$stamp" 2>/dev/null)" in
    '' | "$project $PWD "* | ". $PWD "* | ".[fast] $PWD "* | ".[test] $PWD "*) ;;
    *) rm -rf .venv ;;
esac
if [ "$libraries" != newest ] && .venv/bin/aggregator --version >/dev/null 2>&1; then
    for found in "$project" '.[test]'; do
        [ "$(cat "$stamp" 2>/dev/null)" != "$found $wanted" ] || exit 0
    done
fi

echo "Installing into .venv: some 60 libraries, 200 MB, a minute or so."
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
    fail "the libraries could not be installed; run it again once the cause above is mended"
echo "$project $wanted" >"$stamp"
echo "Ready: .venv/bin/aggregator"
