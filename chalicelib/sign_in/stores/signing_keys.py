"""The keys that sign a stage's ID tokens, in one secret: made at their first use, and replaced by `rotate`.

The secret holds `{"keys": [...]}`: JSON Web Keys, the current one first. Its first version, which the deployment
generates, holds none. Of two processes that make the first key at the same time one wins, and both use its key: a
version of a secret is replaced once.
"""

import time
from collections.abc import Callable
from typing import Any

import orjson

from chalicelib.engine.secrets import Secrets, SecretVersion, cached
from chalicelib.errors import UnavailableError
from chalicelib.sign_in.stores.signed_tokens import PrivateKey, new_private_key

MAX_KEYS = 3
"""The current key and those before it, which stay published while tokens that they signed are in use."""


def signing_keys(
    secrets: Secrets, name: str, clock_s: Callable[[], float] = time.monotonic
) -> Callable[[], list[PrivateKey]]:
    """A function that returns the keys in the secret of this name, the current one first. It reads them at most once
    in five minutes, and makes the first one if there is none.

    Raises (the function):
        UnavailableError, RuntimeError: as `Secrets.get` and `Secrets.replace`.
    """

    def keys() -> list[PrivateKey]:
        version = secrets.get(name)
        return _keys(version) or _with_new_key(secrets, name, version)

    return cached(keys, clock_s)


def rotate(secrets: Secrets, name: str) -> None:
    """Make a new key the current one, and keep the last ones published. Other processes follow within five minutes.

    Raises:
        UnavailableError, RuntimeError: as `signing_keys`.
    """
    _with_new_key(secrets, name, secrets.get(name))


def _keys(version: SecretVersion) -> list[PrivateKey]:
    try:
        stored: Any = orjson.loads(version.text)
    except orjson.JSONDecodeError:
        return []  # the text that the deployment generated
    return list(stored["keys"]) if isinstance(stored, dict) else []


def _with_new_key(secrets: Secrets, name: str, version: SecretVersion) -> list[PrivateKey]:
    """The keys after a new one was put before those of this version; another process's, if that was faster."""
    keys = [new_private_key(), *_keys(version)][:MAX_KEYS]
    secrets.replace(name, version.id, orjson.dumps({"keys": keys}).decode())
    current = _keys(secrets.get(name))
    if not current:
        raise UnavailableError
    return current
