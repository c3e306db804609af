"""Descriptions of the Nightscout API, and of the operations on its credentials."""

from chalicelib.api.openapi.terms import (
    BOOLEAN,
    EMPTY,
    HEX_ID,
    TIME,
    Api,
    Body,
    Details,
    Reply,
    all_of,
    array,
    choice,
    integer,
    record,
    reference,
    text,
)
from chalicelib.api.operations.nightscout import (
    AUTHORIZE,
    CREATE_CREDENTIAL,
    LIST_CREDENTIALS,
    REVOKE_CREDENTIAL,
    VERIFY_AUTH,
)

NIGHTSCOUT_CREDENTIALS = ("apiSecret", "nightscoutToken", "nightscoutJwt")
"""The security schemes of the Nightscout API."""

_NAME = text("For people: whose device it is.", minLength=1, maxLength=64)
_SCOPE = choice("read", "upload", about="`upload` reads, too.")
_CREDENTIAL = {
    "id": HEX_ID,
    "name": _NAME,
    "scope": _SCOPE,
    "createdTime": TIME,
    "lastUsedTime": {**TIME, "description": "Exact to a day; absent if it was never used."},
}

NIGHTSCOUT_API = Api(
    "Nightscout",
    "For apps that know Nightscout. A device has a credential of its own, which names the user.",
    {
        CREATE_CREDENTIAL: Details(
            Reply(reference("IssuedNightscoutCredential"), "The credential, with its token this once."),
            body=Body(all_of({"name": _NAME, "scope": _SCOPE})),
            failures=(409,),
            credentials=("sessionToken", "bearer"),
            about="A grantee makes credentials of scope `read`, which end with the grant. A user has at most 50.",
        ),
        LIST_CREDENTIALS: Details(
            Reply(array(reference("NightscoutCredential")), "Credentials."),
            failures=(400,),
            credentials=("sessionToken", "bearer"),
            about="A grantee sees those that they made.",
        ),
        REVOKE_CREDENTIAL: Details(
            EMPTY, failures=(400, 404), credentials=("sessionToken", "bearer"), about="Its JWTs end, too."
        ),
        VERIFY_AUTH: Details(
            Reply(reference("NightscoutVerification"), "The rights."),
            credentials=(*NIGHTSCOUT_CREDENTIALS, ""),
            failures=(429,),
        ),
        AUTHORIZE: Details(
            Reply(reference("NightscoutAuthorization"), "A JWT."),
            failures=(401, 429),
            about="Another JWT in place of the token is renewed.",
        ),
    },
    {
        "NightscoutCredential": record(_CREDENTIAL, ("id", "name", "scope", "createdTime")),
        "IssuedNightscoutCredential": record(
            _CREDENTIAL | {"token": text("Letters, digits and a dash. It is stored nowhere.")},
            ("id", "name", "scope", "createdTime", "token"),
        ),
        "NightscoutVerification": all_of(
            {
                "status": integer(),
                "message": all_of(
                    {
                        "canRead": BOOLEAN,
                        "canWrite": BOOLEAN,
                        "isAdmin": BOOLEAN,
                        "message": choice("OK", "UNAUTHORIZED"),
                        "rolefound": choice("FOUND", "NOTFOUND"),
                        "permissions": choice("ROLE", "DEFAULT"),
                    }
                ),
            }
        ),
        "NightscoutAuthorization": all_of(
            {
                "token": text("A JWT."),
                "sub": text("The name of the credential."),
                "permissionGroups": array(array(text()), "What it is good for."),
                "iat": integer("Seconds since the epoch."),
                "exp": integer("Seconds since the epoch: eight hours later."),
            }
        ),
    },
)
