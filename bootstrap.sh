#!/bin/sh
# Sets up .venv in this folder and installs aggregator into it, "test" with all that the
# tests need.  Works with any Python from 3.11 on, also where the distribution refuses
# installations outside a virtual environment, or ships the venv module without pip.
# Run again, it does nothing unless pyproject.toml has changed.
set -eu
cd "$(dirname "$0")"

fail() {
    echo "bootstrap.sh: $1" >&2
    exit 1
}

case "$#${1:-}" in
    0) project=. ;;
    1test) project='.[test]' ;;
    *) fail "usage: sh bootstrap.sh [test]" ;;
esac

# Programs that some tests run for real; where one is missing, those tests are skipped.
if [ "${1:-}" = test ]; then
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

stamp=.venv/installed
version=$(cksum <pyproject.toml)
if [ "$(cat "$stamp${1:+-$1}" 2>/dev/null)" = "$version" ] &&
    .venv/bin/aggregator --version >/dev/null 2>&1; then
    exit 0
fi

if ! .venv/bin/python -c 'import sys' 2>/dev/null; then
    for python in python3 python3.14 python3.13 python3.12 python3.11 none; do
        if "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            break
        fi
    done
    [ "$python" != none ] || fail "needs Python 3.11 or newer, and found none"
    "$python" -c 'import venv' 2>/dev/null ||
        fail "$python has no venv module; install it, on Debian: apt install python3-venv"
    "$python" -m venv --clear --without-pip .venv
fi

# pip: the environment's own, or one unpacked into it, or that of the Python it is made of.
base=$(.venv/bin/python -c 'import sys; print(sys._base_executable)')
if .venv/bin/python -c 'import pip' 2>/dev/null; then
    pip() { .venv/bin/python -m pip "$@"; }
elif .venv/bin/python -c 'import ensurepip' 2>/dev/null; then
    .venv/bin/python -m ensurepip >/dev/null
    pip() { .venv/bin/python -m pip "$@"; }
elif "$base" -c 'import pip' 2>/dev/null; then
    pip() { "$base" -m pip --python .venv/bin/python "$@"; }
else
    fail "$base has neither pip nor ensurepip; on Debian: apt install python3-venv"
fi

rm -f "$stamp"*
pip install --quiet --disable-pip-version-check --editable "$project"
echo "$version" >"$stamp"
[ $# -eq 0 ] || echo "$version" >"$stamp-$1"
