"""The data domain on an engine in memory, with short words for what tests do to it. The clock moves a millisecond each
time."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from chalicelib.access.call import SERVICE, Caller
from chalicelib.access.policy import DATA_SET_DELETERS, DATA_SET_LISTERS, OWNER_AND_SERVERS, READERS, SERVERS, UPLOADERS
from chalicelib.data_sets import lifecycle as data_sets
from chalicelib.data_sets.list_query import parse_list_query
from chalicelib.engine.definitions import DATA
from chalicelib.log.ports import DataPorts
from chalicelib.reading import read as query
from chalicelib.reading.ports import ReadingPorts
from chalicelib.reading.query import parse_data_query
from chalicelib.uploads import add as uploads
from chalicelib.uploads.ports import UploadPorts
from tests.fakes.calls import call_by
from tests.fakes.services import FakeServices

ANNA = Caller(user_id="aaaaaaaaaa")
UPLOADER = Caller(user_id="cccccccccc")
VIEWER = Caller(user_id="bbbbbbbbbb")
CUSTODIAN = Caller(user_id="dddddddddd")
STRANGER = Caller(user_id="ffffffffff")

Item = dict[str, Any]


class DataScene:
    """Anna's data, empty, with the grants of those who may use it."""

    def __init__(self) -> None:
        self.fakes = FakeServices()
        self.data_sets = self.fakes.data_sets
        self.log = self.fakes.record_log
        self.tiles = self.fakes.tiles
        self.sources = self.fakes.data_sources
        self.grants = self.fakes.grants
        for caller, name in ((UPLOADER, "upload"), (VIEWER, "view"), (CUSTODIAN, "custodian")):
            self.fakes.grant(str(ANNA.user_id), str(caller.user_id), [name])

    @property
    def now_ms(self) -> int:
        """The time of the services."""
        return self.fakes.now_ms

    @now_ms.setter
    def now_ms(self, now_ms: int) -> None:
        self.fakes.now_ms = now_ms

    def new_id(self) -> str:
        """32 hexadecimal digits that count up."""
        return self.fakes.new_id()

    @property
    def data(self) -> DataPorts:
        """The ports of data sets and their logs."""
        return DataPorts(self.data_sets, self.log)

    @property
    def reading(self) -> ReadingPorts:
        """The ports from which Anna's data is read."""
        return replace(self.fakes.services.reading, data_sets=self.data_sets, log=self.log, tiles=self.tiles)

    @property
    def entry_numbers(self) -> list[int]:
        """The numbers of all entries in the logs, by data set."""
        return [int(item["sk"].rpartition("#")[2]) for item in self.fakes.items(DATA, partition="LOG#")]

    def tick(self) -> int:
        """The time, a millisecond later."""
        self.now_ms += 1
        return self.now_ms

    def create(self, body: Any = None, caller: Caller = ANNA, **members: Any) -> dict[str, Any]:
        """Open a data set of Anna's; members are those of the body."""
        return data_sets.create(
            call_by(caller, UPLOADERS, self.grants, self.tick(), self.new_id),
            str(ANNA.user_id),
            lambda: body if body is not None else members,
            self.data,
        )

    def open(self, deduplicator: str, data_set_type: str = "continuous", **members: Any) -> str:
        """The id of a new data set with this deduplicator."""
        created = self.create(
            dataSetType=data_set_type, deduplicator={"name": f"org.tidepool.deduplicator.{deduplicator}"}, **members
        )
        return str(created["uploadId"])

    def add(self, data_set_id: str, *items: Any, caller: Caller = ANNA) -> None:
        """Add data by one request."""
        self.add_body(data_set_id, list(items), caller)

    def add_body(self, data_set_id: str, body: Any, caller: Caller = ANNA) -> None:
        """Add data by a request with this body."""
        uploads.append_data(
            call_by(caller, UPLOADERS, self.grants, self.tick(), self.new_id),
            data_set_id,
            lambda: body,
            self.data,
        )

    def delete_data(self, data_set_id: str, *selectors: Any, caller: Caller = ANNA) -> None:
        """Delete data by selectors."""
        uploads.delete_data(
            call_by(caller, UPLOADERS, self.grants, self.tick(), self.new_id),
            data_set_id,
            lambda: list(selectors),
            UploadPorts(self.data, self.fakes.rejections),
        )

    def update(self, data_set_id: str, body: Any, caller: Caller = ANNA) -> dict[str, Any]:
        """PUT a data set."""
        return data_sets.update(
            call_by(caller, UPLOADERS, self.grants, self.tick()),
            data_set_id,
            lambda: body,
            self.data,
        )

    def close(self, data_set_id: str) -> dict[str, Any]:
        """Close a data set as Anna."""
        return self.update(data_set_id, {"dataState": "closed"})

    def delete(self, data_set_id: str, caller: Caller = ANNA) -> None:
        """Delete a data set."""
        data_sets.delete(
            call_by(caller, DATA_SET_DELETERS, self.grants, self.tick()),
            data_set_id,
            self.data,
        )

    def erase(self, caller: Caller = SERVICE) -> None:
        """Erase Anna's data."""
        data_sets.erase(call_by(caller, SERVERS, self.grants, self.tick()), str(ANNA.user_id), self.data)

    def get(self, data_set_id: str, caller: Caller = ANNA) -> dict[str, Any]:
        """A data set by its id."""
        return data_sets.get(call_by(caller, OWNER_AND_SERVERS, self.grants), data_set_id, self.data)

    def listed(self, caller: Caller = ANNA, **parameters: str) -> list[dict[str, Any]]:
        """Anna's data sets; `client_name` stands for `client.name`."""
        return data_sets.list_of_user(
            call_by(caller, DATA_SET_LISTERS, self.grants),
            str(ANNA.user_id),
            lambda: parse_list_query(_parameters(parameters), has_filters=True),
            self.data,
        )

    def read(self, caller: Caller = ANNA, **parameters: str) -> list[dict[str, Any]]:
        """Anna's data, upload records included; `dosingDecision_reason` stands for `dosingDecision.reason`."""
        found = query.read_data(
            call_by(caller, READERS, self.grants),
            str(ANNA.user_id),
            parse_data_query(_parameters(parameters)),
            self.reading,
        )
        records: list[dict[str, Any]] = json.loads(found.records.plain())
        return records

    def visible(self, member: str = "value", **parameters: str) -> list[Any]:
        """A member of each record that Anna can read, upload records left out."""
        return [record.get(member) for record in self.read(ANNA, **parameters) if record["type"] != "upload"]


def _parameters(parameters: Mapping[str, str]) -> dict[str, Sequence[str]]:
    return {name.replace("_", "."): (value,) for name, value in parameters.items()}


def cbg(value: float = 5, minute: int = 0, origin: str | None = None, **members: Any) -> Item:
    """A reading in mmol/L."""
    item = {"type": "cbg", "time": f"2026-01-01T00:{minute:02d}:00Z", "units": "mmol/L", "value": value}
    return item | ({} if origin is None else {"origin": {"id": origin}}) | members


def food(name: str, origin: str, time: str | None, **members: Any) -> Item:
    """A meal with the time at which its origin wrote it."""
    written = {"id": origin} | ({} if time is None else {"time": f"2026-01-01T{time}:00Z"})
    return {"type": "food", "name": name, "time": "2026-01-01T12:00:00Z", "origin": written} | members
