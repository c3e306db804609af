"""The session of a caller and what else the request reads, in one round trip to two tables."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager

from chalicelib.access.call import Session, SessionReader
from chalicelib.accounts.stores.keys import session_key
from chalicelib.engine.definitions import ACCOUNTS, DATA
from chalicelib.engine.engine import Engine
from chalicelib.engine.read_ahead import Fetch, reading_ahead
from chalicelib.engine.table import Key
from chalicelib.log.stores.keys import head_key, owner_key
from chalicelib.reading.read_ahead import HEAD, MANIFEST, OWNER, Ahead, SessionsAhead
from chalicelib.tiles.stores.keys import manifest_key

KEYS: Mapping[Ahead, Callable[[str], Key]] = {HEAD: head_key, OWNER: owner_key, MANIFEST: manifest_key}
"""The keys of the items, all of the data table."""


def sessions_ahead(engine: Engine, sessions: SessionReader) -> SessionsAhead:
    """The port `SessionsAhead` on an engine: one BatchGetItem for each session that is looked up."""

    @contextmanager
    def read(wanted: Sequence[tuple[Ahead, str]]) -> Iterator[SessionReader]:
        if not wanted:
            yield sessions
            return
        keys = [KEYS[item](item_id) for item, item_id in wanted]
        with reading_ahead(engine.tables) as fetch:
            yield _SessionsWith(keys, fetch, sessions)

    return read


class _SessionsWith:
    """Finds sessions, and fetches items of the data table with them."""

    def __init__(self, keys: Sequence[Key], fetch: Fetch, sessions: SessionReader) -> None:
        self._keys = keys
        self._fetch = fetch
        self._sessions = sessions

    def find(self, token_hash: str) -> Session | None:
        """See `SessionReader.find`: one BatchGetItem."""
        self._fetch([(ACCOUNTS, session_key(token_hash)), *((DATA, key) for key in self._keys)])
        return self._sessions.find(token_hash)
