#!/bin/sh
# Renews the lock files from the .in files: sh tools/lock.sh [--upgrade]
#
# Compiled with the oldest Python that is supported: its pins serve the newer ones too, not the other way round.
# Hashes of all platforms are taken; where packages come from is the business of the machine that installs them.
set -eu
cd "$(dirname "$0")/.."
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3.11}" -m venv "$folder/env"
"$folder/env/bin/pip" install --quiet --disable-pip-version-check pip-tools
for name in requirements requirements-dev requirements-home requirements-ministack requirements-checkov requirements-fuzz; do
    echo "compiling $name.txt ..."
    "$folder/env/bin/pip-compile" --quiet --generate-hashes --strip-extras --allow-unsafe --no-header \
        --no-emit-index-url --no-emit-find-links --no-emit-trusted-host --no-emit-options \
        "$@" --output-file "$name.txt" "$name.in"
done
