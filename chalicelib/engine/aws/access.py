"""The address of a service and the credentials for it, as the environment describes them.

A function of Lambda has all of it in its environment. So botocore is not imported before something needs it, which
makes a cold start a third shorter (see `clients.access_to`).
"""

import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from chalicelib.engine.aws.signatures import Credentials

KEYS = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
TOKENS = ("AWS_SECURITY_TOKEN", "AWS_SESSION_TOKEN")
FOR_BOTOCORE = ("AWS_CREDENTIAL_EXPIRATION", "AWS_USE_FIPS_ENDPOINT", "AWS_USE_DUALSTACK_ENDPOINT", "AWS_DATA_PATH")
"""Variables whose meaning is left to botocore."""
FILES = {"AWS_CONFIG_FILE": "~/.aws/config", "AWS_SHARED_CREDENTIALS_FILE": "~/.aws/credentials"}
"""The files that botocore reads settings from, by the variables that name others."""

ReplyInstead = Callable[[str, Mapping[str, str], bytes], Any]
"""Called with operation, headers and body before a request is sent; its result is the reply unless it is None."""


class Access(NamedTuple):
    """The access of a process to a service. `url` has a path, which is `/` as a rule."""

    url: str
    signing_region: str
    credentials: Callable[[], Credentials]
    """Those of now; they may have been renewed."""
    reply_instead: ReplyInstead | None = None
    ca_bundle: str | None = None
    """A file of certificates; None stands for those of botocore."""


def access_by_environment(service: str, region: str, environ: Mapping[str, str]) -> Access | None:
    """The access that the environment describes; None if that takes botocore."""
    access_key, secret_key = (environ.get(name) for name in KEYS)
    has_files = any(Path(environ.get(name, path)).expanduser().exists() for name, path in FILES.items())
    if not access_key or not secret_key or has_files or any(environ.get(name) for name in FOR_BOTOCORE):
        return None
    url = _configured(service, environ) or _of_region(service, region)
    if url is None:
        return None
    token = next((environ[name] for name in TOKENS if environ.get(name)), None)
    credentials = Credentials(access_key, secret_key, token)
    ca_bundle = environ.get("AWS_CA_BUNDLE") or environ.get("REQUESTS_CA_BUNDLE")
    return Access(with_path(url), region, lambda: credentials, ca_bundle=ca_bundle)


def with_path(url: str) -> str:
    """An address without a path gets one."""
    return f"{url.rstrip('/')}/"


def _configured(service: str, environ: Mapping[str, str]) -> str | None:
    if environ.get("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "").lower() == "true":
        return None
    return environ.get(f"AWS_ENDPOINT_URL_{service.upper()}") or environ.get("AWS_ENDPOINT_URL")


def _of_region(service: str, region: str) -> str | None:
    """The address of a service in a region of one of botocore's partitions."""
    import botocore  # late: a home server has no SDK, but imports this

    data = json.loads((Path(botocore.__file__).parent / "data" / "partitions.json").read_bytes())
    for partition in data["partitions"]:
        if region in partition["regions"] or re.match(partition["regionRegex"], region):
            return f"https://{service}.{region}.{partition['outputs']['dnsSuffix']}"
    return None
