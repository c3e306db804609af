"""The operations of the Nightscout API, and those on its credentials. Source: nightscout-api."""

from chalicelib.access.policy import ANYONE, OWNER_AND_VIEWERS, Policy
from chalicelib.api.operations.operation import ErrorFormat, Operation

USER_PATHS = ("/v1/users/{userId}/nightscout_credentials",)
CREDENTIAL_PATHS = ("/v1/users/{userId}/nightscout_credentials/{id}",)
LIMIT_BYTES = 16 * 1024


def v1_paths(path: str) -> tuple[str, ...]:
    """The paths of an operation of v1, which are also those of v2. Source: nightscout-api 3."""
    return f"/api/v1{path}", f"/api/v2{path}"


def _read(name: str, paths: tuple[str, ...], summary: str, policy: Policy) -> Operation:
    return Operation(
        f"nightscout.{name}",
        "GET",
        paths,
        policy,
        ErrorFormat.NIGHTSCOUT,
        summary=summary,
        limit_bytes=LIMIT_BYTES,
        has_resource=False,
    )


CREATE_CREDENTIAL = Operation(
    "nightscout_credentials.create",
    "POST",
    USER_PATHS,
    OWNER_AND_VIEWERS,
    success_status=201,
    summary="Make a credential with which a device speaks the Nightscout API",
    limit_bytes=LIMIT_BYTES,
)
LIST_CREDENTIALS = Operation(
    "nightscout_credentials.list",
    "GET",
    USER_PATHS,
    OWNER_AND_VIEWERS,
    summary="The Nightscout credentials of a user, newest first, without tokens",
)
REVOKE_CREDENTIAL = Operation(
    "nightscout_credentials.revoke",
    "DELETE",
    CREDENTIAL_PATHS,
    OWNER_AND_VIEWERS,
    success_status=204,
    summary="Revoke a Nightscout credential",
)
VERIFY_AUTH = _read("verify_auth", v1_paths("/verifyauth"), "The rights of the credential that was sent", ANYONE)
AUTHORIZE = _read(
    "authorize", ("/api/v2/authorization/request/{token}",), "A JWT for a token, valid for eight hours", ANYONE
)

NIGHTSCOUT_OPERATIONS: tuple[Operation, ...] = (
    CREATE_CREDENTIAL,
    LIST_CREDENTIALS,
    REVOKE_CREDENTIAL,
    VERIFY_AUTH,
    AUTHORIZE,
)
