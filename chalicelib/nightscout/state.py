"""The state of all that documents are made of, from the counters alone.

While it stays the same, a search has the same result, but for documents that leave the last days. So a client that
polls gets its answer without reading any document (ADR 31). Source: nightscout-api 10.
"""

import hashlib

from chalicelib import json_text
from chalicelib.access.call import Call
from chalicelib.log.data_set import OwnerState
from chalicelib.log.documents_owner import documents_owner_id
from chalicelib.nightscout.document import Collection
from chalicelib.nightscout.modification import newest_time_ms
from chalicelib.nightscout.ports import NightscoutPorts
from chalicelib.nightscout.rendering.entries import ENTRY_TYPES

FORMAT = 2
"""To be raised when the same documents and data are shown in another way than before."""
_DIGITS = 16


def state_of(documents: OwnerState, data: OwnerState) -> str:
    """The state of documents and data with these counters: 16 hexadecimal digits."""
    counters = [[owner.id, owner.epoch, owner.change_count] for owner in (documents, data)]
    return hashlib.sha256(json_text.encode([FORMAT, *counters])).hexdigest()[:_DIGITS]


def current_state(call: Call, user_id: str, ports: NightscoutPorts) -> str:
    """The state of a user's documents and data: two reads.

    Raises:
        UnauthorizedError: the credential may not read.
    """
    return state_of(*_owners(call, user_id, ports))


def newest_entry_ms(call: Call, user_id: str, ports: NightscoutPorts) -> int | None:
    """A time after which a user has no entry and no reading, the time of the newest one unless that was deleted; None
    without any: two reads.

    Raises:
        UnauthorizedError: the credential may not read.
    """
    documents, data = _owners(call, user_id, ports)
    of_documents = newest_time_ms(documents).get(Collection.ENTRIES)
    times_ms = [] if of_documents is None else [of_documents]
    of_clients = data.freshness.by_client().values()
    times_ms += [newest[name].time_ms for newest in of_clients for name in ENTRY_TYPES if name in newest]
    return max(times_ms, default=None)


def _owners(call: Call, user_id: str, ports: NightscoutPorts) -> tuple[OwnerState, OwnerState]:
    call.require(user_id)
    data_sets = ports.data.data_sets
    return data_sets.owner(documents_owner_id(user_id)), data_sets.owner(user_id)
