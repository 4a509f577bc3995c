#!/bin/sh
# Runs the tests under every Python from 3.11 on that this machine has: pyenv's, and those
# on the PATH.  Each has a copy of this folder and a fresh environment of its own.
#
#   sh tests/pythons.sh [newest] [options and files for pytest]
#
# With `newest` the libraries are the newest that pyproject.toml allows, not those of
# constraints.txt.  PYTHONS="python3.12 python3.13" names the Pythons instead.  Ends with a
# table, and with exit status 1 unless all passed.
set -eu
cd "$(dirname "$0")/.."

libraries=constraints
if [ "${1:-}" = newest ]; then
    libraries=newest
    shift
fi
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
trap 'exit 1' INT TERM

# The version of a Python that the project is for, or nothing.
version_of() {
    "$1" -c 'import sys, sysconfig
if (
    sys.version_info >= (3, 11)
    and sys.implementation.name == "cpython"
    and not sysconfig.get_config_var("Py_GIL_DISABLED")
):
    print(sys.version.split()[0])' 2>/dev/null || true
}

if [ -z "${PYTHONS:-}" ]; then
    PYTHONS="python3 $(echo "${PYENV_ROOT:-$HOME/.pyenv}"/versions/*/bin/python)"
    for minor in 11 12 13 14 15 16 17 18 19; do
        PYTHONS="$PYTHONS python3.$minor"
    done
fi

table="$folder/table"
: >"$table"
status=0
for python in $PYTHONS; do
    version=$(version_of "$python")
    if [ -z "$version" ] || [ -e "$folder/$version" ]; then
        continue
    fi
    mkdir "$folder/$version"
    git ls-files -z --cached --others --exclude-standard |
        tar --create --null --files-from - --ignore-failed-read 2>/dev/null |
        tar --extract --directory "$folder/$version"
    echo "== Python $version, $libraries"
    result=passed
    (
        cd "$folder/$version"
        words=test
        [ "$libraries" != newest ] || words='test newest'
        # An environment that is active, or pyenv's word on versions, is not meant here.
        unset VIRTUAL_ENV PYENV_VERSION
        PYTHON=$python sh bootstrap.sh $words && .venv/bin/pytest "$@"
    ) >"$folder/output" 2>&1 || result=failed
    [ "$result" = passed ] || status=1
    cat "$folder/output"
    printf '%-10s %-12s %-7s %s\n' \
        "$version" "$libraries" "$result" "$(tail -n 1 "$folder/output")" >>"$table"
    # Almost 500 MB each; the folder itself says that this version is done.
    rm -rf "${folder:?}/$version"
    mkdir "$folder/$version"
done

echo
printf '%-10s %-12s %-7s %s\n' Python libraries result "last line"
cat "$table"
[ -s "$table" ] || status=1
exit "$status"
