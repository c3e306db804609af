#!/bin/sh
# Runs tools/environments.py with the newest Python that really starts, so that make needs no environment to begin with.
#
#   sh tools/start.sh [--cloud | --checkov] [--run MODULE ARGUMENT...]
#
# A name on the PATH proves nothing (a version switcher's shim may be there and fail), so each candidate is started.
# PYTHON=/path/to/python overrides the search.
set -u
cd "$(dirname "$0")/.." || exit 1

starts() {
    "$1" -c 'import sys, ensurepip, venv; sys.exit("%d.%d" % sys.version_info[:2] != "'"$2"'")' >/dev/null 2>&1
}

run() {
    python=$1
    shift
    exec "$python" tools/environments.py "$@"
}

if [ -n "${PYTHON:-}" ]; then
    for version in 3.13 3.12 3.11; do
        starts "$PYTHON" "$version" && run "$PYTHON" "$@"
    done
    echo "error: PYTHON=$PYTHON is not a Python 3.13, 3.12 or 3.11 that starts and can make environments (venv)." >&2
    exit 1
fi

for version in 3.13 3.12 3.11; do
    # The environment that is there already, then the PATH, then where version switchers and installers put theirs.
    for candidate in \
        .venv/bin/python \
        "python$version" /usr/bin/"python$version" /usr/local/bin/"python$version" /opt/homebrew/bin/"python$version" \
        python3 /usr/bin/python3 python \
        "${PYENV_ROOT:-$HOME/.pyenv}"/versions/"$version"*/bin/python \
        "$HOME"/.local/share/uv/python/cpython-"$version"*/bin/python3 \
        /Library/Frameworks/Python.framework/Versions/"$version"/bin/python3; do
        starts "$candidate" "$version" && run "$candidate" "$@"
    done
done

echo "error: Strandline needs Python 3.13, 3.12 or 3.11 with its venv module, and none starts here. Install one (3.13 is best)," \
    "or name it: make PYTHON=/path/to/python3.13" >&2
exit 1
