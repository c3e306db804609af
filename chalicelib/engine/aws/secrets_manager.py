"""Secrets on Secrets Manager."""

import uuid
from contextlib import suppress
from functools import cache
from typing import TYPE_CHECKING

from chalicelib.engine.aws.clients import new_client
from chalicelib.engine.aws.deadline import within
from chalicelib.engine.aws.errors import engine_errors
from chalicelib.engine.secrets import SecretVersion

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient

CONNECT_TIMEOUT_S = 1
READ_TIMEOUT_S = 3
MAX_ATTEMPTS = 3


@cache
def client(region: str) -> "SecretsManagerClient":
    """The process's one client of the region, made when it is first asked for."""
    return _new_client(region, CONNECT_TIMEOUT_S, READ_TIMEOUT_S, MAX_ATTEMPTS)


@cache
def _impatient_client(region: str, limit_s: float) -> "SecretsManagerClient":
    return _new_client(region, limit_s, limit_s, max_attempts=1)


def _new_client(
    region: str, connect_timeout_s: float, read_timeout_s: float, max_attempts: int
) -> "SecretsManagerClient":
    made: SecretsManagerClient = new_client(
        "secretsmanager",
        region,
        max_attempts=max_attempts,
        connect_timeout=connect_timeout_s,
        read_timeout=read_timeout_s,
    )
    return made


def forget_clients() -> None:
    """Let the next call make a new client: for tests, which change what stands behind it."""
    client.cache_clear()
    _impatient_client.cache_clear()


class SecretsManager:
    """The port `Secrets` on Secrets Manager."""

    def __init__(self, region: str) -> None:
        self._region = region

    def get(self, name: str, *, limit_s: float | None = None) -> SecretVersion:
        """See `Secrets.get`. The time to make a client does not count: no limit gives it back."""
        if limit_s is None:
            return _get(client(self._region), name)
        impatient = _impatient_client(self._region, limit_s)
        return within(limit_s, lambda: _get(impatient, name))

    def replace(self, name: str, version_id: str, text: str) -> None:
        """See `Secrets.replace`. The id of a new version follows from the id of the version before it, and Secrets
        Manager takes the text of a version once."""
        secrets = client(self._region)
        with engine_errors(), suppress(secrets.exceptions.ResourceExistsException):
            secrets.put_secret_value(
                SecretId=name,
                SecretString=text,
                ClientRequestToken=str(uuid.uuid5(uuid.NAMESPACE_URL, version_id)),
            )


def _get(secrets: "SecretsManagerClient", name: str) -> SecretVersion:
    with engine_errors():
        value = secrets.get_secret_value(SecretId=name)
    return SecretVersion(value["SecretString"], value["VersionId"])
