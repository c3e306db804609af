"""Anna's glucose, with tiles, and her summaries."""

from dataclasses import replace
from typing import Any

from chalicelib.access.call import Caller
from chalicelib.access.policy import READERS
from chalicelib.reading.etag import parse_known_etags
from chalicelib.summaries.ports import SummaryPorts
from chalicelib.summaries.profile_query import ProfileQuery
from chalicelib.summaries.read import SummaryReply, read_profile, read_summary
from chalicelib.summaries.summary import SummaryKey
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
