"""The files of the page for a person: script, style and icon, at addresses that change with their content, so that
browsers may keep each file for good."""

import hashlib
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from chalicelib.api.messages import Reply
from chalicelib.api.pages.web.joined_modules import joined
from chalicelib.errors import NotFoundError

MEDIA_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}
CACHED_S = 365 * 24 * 3600
SCRIPT = "page.js"
"""The one script, which the modules are joined into."""
_FOLDER = Path(__file__).parent / "static"
_ENTRY = "main.js"
_DIGEST_LENGTH = 16


@cache
def assets() -> Mapping[str, bytes]:
    """The content of each file by its name."""
    found = sorted(file for file in _FOLDER.rglob("*") if file.suffix in MEDIA_TYPES)
    files = {file.relative_to(_FOLDER).as_posix(): file.read_text(encoding="utf-8") for file in found}
    modules = {name: source for name, source in files.items() if name.endswith(".js")}
    served = {name: content for name, content in files.items() if name not in modules}
    return {name: content.encode() for name, content in {**served, SCRIPT: joined(modules, _ENTRY)}.items()}


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
