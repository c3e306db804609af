"""The files of the page for a person: scripts, style and icon, at addresses that change with their content.

The digest stands before the name, so that a module finds the others beside it, and browsers may keep each file for
good.
"""

import hashlib
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
_IMPORT = re.compile(r'^(?:import|export)\b[^"]*?\bfrom "\./([\w.]+)";', re.MULTILINE)
_DIGEST_LENGTH = 16


@cache
def assets() -> Mapping[str, bytes]:
    """The content of each file by its name."""
    return {file.name: file.read_bytes() for file in sorted(_FOLDER.iterdir()) if file.suffix in MEDIA_TYPES}


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
        imported = set(_IMPORT.findall(assets()[missing.pop()].decode())) - found
        found |= imported
        missing += imported
    return tuple(sorted(found))


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
