"""The owner of a user's documents, beside the user, and the data sets of what is derived from them: docs/adr/0022."""

from functools import lru_cache

from chalicelib.access.idempotency import derived_id

DERIVING_CLIENT = "org.nightscout"
"""The client of the data sets that hold documents, or what is derived from them."""
MAX_CLOSED = 16
"""The data sets that a user may close before documents are refused."""
_PREFIX = "nightscout:"
_KNOWN_OWNERS = 256


def documents_owner_id(user_id: str) -> str:
    """The owner of the documents that apps store for a user by the Nightscout API: no user has such an id."""
    return f"{_PREFIX}{user_id}"


def documents_data_set_id(owner_id: str, number: int) -> str:
    """The id of an owner's data set for documents or for what is derived from them; numbers count from 0, without
    holes."""
    return derived_id(DERIVING_CLIENT, owner_id, str(number))


@lru_cache(_KNOWN_OWNERS)
def derived_data_set_ids(user_id: str) -> frozenset[str]:
    """The ids of all data sets that may hold what is derived from a user's documents."""
    return frozenset(documents_data_set_id(user_id, number) for number in range(MAX_CLOSED))


def is_derived(user_id: str, data_set_id: str) -> bool:
    """Whether a data set of a user holds what is derived from documents."""
    return data_set_id in derived_data_set_ids(user_id)
