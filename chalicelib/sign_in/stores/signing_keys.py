"""The stage's signing keys, in one secret of Secrets Manager: made when first needed, and replaced by `rotate`.

The secret holds `{"keys": [...]}`, JSON Web Keys with the current one first. Its first value, which the template
generates, holds none. Two that make keys at the same time agree on one: a new version of the secret gets an id that
follows from the id of the version before it, and Secrets Manager takes a version's content once.
"""

import time
import uuid
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import orjson

from chalicelib.config import Settings
from chalicelib.engine.errors import refusals
from chalicelib.engine.secrets_manager import MAX_AGE_S, client
from chalicelib.errors import UnavailableError
from chalicelib.sign_in.stores.id_tokens import PrivateKey, new_private_key

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient

KEYS_KEPT = 3
"""The current key and those before it, which stay published: tokens that they signed are still about."""


def signing_keys(settings: Settings, clock_s: Callable[[], float] = time.monotonic) -> Callable[[], list[PrivateKey]]:
    """A function that answers the keys, the current one first, asking for them once in five minutes.

    Raises (the function):
        UnavailableError: Secrets Manager throttles or does not answer.
        RuntimeError: there is no such secret, or it is not ours to read or write.
    """
    known: tuple[list[PrivateKey], float] | None = None

    def keys() -> list[PrivateKey]:
        nonlocal known
        if known is None or clock_s() - known[1] >= MAX_AGE_S:
            version_id, stored = _read(settings)
            known = stored or _put_before(settings, version_id, []), clock_s()
        return known[0]

    return keys


def rotate(settings: Settings) -> None:
    """Sign with a new key from now on (other processes within five minutes), and keep the last ones published.

    Raises:
        UnavailableError, RuntimeError: as `signing_keys`.
    """
    version_id, stored = _read(settings)
    _put_before(settings, version_id, stored)


def _read(settings: Settings) -> tuple[str, list[PrivateKey]]:
    """The id of the secret's version and the keys in it."""
    with refusals():
        value = client(settings.region).get_secret_value(SecretId=settings.oidc_keys_name)
    return value["VersionId"], _keys(value["SecretString"])


def _keys(text: str) -> list[PrivateKey]:
    try:
        stored: Any = orjson.loads(text)
    except orjson.JSONDecodeError:
        return []  # what the template generated
    return list(stored["keys"]) if isinstance(stored, dict) else []


def _put_before(settings: Settings, version_id: str, stored: list[PrivateKey]) -> list[PrivateKey]:
    """The keys after a new one was put before those stored; another's, when another was faster."""
    keys: list[PrivateKey] = [new_private_key(), *stored][:KEYS_KEPT]
    secrets: SecretsManagerClient = client(settings.region)
    with refusals(), suppress(secrets.exceptions.ResourceExistsException):
        secrets.put_secret_value(
            SecretId=settings.oidc_keys_name,
            SecretString=orjson.dumps({"keys": keys}).decode(),
            ClientRequestToken=str(uuid.uuid5(uuid.NAMESPACE_URL, version_id)),
        )
    _, winners = _read(settings)
    if not winners:
        raise UnavailableError
    return winners
