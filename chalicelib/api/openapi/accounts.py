"""Descriptions of the routes of accounts, restricted tokens, grants and metadata.

Source: auth-api 1 to 5 and 7, access-api.
"""

from dataclasses import replace

from chalicelib.accounts.roles import ROLES
from chalicelib.api.openapi.terms import (
    BOOLEAN,
    DATE,
    EMAIL,
    EMPTY,
    FREE_FORM,
    HEX_ID,
    IDEMPOTENCY_KEY,
    PAGING,
    PASSWORD,
    PLAIN,
    TIME,
    USER_ID,
    Api,
    Body,
    Details,
    Parameter,
    Reply,
    Schema,
    all_of,
    array,
    choice,
    described,
    integer,
    record,
    reference,
    text,
)
from chalicelib.api.operations.accounts import (
    CHECK_TOKEN,
    CREATE_CLINIC_USER,
    CREATE_CUSTODIAL_USER,
    CREATE_USER,
    DELETE_SESSIONS,
    DELETE_USER,
    GET_ACCESS_STATUS,
    GET_AUTH_STATUS,
    GET_GRANT,
    GET_PRIVATE_PAIR,
    GET_TOKEN,
    GET_USER,
    LIST_GRANTS,
    LIST_GROUPS,
    LIST_USERS,
    LOGIN,
    LOGOUT,
    REFRESH,
    SERVER_LOGIN,
    SET_GRANT,
    UPDATE_USER,
)
from chalicelib.api.operations.logins import DELETE_LOGIN, LIST_LOGINS
from chalicelib.api.operations.metadata import (
    DELETE_COLLECTION,
    DELETE_PRIVATE_PAIR,
    GET_COLLECTION,
    GET_USER_PRIVATE_PAIR,
    LIST_ASSOCIATED_USERS,
    LIST_COLLECTIONS,
    POST_COLLECTION,
    PUT_COLLECTION,
)
from chalicelib.api.operations.restricted_tokens import (
    CREATE_RESTRICTED_TOKEN,
    DELETE_RESTRICTED_TOKEN,
    DELETE_RESTRICTED_TOKENS,
    GET_RESTRICTED_TOKEN,
    LIST_RESTRICTED_TOKENS,
    UPDATE_RESTRICTED_TOKEN,
)

_TOKEN_HEADER = {"X-Tidepool-Session-Token": "The token, to be sent with later requests."}
_FAILED_SIGN_INS = {
    "X-Strandline-Failed-Sign-Ins": "How many sign-ins failed elsewhere, with a wrong password, since the last one; "
    "absent for none."
}
_USER = Reply(reference("User"), "The user.")
_SIGNED_IN = Reply(reference("User"), "The user, and a token for them.", headers=_TOKEN_HEADER)
_SIGNED_IN_AGAIN = replace(_SIGNED_IN, headers=_TOKEN_HEADER | _FAILED_SIGN_INS)
_TOKEN_DATA = reference("TokenData")
_PAIR = Reply(reference("PrivatePair"), "An id and a hash.")
_SERVER_CREDENTIALS = (
    Parameter("X-Tidepool-Server-Name", text(minLength=1, maxLength=100), "What the server calls itself.", True),
    Parameter("X-Tidepool-Server-Secret", text(), "The secret of the stage.", True),
)
_ROLES = array(choice(*sorted(ROLES)))
_TERMS_ACCEPTED = text("With a numeric offset, not `Z`: `2017-02-06T10:37:46+00:00`.")
_USER_FIELDS = {
    "userid": USER_ID,
    "username": EMAIL,
    "emails": array(EMAIL, minItems=1, maxItems=1),
    "roles": _ROLES,
    "emailVerified": BOOLEAN,
    "termsAccepted": _TERMS_ACCEPTED,
    "passwordExists": {**BOOLEAN, "description": "Only to servers."},
}
_ALWAYS_THERE = ("userid", "roles", "emailVerified")
_DETAILS: dict[str, Schema] = {"username": EMAIL, "emails": array(EMAIL)}

