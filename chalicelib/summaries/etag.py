"""Entity tags of summaries. Beside the state of the data they hold a time: from then on a record that lay in the future
counts, or an old one counts no longer, although the data is the same. Source: RFC 9110, 8.8 and 13.1.2.
"""

import hashlib
import re

from chalicelib import json_text
from chalicelib.log.data_set import OwnerState
from chalicelib.reading.etag import NotModifiedError, etag_if_settled
from chalicelib.summaries.view import GlucoseView

FORMAT = 2
"""To be raised when the same data gets another summary than before."""
_WEAK = "W/"
_TAG = re.compile(r'"(?P<state>[0-9a-f]{32})-(?P<until_ms>[0-9a-f]{1,12})"', re.ASCII)


def require_changed(owner: OwnerState, summary_type: str, now_ms: int, known_etags: frozenset[str]) -> None:
    """Raise if the client has the current summary.

    Raises:
        NotModifiedError: it does.
    """
    state = _state(owner, summary_type)
    for known in known_etags:
        match = _TAG.fullmatch(known)
        if match is not None and match["state"] == state and now_ms < int(match["until_ms"], 16):
            raise NotModifiedError(_WEAK + known)


def etag_until(view: GlucoseView, summary_type: str, until_ms: int, now_ms: int) -> str | None:
    """The ETag of a summary that stays the same until this time, as long as the data does not change.

    None if it changes at once, or if data is being written that the view does not show yet.
    """
    if until_ms <= now_ms:
        return None
    etag = f'{_WEAK}"{_state(view.owner, summary_type)}-{until_ms:x}"'
    return etag_if_settled(etag, view.owner, view.data_sets, view.last_numbers)


def _state(owner: OwnerState, summary_type: str) -> str:
    """A digest of everything that a summary depends on but the time."""
    identity = json_text.encode([FORMAT, owner.id, owner.epoch, owner.change_count, summary_type])
    return hashlib.sha256(identity).hexdigest()[:32]
