"""Records that hold the id of another record, which was inside of them when they were sent.

A server splits a bolus off its wizard, and the status off its alarm or change of reservoir, and puts the id in its
place. Sent again, an id is refused; so what was split is put back (data model, embedded records).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from strandline_cli.folder import Json, read_lines

FILES = ("wizard", "deviceEvent")
"""The types whose records may hold such an id."""


@dataclass(frozen=True, slots=True)
class Link:
    """The member that holds the id, the type of the record it is of, and the id."""

    member: str
    type: str
    id: str


def link_of(record: Json) -> Link | None:
    """The link that a record has, if it has one."""
    if record["type"] == "wizard" and isinstance(record.get("bolus"), str):
        return Link("bolus", "bolus", record["bolus"])
    has_status = record["type"] == "deviceEvent" and record.get("subType") in ("alarm", "reservoirChange")
    if has_status and isinstance(record.get("status"), str):
        return Link("status", "deviceEvent", record["status"])
    return None


def links(folder: Path) -> Iterator[tuple[Json, Link]]:
    """All records of an export that have a link, and their links."""
    for type_name in FILES:
        for record in read_lines(folder / "data" / f"{type_name}.jsonl"):
            link = link_of(record)
            if link is not None:
                yield record, link
