"""Signature Version 4 of AWS, for requests of one form: a POST of JSON to one address.

botocore's signer takes any request, and its import costs as much as half of the application. A test compares the
signatures with those of botocore for many requests.

Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
"""

import hashlib
import hmac
from functools import lru_cache
from typing import NamedTuple

ALGORITHM = "AWS4-HMAC-SHA256"


class Credentials(NamedTuple):
    """The keys that sign requests. Only temporary credentials have a token."""

    access_key: str
    secret_key: str
    token: str | None = None


class SignedFor(NamedTuple):
    """The scope of signatures: an address, by its host with a port that is not the default one, a path, the service and
    its region."""

    host: str
    path: str
    service: str
    region: str


def signed_headers(
    headers: dict[str, str], body: bytes, target: SignedFor, credentials: Credentials, time: str
) -> dict[str, str]:
    """The headers of a signed request: those given, all of which are signed, and those that signing adds.

    Args:
        headers: by names in lower case, without spaces around values.
        time: as in `20260131T235959Z`.
    """
    signed = {**headers, "host": target.host, "x-amz-date": time}
    if credentials.token:
        signed["x-amz-security-token"] = credentials.token
    names = sorted(signed)
    lines = "".join(f"{name}:{signed[name]}\n" for name in names)
    names_text = ";".join(names)
    canonical = f"POST\n{target.path}\n\n{lines}\n{names_text}\n{hashlib.sha256(body).hexdigest()}"
    scope = f"{time[:8]}/{target.region}/{target.service}/aws4_request"
    to_sign = f"{ALGORITHM}\n{time}\n{scope}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
    key = _signing_key(credentials.secret_key, time[:8], target.region, target.service)
    signature = hmac.digest(key, to_sign.encode(), "sha256").hex()
    signed["authorization"] = (
        f"{ALGORITHM} Credential={credentials.access_key}/{scope}, SignedHeaders={names_text}, Signature={signature}"
    )
    return signed


@lru_cache(maxsize=4)
def _signing_key(secret_key: str, day: str, region: str, service: str) -> bytes:
    """The key of a day. Remembered, because it is most of the work."""
    key = f"AWS4{secret_key}".encode()
    for part in (day, region, service, "aws4_request"):
        key = hmac.digest(key, part.encode(), "sha256")
    return key
