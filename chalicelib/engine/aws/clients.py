"""Clients of AWS, made by botocore itself: boto3 would add resources and transfers of files, which nothing here uses.

All clients of a process come from one session, which reads the data of botocore (partitions, endpoints) once.
"""

import os
import sys
from functools import cache
from typing import TYPE_CHECKING, Any

from chalicelib.engine.aws.access import Access, access_by_environment
from chalicelib.engine.aws.errors import engine_errors

if TYPE_CHECKING:
    from botocore.session import Session


SESSION_MODULE = "botocore.session"


def new_client(service: str, region: str, *, max_attempts: int, **options: Any) -> Any:
    """A client of a service. The import of botocore and the first client are half of the time of a cold start.

    Args:
        max_attempts: how often a request is sent at most.
        options: further options of botocore's `Config`.

    Raises:
        UnavailableError: the source of credentials cannot be reached.
        RuntimeError: the client cannot be made, which is a defect here or of the deployment.
    """
    from botocore.config import Config  # late, see above

    config = Config(retries={"mode": "standard", "total_max_attempts": max_attempts}, **options)
    with engine_errors():
        return session().create_client(service, region_name=region, config=config)


@cache
def session() -> "Session":
    """The session that all clients come from, made when it is first asked for."""
    from botocore.session import get_session

    return get_session()


def access_to(service: str, region: str) -> Access:
    """The access to a service without a client: by the environment alone if that has all of it, and if this process has
    not imported the session of botocore anyway; otherwise by the session.

    Raises:
        BotoCoreError: there are no credentials, or no endpoint.
    """
    access = None if SESSION_MODULE in sys.modules else access_by_environment(service, region, os.environ)
    if access is not None:
        return access
    from chalicelib.engine.aws.session_access import access_by_session

    return access_by_session(session(), service, region)


def forget_session() -> None:
    """Let the next client be made from a new session: for tests, which change the environment that it reads."""
    session.cache_clear()


def sdk_version() -> str:
    """The version of botocore that this process has loaded, or would load."""
    from botocore import __version__

    return __version__
