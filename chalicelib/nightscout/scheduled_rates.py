"""The profile that was active when a temporary basal began, for those that are a percentage of it.

Source: nightscout-api 14.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import islice

from chalicelib.durations import DAY_MS
from chalicelib.nightscout.document import Collection, Document
from chalicelib.nightscout.document_view import DocumentView
from chalicelib.nightscout.mapping.percentages import SCHEDULED_RATE, is_percentage, scheduled_rate
from chalicelib.nightscout.mapping.timelines import Lasting
from chalicelib.nightscout.ports import NightscoutPorts

MAX_DAYS_OF_PROFILES = 8
"""The newest days with profiles that are looked through."""


def with_scheduled_rates(lasting: Iterable[Lasting], owner_id: str, ports: NightscoutPorts) -> Iterator[Lasting]:
    """The documents to derive, with the scheduled rate in those that are a percentage of it. Nothing is read without
    one.

    Args:
        owner_id: the owner of the documents.
    """
    view: DocumentView | None = None
    for treatment in lasting:
        document = treatment.document
        if is_percentage(document):
            view = DocumentView(ports.tiles.current(owner_id), ports) if view is None else view
            profile = _active_profile(view, document.time_ms)
            rate = None if profile is None else scheduled_rate(document, profile.body)
            document = replace(document, body=document.body | {SCHEDULED_RATE: rate})
        yield treatment._replace(document=document)


def _active_profile(view: DocumentView, time_ms: int) -> Document | None:
    """The profile that started last before a time."""
    days = view.days(Collection.PROFILE, None, time_ms // DAY_MS)
    for day in islice(days, MAX_DAYS_OF_PROFILES):
        for profile in view.on_days(Collection.PROFILE, [day]):
            if profile.time_ms <= time_ms:
                return profile
    return None
