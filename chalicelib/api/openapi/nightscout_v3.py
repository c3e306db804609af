"""Descriptions of the Nightscout API's v3."""

from chalicelib.api.openapi.terms import (
    ANY_MEDIA_TYPE,
    ANYTHING,
    FREE_FORM,
    Api,
    Body,
    Details,
    Parameter,
    Reply,
    all_of,
    integer,
    text,
)
from chalicelib.api.operations import nightscout_v3 as operations

_OK = {"status": {"const": 200}}
_LAST_MODIFIED = {"Last-Modified": "When the document was modified, in whole seconds."}
_LIMIT = Parameter("limit", integer(minimum=1, maximum=1000), "How many documents at most; 1,000 by default.")
_FIELDS = Parameter("fields", text(), "The members to show, with commas between; all by default.")
_SEARCH = (
    Parameter("field$operator", text(), "A condition: eq, ne, gt, gte, lt, lte, in, nin or re; `field` alone is eq."),
    Parameter("sort", text(), "A member that orders the documents, ascending."),
    Parameter("sort$desc", text(), "A member that orders the documents, descending; `date` by default."),
    _LIMIT,
    Parameter("skip", integer(minimum=0, maximum=10_000), "How many documents to leave out first."),
    _FIELDS,
)
_FORMATS = "As `result` in JSON; as CSV or XML if the path ends with `.csv` or `.xml`, or if `Accept` prefers it."
_CHANGES = Reply(
    ANYTHING,
    f"Documents by `srvModified`; deleted ones have `isValid: false`. {_FORMATS}",
    ANY_MEDIA_TYPE,
    headers={"ETag": 'W/"{the greatest srvModified}", with which the next page begins', **_LAST_MODIFIED},
)
_UNMODIFIED = Parameter("If-Unmodified-Since", text(), "Otherwise the answer is 412.")
_DOCUMENT = Body(FREE_FORM, "A document with `date` and `app`.")
_WRITTEN = {"identifier": text(), "lastModified": integer("Its srvModified, in milliseconds.")}
_CREATED = Reply(
    all_of({"status": {"const": 201}, **_WRITTEN}),
    "A new document.",
    headers={"Location": "Its path.", **_LAST_MODIFIED},
)
_OF_COLLECTION = (404, 406)
_OF_DOCUMENT = (404, 406, 412)

NIGHTSCOUT_V3_API = Api(
    "Nightscout v3",
    "For AndroidAPS. The collections are entries, treatments, devicestatus, profile, food and settings.",
    {
        operations.GET_VERSION: Details(Reply(all_of(_OK | {"result": FREE_FORM}), "The versions."), credentials=()),
        operations.GET_STATUS: Details(
            Reply(all_of(_OK | {"result": FREE_FORM}), "The versions, and `apiPermissions` by collection.")
        ),
        operations.GET_LAST_MODIFIED: Details(
            Reply(all_of(_OK | {"result": FREE_FORM}), "`collections`: a time in milliseconds for each.")
        ),
        operations.SEARCH: Details(
            Reply(ANYTHING, f"Documents, without deleted ones. {_FORMATS}", ANY_MEDIA_TYPE),
            query=_SEARCH,
            failures=_OF_COLLECTION,
            ignores_unknown_query=True,
        ),
        operations.CREATE: Details(
            _CREATED,
            body=_DOCUMENT,
            failures=_OF_COLLECTION,
            other_replies={200: Reply(FREE_FORM, "The document was there, and was replaced.")},
            about="A document with the identifier of a stored one, or made of the same device, date and event, "
            "replaces it, so a repetition is safe.",
        ),
        operations.READ: Details(
            Reply(ANYTHING, f"The document. {_FORMATS}", ANY_MEDIA_TYPE, _LAST_MODIFIED),
            query=(_FIELDS,),
            headers=(Parameter("If-Modified-Since", text(), "Otherwise the answer is 304."),),
            failures=(404, 406, 410),
            other_replies={304: Reply(about="The client has it.", headers=_LAST_MODIFIED)},
            ignores_unknown_query=True,
        ),
        operations.REPLACE: Details(
            Reply(all_of(_OK | {"lastModified": integer()}), "It was replaced.", headers=_LAST_MODIFIED),
            headers=(_UNMODIFIED,),
            body=_DOCUMENT,
            failures=_OF_DOCUMENT,
            other_replies={201: _CREATED},
        ),
        operations.CHANGE: Details(
            Reply(all_of(_OK), "It was changed.", headers=_LAST_MODIFIED),
            headers=(_UNMODIFIED,),
            body=Body(FREE_FORM, "Members to set."),
            failures=_OF_DOCUMENT,
        ),
        operations.DELETE: Details(
            Reply(all_of(_OK), "It is deleted."),
            query=(Parameter("permanent", text(), "`true` to leave no trace of it."),),
            headers=(_UNMODIFIED,),
            failures=(404, 406, 412),
            ignores_unknown_query=True,
        ),
        operations.GET_HISTORY_SINCE_HEADER: Details(
            _CHANGES,
            query=(_LIMIT, _FIELDS),
            headers=(Parameter("Last-Modified", text(), "Changes in this second and later.", is_required=True),),
            failures=_OF_COLLECTION,
            ignores_unknown_query=True,
        ),
        operations.GET_HISTORY: Details(
            _CHANGES,
            query=(_LIMIT, _FIELDS),
            failures=_OF_COLLECTION,
            ignores_unknown_query=True,
            about="`since` is a `srvModified` in milliseconds.",
        ),
    },
)