ACCOUNT_API = Api(
    "Accounts and sessions",
    "Signing up and in with e-mail address and password, and what tokens stand for.",
    {
        LOGIN: Details(_SIGNED_IN_AGAIN, failures=(400, 401, 403, 429), credentials=("basic",)),
        REFRESH: Details(Reply(_TOKEN_DATA, "What the new token stands for.", headers=_TOKEN_HEADER)),
        LOGOUT: Details(Reply(about="Nothing, whatever was sent."), credentials=("", "sessionToken")),
        SERVER_LOGIN: Details(
            Reply(about="Nothing; the token is in the header.", headers=_TOKEN_HEADER),
            headers=_SERVER_CREDENTIALS,
            failures=(400, 401),
        ),
        GET_TOKEN: Details(Reply(_TOKEN_DATA, "What it stands for.")),
        CHECK_TOKEN: Details(Reply(_TOKEN_DATA, "What it stands for.")),
        DELETE_SESSIONS: Details(EMPTY),
        CREATE_USER: Details(
            _SIGNED_IN,
            body=Body(
                record(
                    {
                        **_DETAILS,
                        "password": PASSWORD,
                        "roles": _ROLES,
                        "termsAccepted": _TERMS_ACCEPTED,
                        "invitationCode": text("Where the stage asks for one."),
                    },
                    ("username", "emails", "password"),
                    is_open=True,
                )
            ),
            failures=(403, 409, 429),
        ),
        GET_USER: Details(_USER, failures=(404,)),
        UPDATE_USER: Details(
            _USER,
            body=Body(
                record(
                    {
                        "updates": record(
                            {
                                **_DETAILS,
                                "password": PASSWORD,
                                "roles": _ROLES,
                                "termsAccepted": _TERMS_ACCEPTED,
                                "emailVerified": BOOLEAN,
                            },
                            about="Roles and emailVerified are changed by servers only.",
                            is_open=True,
                        )
                    },
                    ("updates",),
                    is_open=True,
                )
            ),
            failures=(409, 429),
        ),
        DELETE_USER: Details(
            EMPTY,
            body=Body(
                record({"password": text()}, is_open=True),
                "Users confirm with their password; custodians and servers need not.",
                is_required=False,
            ),
            failures=(403, 429),
        ),
        CREATE_CUSTODIAL_USER: Details(
            _USER, headers=(IDEMPOTENCY_KEY,), body=Body(record(_DETAILS, is_open=True)), failures=(409, 429)
        ),
        CREATE_CLINIC_USER: Details(
            _USER, headers=(IDEMPOTENCY_KEY,), body=Body(record(_DETAILS, is_open=True)), failures=(409,)
        ),
        LIST_USERS: Details(
            Reply(array(reference("User")), "Users; ids that nobody has are left out."),
            query=(
                Parameter("id", text(), "Ids, separated by commas; either these or a role."),
                Parameter("role", choice(*sorted(ROLES))),
                Parameter("createdFrom", DATE, "With `role`: the first day."),
                Parameter("createdTo", DATE, "With `role`: the last day."),
            ),
            ignores_unknown_query=True,
        ),
        GET_PRIVATE_PAIR: Details(_PAIR),
        GET_AUTH_STATUS: Details(Reply(text(), "`OK`", PLAIN)),
    },
    {
        "User": record(_USER_FIELDS, _ALWAYS_THERE),
        "TokenData": all_of({"isserver": BOOLEAN, "userid": text(), "expires_at": integer("In seconds since 1970.")}),
        "PrivatePair": all_of(
            {"name": text(), "id": text(pattern="^[0-9a-f]{10}$"), "hash": text(pattern="^[0-9a-f]{24}$")}
        ),
    },
)

_RESTRICTIONS = Body(
    record(
        {
            "paths": array(text(pattern="^/.*$", maxLength=2048), minItems=1, maxItems=10),
            "expirationTime": {**TIME, "description": "At most 90 days from now; by default an hour."},
        }
    )
)
_ONE_RESTRICTED = Reply(reference("RestrictedToken"), "The token.")

LOGIN_API = Api(
    "Logins",
    "Where a user is signed in.",
    {
        LIST_LOGINS: Details(Reply(array(reference("Login")), "The logins, last used first.")),
        DELETE_LOGIN: Details(Reply(about="Nothing, also when there is no such login.")),
    },
    {
        "Login": record(
            {
                "id": text("What `sid` of its tokens says."),
                "client": text("Which app; known with OpenID Connect only."),
                "createdTime": TIME,
                "lastUsedTime": described(TIME, "Of the last refresh."),
                "kind": choice("password", "openid"),
                "isCurrent": {**BOOLEAN, "description": "Whether this request belongs to it."},
            },
            ("id", "createdTime", "lastUsedTime", "kind", "isCurrent"),
        )
    },
)

