#!/bin/sh
# Sets up .venv in this folder and installs aggregator into it; "test" adds what the
# tests need.  Works with any Python from 3.11 on, also where the distribution refuses
# installations outside a virtual environment, or has left the venv module's pip out.
set -eu
cd "$(dirname "$0")"

for python in python3 python3.14 python3.13 python3.12 python3.11 none; do
    if [ "$python" = none ]; then
        echo "bootstrap.sh: needs Python 3.11 or newer" >&2
        exit 1
    fi
    if "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
        break
    fi
done

if [ ! -x .venv/bin/python ]; then
    if "$python" -c 'import ensurepip' 2>/dev/null; then
        "$python" -m venv .venv
    else
        "$python" -m venv --without-pip .venv
    fi
fi

if .venv/bin/python -c 'import pip' 2>/dev/null; then
    set -- ".venv/bin/python -m pip" "$@"
elif "$python" -c 'import pip' 2>/dev/null; then
    set -- "$python -m pip --python .venv/bin/python" "$@"
else
    echo "bootstrap.sh: there is no pip; install it, on Debian: apt install python3-venv" >&2
    exit 1
fi
pip=$1

if [ "${2:-}" = test ]; then
    $pip install --quiet --disable-pip-version-check --editable '.[test]'
else
    $pip install --quiet --disable-pip-version-check .
fi
