#!/bin/sh
# Runs tools/environments.py with the first Python of tools/python-versions that really starts, so that make needs no
# environment to begin with.
#
#   sh tools/start.sh [--home | --cloud | --checkov | --fuzz | --e2e] [--run MODULE ARGUMENT...]
#   sh tools/start.sh --find VERSION     prints the Python of that version, and fails if none starts
#
# A name on the PATH proves nothing (a version switcher's shim may be there and fail), so each candidate is started.
# PYTHON=/path/to/python overrides the search.
set -u
cd "$(dirname "$0")/.." || exit 1
versions=$(grep -v '^#' tools/python-versions)
preferred=${versions%%[!0-9.]*}
listed=$(echo $versions | sed 's/ /, /g; s/\(.*\), /\1 or /')

starts() {
    "$1" -c 'import sys, ensurepip, venv; sys.exit("%d.%d" % sys.version_info[:2] != "'"$2"'")' >/dev/null 2>&1
}

# The environment that is there already, then the PATH, then where version switchers and installers put theirs.
find_python() {
    for candidate in \
        .venv/bin/python .venv-home/bin/python \
        "python$1" /usr/bin/"python$1" /usr/local/bin/"python$1" /opt/homebrew/bin/"python$1" \
        python3 /usr/bin/python3 python \
        "${PYENV_ROOT:-$HOME/.pyenv}"/versions/"$1"*/bin/python \
        "$HOME"/.local/share/uv/python/cpython-"$1"*/bin/python3 \
        /Library/Frameworks/Python.framework/Versions/"$1"/bin/python3; do
        starts "$candidate" "$1" && echo "$candidate" && return
    done
    return 1
}

if [ "${1:-}" = --find ]; then
    find_python "$2"
    exit
fi

if [ -n "${PYTHON:-}" ]; then
    for version in $versions; do
        starts "$PYTHON" "$version" && exec "$PYTHON" tools/environments.py "$@"
    done
    echo "error: PYTHON=$PYTHON is not a Python $listed that starts and can make environments (venv)." >&2
    exit 1
fi

for version in $versions; do
    python=$(find_python "$version") && exec "$python" tools/environments.py "$@"
done

echo "error: Strandline needs Python $listed with its venv module, and none starts here. Install one ($preferred is best)," \
    "or name it: make PYTHON=/path/to/python$preferred" >&2
exit 1
