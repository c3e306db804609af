"""Anna's glucose, with tiles, and her summaries."""

from dataclasses import replace
from typing import Any

from chalicelib.access.call import Caller
from chalicelib.access.policy import READERS
from chalicelib.engine.definitions import DATA
from chalicelib.reading.etag import parse_known_etags
from chalicelib.summaries.ports import SummaryPorts
from chalicelib.summaries.profile_query import ProfileQuery
from chalicelib.summaries.read import SummaryReply, read_profile, read_summary
from chalicelib.summaries.summary import SummaryKey
from chalicelib.tiles.stores.keys import tiles_partition
from chalicelib.tiles.tile import TileKey
from tests.fakes.calls import call_by
from tests.fakes.compaction_scene import ANNA_ID, CompactionScene
from tests.fakes.data_scene import ANNA


class GlucoseScene(CompactionScene):
    """A scene that reads summaries and profiles."""

    @property
    def summary_ports(self) -> SummaryPorts:
        """The ports from which summaries are read."""
        return replace(self.fakes.services.summaries, tiles=self.tiles)

    def summary(self, summary_type: str, caller: Caller = ANNA, if_none_match: str = "") -> SummaryReply | None:
        """Anna's summary of a type."""
        return read_summary(
            call_by(caller, READERS, self.grants, self.now_ms),
            SummaryKey(ANNA_ID, summary_type),
            self.summary_ports,
            parse_known_etags(if_none_match),
        )

    def body(self, summary_type: str) -> dict[str, Any] | None:
        """The body of Anna's summary of a type."""
        found = self.summary(summary_type)
        return None if found is None else found.body

    def profile(self, query: ProfileQuery = ProfileQuery(), caller: Caller = ANNA) -> dict[str, Any] | None:  # noqa: B008  it is frozen
        """Anna's ambulatory glucose profile."""
        return read_profile(call_by(caller, READERS, self.grants, self.now_ms), ANNA_ID, query, self.summary_ports)

    def lose_hour_sums(self) -> None:
        """Remove all hour sums, as if an earlier version had written the tiles."""
        for item in self.fakes.items(DATA, partition="TILE#"):
            if item["sk"].endswith("#S"):
                self.fakes.engine.data.delete({"pk": item["pk"], "sk": item["sk"]})

    @property
    def stored_hour_sums(self) -> set[tuple[int, TileKey]]:
        """Version and key of the tiles of the current epoch that have hour sums."""
        items = self.fakes.items(DATA, partition=tiles_partition(ANNA_ID, self.manifest.epoch))
        parts = [item["sk"].split("#") for item in items if item["sk"].endswith("#S")]
        return {(int(version), TileKey(name, int(day))) for version, name, day, _ in parts}
