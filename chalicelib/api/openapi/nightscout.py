"""Descriptions of the Nightscout API, and of the operations on its credentials."""

from chalicelib.api.openapi.terms import (
    ANY_MEDIA_TYPE,
    ANYTHING,
    BOOLEAN,
    EMPTY,
    FREE_FORM,
    HEX_ID,
    IDEMPOTENCY_KEY,
    TIME,
    Api,
    Body,
    Details,
    Parameter,
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
    DELETE_ACTIVITY,
    DELETE_DEVICE_STATUS,
    DELETE_DEVICE_STATUSES,
    DELETE_ENTRIES,
    DELETE_ENTRIES_OF,
    DELETE_FOOD,
    DELETE_PROFILE,
    DELETE_TREATMENT,
    DELETE_TREATMENTS,
    FIND_ACTIVITIES,
    FIND_DEVICE_STATUSES,
    FIND_ENTRIES,
    FIND_ENTRIES_OF,
    FIND_PROFILES,
    FIND_TREATMENTS,
    GET_CURRENT_PROFILE,
    GET_GLANCE,
    GET_PROPERTIES,
    GET_PROPERTIES_OF,
    GET_SITE_STATUS,
    GET_VERSIONS,
    LIST_CREDENTIALS,
    LIST_DOCUMENTS,
    LIST_FOODS,
    LIST_FOODS_OF,
    LIST_NOTICES,
    LIST_PROFILES,
    PREVIEW_ENTRIES,
    REPLACE_ACTIVITIES,
    REPLACE_FOODS,
    REPLACE_PROFILE,
    REPLACE_TREATMENT,
    RESTORE_DOCUMENTS,
    REVOKE_CREDENTIAL,
    STORE_ACTIVITIES,
    STORE_DEVICE_STATUSES,
    STORE_ENTRIES,
    STORE_FOODS,
    STORE_PROFILES,
    STORE_TREATMENTS,
    TEST_UPLOAD,
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

_DOCUMENTS = array(FREE_FORM)
_FOUND = Reply(
    ANYTHING,
    "Entries, newest first: in the format that the path ends with or `Accept` prefers: JSON, or a table.",
    ANY_MEDIA_TYPE,
)
_KNOWN = {304: Reply(about="The client has them.")}
_SENT = Body(
    {"anyOf": [FREE_FORM, _DOCUMENTS]},
    "Documents; each entry has `date` in ms.",
    is_required=False,
)
_DELETED = Reply(all_of({"acknowledged": BOOLEAN, "deletedCount": integer()}), "The number of deleted documents.")
_STORED = Reply(_DOCUMENTS, "The documents as stored, each with `_id`.")
_FIND = (
    Parameter("find[field][$operator]", text(), "A condition; without an operator, the field has this value."),
    Parameter("count", integer(minimum=1, maximum=10_000), "How many documents at most."),
    Parameter("sort[field]", choice("1", "-1"), "Another order: by a field, from its smallest or greatest value."),
)

NIGHTSCOUT_API = Api(
    "Nightscout",
    "For apps that know Nightscout. A device has a credential of its own, which names the user.",
    {
        CREATE_CREDENTIAL: Details(
            Reply(reference("IssuedNightscoutCredential"), "The credential, with its token this once."),
            headers=(IDEMPOTENCY_KEY,),
            body=Body(all_of({"name": _NAME, "scope": _SCOPE})),
            failures=(409,),
            credentials=("sessionToken", "bearer"),
            about="A grantee makes credentials of scope `read`, which end with the grant. A user has at most 50. "
            "A repetition gets a new token, which replaces the first one unless that was used.",
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
        LIST_DOCUMENTS: Details(
            Reply(
                record(
                    {
                        "documents": _DOCUMENTS,
                        "next": text("The position after which the next page begins; absent on the last page."),
                    },
                    ("documents",),
                ),
                "Documents as they are stored, oldest first.",
            ),
            query=(
                Parameter("after", text(), "The position after which the page begins: `next` of the page before."),
                Parameter("size", integer(minimum=1, maximum=10_000, default=10_000), "How many documents at most."),
            ),
            failures=(404,),
            about="Of `entries`, `treatments`, `profile`, `food`, `activity` or `settings`. Deleted documents are left "
            "out, and those that are made of data of another API. A page has at most 3 MB.",
        ),
        RESTORE_DOCUMENTS: Details(
            Reply(
                all_of(
                    {
                        "stored": integer("How many documents were stored."),
                        "known": integer("How many were here, and stay as they are."),
                    }
                ),
                "What was done.",
            ),
            body=Body(array(FREE_FORM, maxItems=5000), "Documents with their `_id`."),
            failures=(404, 409),
            about="Documents of the same collections, or of `devicestatus`. They keep their `_id` and all members but "
            "`srvModified`. One that is here, or was deleted here, is not stored. If one is bad, nothing is stored.",
        ),
        GET_VERSIONS: Details(
            Reply(array(all_of({"version": text(), "url": text()})), "Versions."), credentials=(), failures=(429,)
        ),
        GET_SITE_STATUS: Details(
            Reply(
                ANYTHING,
                "The status: JSON if the path ends with `.json` or `Accept` names it, else text or HTML.",
                ANY_MEDIA_TYPE,
            ),
            about="`authorized` holds a JWT if the credential came in the query.",
        ),
        TEST_UPLOAD: Details(Reply(all_of({"status": {"const": "ok"}}), "It may.")),
        LIST_NOTICES: Details(Reply(FREE_FORM, "No notices."), credentials=(), failures=(429,)),
        FIND_ENTRIES: Details(_FOUND, query=_FIND, other_replies=_KNOWN, ignores_unknown_query=True),
        FIND_ENTRIES_OF: Details(
            _FOUND, query=_FIND, other_replies=_KNOWN, failures=(404,), ignores_unknown_query=True
        ),
        STORE_ENTRIES: Details(
            Reply(_DOCUMENTS, "The entries as stored, each with `_id`."),
            body=_SENT,
            failures=(409,),
            about="An entry with the time and type of a stored one is merged over it, so a repetition is safe.",
        ),
        PREVIEW_ENTRIES: Details(Reply(_DOCUMENTS, "What would be stored."), body=_SENT),
        DELETE_ENTRIES: Details(_DELETED, query=_FIND, ignores_unknown_query=True),
        DELETE_ENTRIES_OF: Details(_DELETED, query=_FIND, ignores_unknown_query=True),
        FIND_TREATMENTS: Details(
            Reply(_DOCUMENTS, "Treatments, newest first."),
            query=_FIND,
            other_replies=_KNOWN,
            ignores_unknown_query=True,
        ),
        STORE_TREATMENTS: Details(
            Reply(_DOCUMENTS, "The treatments as stored, each with `_id`."),
            body=_SENT,
            failures=(409,),
            about="A treatment with the `identifier`, the `_id`, or the time and event type of a stored one replaces "
            "it, so a repetition is safe.",
        ),
        REPLACE_TREATMENT: Details(
            Reply(FREE_FORM, "The treatment as stored."), body=Body(FREE_FORM, "A treatment."), failures=(409,)
        ),
        DELETE_TREATMENTS: Details(_DELETED, query=_FIND, ignores_unknown_query=True),
        DELETE_TREATMENT: Details(_DELETED, query=_FIND, ignores_unknown_query=True),
        LIST_PROFILES: Details(
            Reply(_DOCUMENTS, "Profiles, by their start, newest first."),
            query=(Parameter("count", integer(minimum=1, maximum=10_000), "How many at most; 10 by default."),),
            other_replies=_KNOWN,
            ignores_unknown_query=True,
        ),
        GET_CURRENT_PROFILE: Details(Reply({"anyOf": [FREE_FORM, {"type": "null"}]}, "The profile, or null.")),
        FIND_PROFILES: Details(
            Reply(_DOCUMENTS, "Profiles, by their start, newest first."),
            query=_FIND,
            other_replies=_KNOWN,
            ignores_unknown_query=True,
        ),
        STORE_PROFILES: Details(
            Reply(_DOCUMENTS, "The profiles as stored, each with `_id`."),
            body=_SENT,
            failures=(409,),
            about="An equal profile is the same one, so a repetition is safe.",
        ),
        REPLACE_PROFILE: Details(
            Reply(FREE_FORM, "The profile as stored."), body=Body(FREE_FORM, "A profile."), failures=(409,)
        ),
        DELETE_PROFILE: Details(Reply(FREE_FORM, "An empty object."), failures=(400,)),
        FIND_DEVICE_STATUSES: Details(
            Reply(_DOCUMENTS, "Device statuses, newest first, at most 1,000 and 5 MB."),
            query=_FIND,
            other_replies=_KNOWN,
            ignores_unknown_query=True,
        ),
        STORE_DEVICE_STATUSES: Details(
            Reply(_DOCUMENTS, "The device statuses as stored, each with `_id`."),
            body=_SENT,
            about="They are kept for 60 days, unless the stage says otherwise. An equal one is the same one, without a "
            "time within an hour.",
        ),
        DELETE_DEVICE_STATUSES: Details(_DELETED, query=_FIND, ignores_unknown_query=True),
        DELETE_DEVICE_STATUS: Details(_DELETED, query=_FIND, ignores_unknown_query=True),
        LIST_FOODS: Details(Reply(_DOCUMENTS, "Foods."), other_replies=_KNOWN, ignores_unknown_query=True),
        LIST_FOODS_OF: Details(
            Reply(_DOCUMENTS, "Foods of the kind."), other_replies=_KNOWN, failures=(404,), ignores_unknown_query=True
        ),
        STORE_FOODS: Details(_STORED, body=_SENT, failures=(409,), about="An equal food is the same one."),
        REPLACE_FOODS: Details(_STORED, body=_SENT, failures=(409,)),
        DELETE_FOOD: Details(Reply(FREE_FORM, "An empty object."), failures=(400,)),
        FIND_ACTIVITIES: Details(
            Reply(_DOCUMENTS, "Heart rates and steps, newest first."),
            query=_FIND,
            other_replies=_KNOWN,
            ignores_unknown_query=True,
        ),
        STORE_ACTIVITIES: Details(_STORED, body=_SENT, failures=(409,), about="An equal one is the same one."),
        REPLACE_ACTIVITIES: Details(
            Reply({"anyOf": [FREE_FORM, _DOCUMENTS]}, "The activity as stored, or an array of them for an array."),
            body=_SENT,
            failures=(409,),
        ),
        DELETE_ACTIVITY: Details(Reply(FREE_FORM, "An empty object."), failures=(400,)),
        GET_GLANCE: Details(
            Reply(FREE_FORM, "`status`, `bgs` and `cals`."),
            query=(
                Parameter("count", integer(minimum=1, maximum=10_000), "How many readings at most; 1 by default."),
                Parameter("units", text(), "`mmol` for mmol/L."),
            ),
            ignores_unknown_query=True,
        ),
        GET_PROPERTIES: Details(
            Reply(FREE_FORM, "`bgnow`, `delta`, `upbat`, `iob` and `cob`, as far as there is data.")
        ),
        GET_PROPERTIES_OF: Details(Reply(FREE_FORM, "Those that `names` lists, separated by commas.")),
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
