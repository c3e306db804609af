"""The files of the page for a person: scripts, style and icon, at addresses that change with their content.

The digest stands before the name, so that a module finds the others beside it, and browsers may keep each file for
good. A name is that below the folder `static`, such as `main.js` and `views/apps.js`.
"""

import hashlib
import posixpath
import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from chalicelib.api.messages import Reply
from chalicelib.errors import NotFoundError

MEDIA_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}
CACHED_S = 365 * 24 * 3600
_FOLDER = Path(__file__).parent / "static"
_IMPORT = re.compile(r'^(?:import|export)\b[^"]*?\bfrom "(\.{1,2}/[\w./]+)";', re.MULTILINE)
_DIGEST_LENGTH = 16


@cache
def assets() -> Mapping[str, bytes]:
    """The content of each file by its name."""
    files = sorted(file for file in _FOLDER.rglob("*") if file.suffix in MEDIA_TYPES)
    return {file.relative_to(_FOLDER).as_posix(): file.read_bytes() for file in files}


@cache
def digest() -> str:
    """The digest of all files with their names."""
    hashed = hashlib.sha256()
    for name, content in assets().items():
        hashed.update(f"{name} {len(content)}\n".encode() + content)
    return hashed.hexdigest()[:_DIGEST_LENGTH]


def asset_path(name: str) -> str:
    """The path of a file below the address of the stage."""
    return f"/assets/{digest()}/{name}"


@cache
def modules_of(name: str) -> tuple[str, ...]:
    """A module and all that it imports statically, each once, by name. Views are imported when they are shown."""
    found = {name}
    missing = [name]
    while missing:
        imported = imports_of(missing.pop()) - found
        found |= imported
        missing += imported
    return tuple(sorted(found))


def imports_of(name: str) -> set[str]:
    """The modules that a module imports statically, by name."""
    folder = posixpath.dirname(name)
    return {posixpath.normpath(posixpath.join(folder, path)) for path in _IMPORT.findall(assets()[name].decode())}


def asset(of_digest: str, name: str) -> Reply:
    """A file of the page.

    Raises:
        NotFoundError: there is none of this name, or the digest is that of another version.
    """
    content = assets().get(name)
    if content is None or of_digest != digest():
        raise NotFoundError
    headers = {
        "Content-Type": MEDIA_TYPES[Path(name).suffix],
        "Cache-Control": f"public, max-age={CACHED_S}, immutable",
        "X-Content-Type-Options": "nosniff",
    }
    return Reply(content, headers=headers)
