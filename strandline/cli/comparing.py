"""Compares two exports, except for the fields that a server sets. docs/export.md lists what is compared."""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

from strandline.cli import folder as files
from strandline.cli.folder import Json, data_files, line_of, read_json, read_lines, verified
from strandline.cli.links import link_of, links
from strandline.cli.nightscout.comparing import document_differences
from strandline.cli.nightscout.documents import has_documents, is_derived
from strandline.cli.notes import comparable_notes
from strandline.cli.sendable import described, with_ids_replaced, without_service_fields

DIGEST_BITS = 256
DERIVED = "derived"
"""In place of the id of a data set: all data sets that are derived from documents."""


@dataclass(frozen=True, slots=True)
class _Sum:
    """The number of records and the sum of their digests, which does not depend on their order."""

    count: int = 0
    digests: int = 0

    def plus(self, digest: int) -> "_Sum":
        return _Sum(self.count + 1, (self.digests + digest) % (1 << DIGEST_BITS))


def differences(first: Path, second: Path) -> list[str]:
    """A sentence for each difference between two exports; empty if they are equal.

    Raises:
        CommandError: one of them is damaged or is not an export.
    """
    for folder in (first, second):
        verified(folder)
    sentences = [
        f"{name} differs"
        for name in files.COLLECTIONS
        if read_json(first / "metadata" / f"{name}.json") != read_json(second / "metadata" / f"{name}.json")
    ]
    for kind in files.CONTENTS:
        sentences += _count_differences(kind, _contents(first, kind), _contents(second, kind))
    sentences += _count_differences("note", comparable_notes(first), comparable_notes(second))
    sentences += _count_differences("data set", _data_sets(first), _data_sets(second))
    return sentences + [str(difference) for difference in document_differences(first, second)]


def _count_differences(kind: str, first: Counter[str], second: Counter[str]) -> list[str]:
    return [
        f"{kind} {text}: {first[text]} in the first, {second[text]} in the second"
        for text in sorted(first.keys() | second.keys())
        if first[text] != second[text]
    ]


def _contents(folder: Path, kind: str) -> Counter[str]:
    compared = ("mediaType", "size", "digestMD5", "startAtTime", "endAtTime")
    return Counter(
        line_of({name: content[name] for name in compared if name in content}).decode().strip()
        for content in read_lines(folder / f"{kind}.jsonl")
        if content.get("status", "available") == "available"
    )


def _data_sets(folder: Path) -> Counter[str]:
    """Each data set as one text: its description, its state, and the count and digest of its records by type."""
    blob_names = {blob["id"]: f"blob {blob.get('digestMD5')}" for blob in read_lines(folder / "blobs.jsonl")}
    data_sets = list(read_lines(folder / files.DATA_SETS))
    is_with_documents = has_documents(folder)
    derived = {data_set["uploadId"] for data_set in data_sets if is_with_documents and is_derived(data_set)}
    sums = _sums(folder, blob_names, derived)
    texts: Counter[str] = Counter()
    if by_type := sums.pop(DERIVED, {}):
        texts[f"derived from documents: {line_of(_shown(by_type)).decode().strip()}"] += 1
    for data_set in data_sets:
        if data_set["uploadId"] in derived:
            continue
        by_type = sums.get(data_set["uploadId"], {})
        if "deletedTime" in data_set and not by_type:
            continue
        compared = {
            "description": with_ids_replaced(described(data_set), blob_names),
            "state": data_set["_state"],
            "data": _shown(by_type),
        }
        texts[line_of(compared).decode().strip()] += 1
    return texts


def _shown(by_type: Mapping[str, _Sum]) -> dict[str, str]:
    return {name: f"{sum_.count} of {sum_.digests:064x}"[:40] for name, sum_ in by_type.items()}


def _sums(folder: Path, blob_names: Mapping[str, str], derived: Collection[str]) -> dict[str, dict[str, _Sum]]:
    """The sums of records by data set and type. Those of derived data sets are one, and without ids: a server that
    derives records from the same documents gives them ids of its own."""
    known = _linked_ids(folder)
    sums: dict[str, dict[str, _Sum]] = defaultdict(dict)
    for path in data_files(folder):
        for record in read_lines(path):
            is_of_documents = record.get("uploadId") in derived
            of_data_set = sums[DERIVED if is_of_documents else str(record.get("uploadId"))]
            comparable = _comparable(record, known, blob_names)
            if is_of_documents:
                comparable.pop("id", None)
            digest = hashlib.sha256(line_of(comparable)).digest()
            of_data_set[path.stem] = of_data_set.get(path.stem, _Sum()).plus(int.from_bytes(digest))
    return sums


def _linked_ids(folder: Path) -> frozenset[str]:
    """The ids that records of the export refer to and that are in the export."""
    referenced = {link.id for _, link in links(folder)}
    records = (record for name in ("bolus", "deviceEvent") for record in read_lines(folder / "data" / f"{name}.jsonl"))
    return frozenset(record["id"] for record in records if record.get("id") in referenced)


def _comparable(record: Json, known: frozenset[str], blob_names: Mapping[str, str]) -> Json:
    """A record without the fields that a server sets, and without the id of a record that is not in the export."""
    link = link_of(record)
    kept = {name: value for name, value in record.items() if link is None or link.id in known or name != link.member}
    comparable: Json = with_ids_replaced(without_service_fields(kept), blob_names)
    return comparable
