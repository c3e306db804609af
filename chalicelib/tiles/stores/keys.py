"""Keys of tiles, and of what belongs to them, in the data table. See docs/access-patterns.md."""

from chalicelib.engine.table import Key
from chalicelib.log.stores.keys import id_part, key
from chalicelib.tiles.tile import DRAFT_MARK

MANIFEST = "SNAPSHOT"
REPLACED = "REPLACED"
"""Names of bodies that may be stored in parts: a manifest, and what it replaced."""


def manifest_key(owner_id: str) -> Key:
    """The manifest of a user. It is beside their counters, so that one read returns both."""
    return key(f"USER#{id_part(owner_id)}", "TILES")


def lease_key(owner_id: str) -> Key:
    """The compaction lease of a user, with the last fencing token. Erasing does not remove it."""
    return key(f"USER#{id_part(owner_id)}", "COMPACTION")


def tiles_partition(owner_id: str, epoch: int) -> str:
    """The tiles of a user, of all versions, and the parts of bodies of a version that are too large for one item."""
    return f"TILE#{id_part(owner_id)}#{epoch}"


def version_prefix(version: int) -> str:
    """The prefix of the sort keys of everything that was written for a version."""
    return f"{version:012d}#"


def tile_sort_key(version: int, type_name: str, day: int, *, is_shadowed: bool) -> str:
    """The visible records of a tile, or the shadowed ones; a part of them has one field more."""
    return f"{version_prefix(version)}{id_part(type_name)}#{day}" + ("#H" if is_shadowed else "")


def sums_sort_key(version: int, type_name: str, day: int) -> str:
    """The hour sums of a tile."""
    return f"{tile_sort_key(version, type_name, day, is_shadowed=False)}#S"


def body_prefix(version: int, name: str) -> str:
    """The prefix of the sort keys of the parts of a body. The name of no type begins with its `=`."""
    return f"{version_prefix(version)}={name}#"


def draft_prefix(version: int) -> str:
    """The prefix of the sort keys of all drafts of tiles of a version."""
    return version_prefix(version) + id_part(DRAFT_MARK)


def part_sort_key(prefix: str, index: int) -> str:
    """A part of what is too large for one item."""
    return f"{prefix}{index:04d}"


def origin_index_partition(owner_id: str, epoch: int) -> str:
    """The segments of a user's origin index, by version."""
    return f"KEYS#{id_part(owner_id)}#{epoch}"


def newest_partition(owner_id: str, epoch: int) -> str:
    """The newest records of a user's tiles, by version."""
    return f"NEWEST#{id_part(owner_id)}#{epoch}"


def newest_key(owner_id: str, epoch: int, version: int) -> Key:
    """The newest records beside the manifest of a version."""
    return key(newest_partition(owner_id, epoch), version_prefix(version))


def sweep_requests_partition() -> str:
    """All sweep requests, by time."""
    return "SWEEP"


def sweep_request_key(request_id: str) -> Key:
    """A sweep request; its id begins with its time."""
    return key(sweep_requests_partition(), request_id)


def sweep_request_id(time_ms: int, owner_id: str, epoch: int, version: int, kind: str) -> str:
    """The id of a sweep request."""
    return f"{time_ms:013d}#{id_part(owner_id)}#{epoch}#{version_prefix(version)}{kind}"
