"""Links between records: a record holds the id of another record, which was embedded in it when it was sent.

A server stores the bolus of a wizard, and the status of an alarm or a reservoir change, as a record of its own and puts
its id in its place. It refuses such an id in an upload, so an import embeds the record again (data model, embedded
records).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from strandline.cli.folder import Json, read_lines

FILES = ("wizard", "deviceEvent")
"""The types whose records may have a link."""


@dataclass(frozen=True, slots=True)
class Link:
    """The member that holds the id, the type of the record with this id, and the id."""

    member: str
    type: str
    id: str


def link_of(record: Json) -> Link | None:
    """The link of a record; None if it has none."""
    if record["type"] == "wizard" and isinstance(record.get("bolus"), str):
        return Link("bolus", "bolus", record["bolus"])
    has_status = record["type"] == "deviceEvent" and record.get("subType") in ("alarm", "reservoirChange")
    if has_status and isinstance(record.get("status"), str):
        return Link("status", "deviceEvent", record["status"])
    return None


def links(folder: Path) -> Iterator[tuple[Json, Link]]:
    """All records of an export that have a link, with their links."""
    for type_name in FILES:
        for record in read_lines(folder / "data" / f"{type_name}.jsonl"):
            link = link_of(record)
            if link is not None:
                yield record, link
