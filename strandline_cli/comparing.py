"""Whether two exports hold the same, but for what a server makes of itself. What is compared: docs/export.md."""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from strandline_cli import folder as files
from strandline_cli.folder import Json, data_files, line_of, read_json, read_lines, verified
from strandline_cli.links import link_of, links
from strandline_cli.sendable import described, with_ids_replaced, without_service_fields

DIGEST_BITS = 256


@dataclass(frozen=True, slots=True)
class _Sum:
    """How many records there are and the sum of their digests, which does not depend on their order."""

    count: int = 0
    digests: int = 0

    def plus(self, digest: int) -> "_Sum":
        return _Sum(self.count + 1, (self.digests + digest) % (1 << DIGEST_BITS))


def differences(one: Path, other: Path) -> list[str]:
    """A sentence for each difference, none when the exports are equal.

    Raises:
        CommandError: one of them is damaged, or no export.
    """
    for folder in (one, other):
        verified(folder)
    found = [
        f"{name} is not the same"
        for name in files.COLLECTIONS
        if read_json(one / "metadata" / f"{name}.json") != read_json(other / "metadata" / f"{name}.json")
    ]
    for kind in files.CONTENTS:
        found += _count_differences(kind, _contents(one, kind), _contents(other, kind))
    return found + _count_differences("data set", _data_sets(one), _data_sets(other))


def _count_differences(what: str, ours: Counter[str], theirs: Counter[str]) -> list[str]:
    """What is there more often in one of two."""
    return [
        f"{what} {text}: {ours[text]} in the first, {theirs[text]} in the second"
        for text in sorted(ours.keys() | theirs.keys())
        if ours[text] != theirs[text]
    ]


def _contents(folder: Path, kind: str) -> Counter[str]:
    shown = ("mediaType", "size", "digestMD5", "startAtTime", "endAtTime")
    return Counter(
        line_of({name: one[name] for name in shown if name in one}).decode().strip()
        for one in read_lines(folder / f"{kind}.jsonl")
        if one.get("status", "available") == "available"
    )


def _data_sets(folder: Path) -> Counter[str]:
    """Each data set as one text: what was said of it, its state, and the number and digest of its records by type."""
    blob_names = {one["id"]: f"blob {one.get('digestMD5')}" for one in read_lines(folder / "blobs.jsonl")}
    sums = _sums(folder, blob_names)
    found: Counter[str] = Counter()
    for data_set in read_lines(folder / files.DATA_SETS):
        by_type = sums.get(data_set["uploadId"], {})
        if "deletedTime" in data_set and not by_type:
            continue
        shown = {
            "description": with_ids_replaced(described(data_set), blob_names),
            "state": data_set["_state"],
            "data": {name: f"{sum_.count} of {sum_.digests:064x}"[:40] for name, sum_ in by_type.items()},
        }
        found[line_of(shown).decode().strip()] += 1
    return found


def _sums(folder: Path, blob_names: Mapping[str, str]) -> dict[str, dict[str, _Sum]]:
    """By data set and type."""
    known = _linked_ids(folder)
    sums: dict[str, dict[str, _Sum]] = defaultdict(dict)
    for path in data_files(folder):
        for record in read_lines(path):
            of_data_set = sums[str(record.get("uploadId"))]
            digest = hashlib.sha256(line_of(_comparable(record, known, blob_names))).digest()
            of_data_set[path.stem] = of_data_set.get(path.stem, _Sum()).plus(int.from_bytes(digest))
    return sums


def _linked_ids(folder: Path) -> frozenset[str]:
    """The ids that records of the export hold and that are in it."""
    held = {link.id for _, link in links(folder)}
    records = (record for name in ("bolus", "deviceEvent") for record in read_lines(folder / "data" / f"{name}.jsonl"))
    return frozenset(record["id"] for record in records if record.get("id") in held)


def _comparable(record: Json, known: frozenset[str], blob_names: Mapping[str, str]) -> Json:
    """A record without what a server makes of itself, and without the id of a record that is not there (any more)."""
    link = link_of(record)
    kept = {name: value for name, value in record.items() if link is None or link.id in known or name != link.member}
    comparable: Json = with_ids_replaced(without_service_fields(kept), blob_names)
    return comparable