RESTRICTED_TOKEN_API = Api(
    "Restricted tokens",
    "Short-lived tokens for links, which stand for their user in the paths that they name.",
    {
        CREATE_RESTRICTED_TOKEN: Details(
            _ONE_RESTRICTED, headers=(IDEMPOTENCY_KEY,), body=_RESTRICTIONS, failures=(409,)
        ),
        LIST_RESTRICTED_TOKENS: Details(Reply(array(reference("RestrictedToken")), "A page of tokens."), query=PAGING),
        DELETE_RESTRICTED_TOKENS: Details(EMPTY, failures=(400,)),
        GET_RESTRICTED_TOKEN: Details(_ONE_RESTRICTED, failures=(404,)),
        UPDATE_RESTRICTED_TOKEN: Details(
            _ONE_RESTRICTED, body=_RESTRICTIONS, failures=(404,), about="Paths are checked and stay as they are."
        ),
        DELETE_RESTRICTED_TOKEN: Details(Reply(about="Nothing, also when there is no such token.")),
    },
    {
        "RestrictedToken": record(
            {
                "id": HEX_ID,
                "userId": USER_ID,
                "paths": array(text()),
                "expirationTime": TIME,
                "createdTime": TIME,
                "modifiedTime": TIME,
            },
            ("id", "userId", "expirationTime", "createdTime"),
        )
    },
)

_PERMISSIONS = reference("Permissions")
_BY_USER: Schema = {"type": "object", "additionalProperties": _PERMISSIONS}

ACCESS_API = Api(
    "Sharing",
    "A sharer grants permissions on their data to a grantee.",
    {
        GET_ACCESS_STATUS: Details(Reply(reference("Ok"), "It answers.")),
        LIST_GROUPS: Details(Reply(_BY_USER, "Permissions by the id of the sharer.")),
        LIST_GRANTS: Details(Reply(_BY_USER, "Permissions by the id of the grantee.")),
        GET_GRANT: Details(Reply(_PERMISSIONS, "Permissions."), failures=(404,)),
        SET_GRANT: Details(
            Reply({"anyOf": [_PERMISSIONS, {"type": "null"}]}, "Permissions after the change; `null` without any."),
            body=Body(_PERMISSIONS, "All permissions of this grantee; none removes the grant.", is_required=False),
            failures=(409,),
        ),
    },
    {
        "Permissions": {
            "type": "object",
            "description": "Permissions by name: `view`, `upload`, `note`, `follow`, `custodian`; `root` is one's own.",
            "additionalProperties": {
                "description": "An empty object, or limits: `expiresTime` ends the permission, `windowHours` (of "
                "`view`) shows the last hours only.",
            },
        },
        "Ok": all_of({"status": {"const": "ok"}}),
    },
)

_COLLECTION = Reply(FREE_FORM, "The collection.")
_KEYS = Body(FREE_FORM, "Keys to write; a key with dots is a path, other keys stay as they are.")
_BLANK_IS_ANY = "Part of it, in upper or lower case."

METADATA_API = Api(
    "Metadata",
    "Free JSON about users in named collections; the profile is the best known.",
    {
        LIST_COLLECTIONS: Details(Reply(array(text()), "Names.")),
        GET_COLLECTION: Details(
            _COLLECTION, other_replies={404: Reply(None, "There is no such collection. The body is empty.")}
        ),
        PUT_COLLECTION: Details(_COLLECTION, body=_KEYS),
        POST_COLLECTION: Details(_COLLECTION, body=_KEYS),
        DELETE_COLLECTION: Details(EMPTY),
        GET_USER_PRIVATE_PAIR: Details(_PAIR),
        DELETE_PRIVATE_PAIR: Details(EMPTY),
        LIST_ASSOCIATED_USERS: Details(
            Reply(array(reference("AssociatedUser")), "Users."),
            query=(
                Parameter("trustorPermissions", text(), "Permissions they grant, separated by commas; `any`, `none`."),
                Parameter("trusteePermissions", text(), "Permissions they were granted, in the same way."),
                Parameter("email", text(), _BLANK_IS_ANY),
                Parameter("emailVerified", choice("true", "false")),
                Parameter("termsAccepted", text(), _BLANK_IS_ANY),
                Parameter("name", text(), _BLANK_IS_ANY),
                Parameter("birthday", text(), _BLANK_IS_ANY),
                Parameter("diagnosisDate", text(), _BLANK_IS_ANY),
            ),
            ignores_unknown_query=True,
        ),
    },
    {
        "AssociatedUser": record(
            {
                **_USER_FIELDS,
                "trustorPermissions": _PERMISSIONS,
                "trusteePermissions": _PERMISSIONS,
                "profile": FREE_FORM,
                "settings": FREE_FORM,
                "preferences": FREE_FORM,
            },
            _ALWAYS_THERE,
            "A user, with as much of their metadata as they share.",
        ),
    },
)
