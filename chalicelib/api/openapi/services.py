"""Descriptions of the routes of blobs, tasks, metrics and the platform itself.

Source: blob-api, task-api, metrics-api, data-api 1, rows 24 and 26.
"""

from chalicelib.api.openapi.terms import (
    ANY_MEDIA_TYPE,
    BOOLEAN,
    DATE,
    EMPTY,
    FREE_FORM,
    HEX_ID,
    HTML,
    IDEMPOTENCY_KEY,
    PAGING,
    PLAIN,
    REVISION,
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
    enveloped,
    integer,
    record,
    reference,
    text,
)
from chalicelib.api.operations.blobs import (
    CREATE_BLOB,
    CREATE_DEVICE_LOG,
    DELETE_BLOB,
    DELETE_BLOBS,
    GET_BLOB,
    GET_DEVICE_LOG,
    LIST_BLOBS,
    LIST_DEVICE_LOGS,
    READ_BLOB,
    READ_DEVICE_LOG,
)
from chalicelib.api.operations.metrics import (
    GET_METRICS_STATUS,
    READ_COUNTS,
    RECORD_FOR_SERVER,
    RECORD_FOR_THIS_USER,
    RECORD_FOR_USER,
)
from chalicelib.api.operations.table import (
    GET_ASSET,
    GET_DOCS,
    GET_INFO,
    GET_OPENAPI,
    GET_STAGE,
    GET_STATUS,
    GET_TIME,
    GET_VERSION,
)
from chalicelib.api.operations.tasks import CREATE_TASK, DELETE_TASK, GET_TASK, LIST_TASKS, UPDATE_TASK

_TAG = {"ETag": "For `If-None-Match`."}
_KNOWN_TAG = Parameter("If-None-Match", text(), "The `ETag` of the reply that the client has.")
_UNCHANGED = Reply(about="The client has the current one.", headers=_TAG)

PLATFORM_API = Api(
    "The platform",
    "What the platform says of itself.",
    {
        GET_STATUS: Details(
            Reply(
                enveloped(all_of({"Version": text(), "Environment": text(), "DataStore": {}, "Server": {}})),
                "It answers.",
            )
        ),
        GET_VERSION: Details(Reply(enveloped(all_of({"version": text()})), "The version.")),
        GET_INFO: Details(Reply(reference("Info"), "What a client needs before it signs in.")),
        GET_TIME: Details(Reply(enveloped(all_of({"time": TIME})), "The time.")),
        GET_STAGE: Details(
            Reply(reference("StageFigures"), "The figures."),
            ignores_unknown_query=True,
            about="Bounded in time for any number of users: what is not counted to its end says `isAtLeast`.",
        ),
        GET_OPENAPI: Details(
            Reply(FREE_FORM, "The description.", headers=_TAG), headers=(_KNOWN_TAG,), other_replies={304: _UNCHANGED}
        ),
        GET_DOCS: Details(
            Reply(text(), "The page.", HTML, headers=_TAG), headers=(_KNOWN_TAG,), other_replies={304: _UNCHANGED}
        ),
        GET_ASSET: Details(
            Reply(text(), "The file, which never changes at this address.", ANY_MEDIA_TYPE),
            ignores_unknown_query=True,
            failures=(404,),
        ),
    },
    {
        "Info": record(
            {
                "versions": all_of(
                    {"uploaderMinimum": text("Oldest version of the Uploader that may upload."), "schema": integer()}
                ),
                "auth": all_of(
                    {"url": text(format="uri"), "realm": text()}, "Where to sign in; missing when there is no address."
                ),
            },
            ("versions",),
        ),
        "StageFigures": all_of(
            {
                "stage": text(),
                "version": text(),
                "time": TIME,
                "users": all_of({"count": integer(minimum=0), "isAtLeast": BOOLEAN}, "Counted to 100,000."),
                "data": all_of(
                    {
                        "lastTime": {"anyOf": [TIME, {"type": "null"}], "description": "When data last came."},
                        "users": integer("How many users these sums are of: the newest 500 accounts.", minimum=0),
                        "dataBytes": integer("What records and Nightscout documents take.", minimum=0),
                        "blobBytes": integer("What blobs and device logs take.", minimum=0),
                        "isAtLeast": {**BOOLEAN, "description": "Whether the stage has more users."},
                    }
                ),
                "tasks": all_of(
                    {
                        "count": integer("Counted to 10,000.", minimum=0),
                        "isAtLeast": BOOLEAN,
                        **dict.fromkeys(("pending", "running", "failed", "completed"), integer(minimum=0)),
                        "lastFailed": array(
                            record({"id": HEX_ID, "type": text(), "runTime": TIME, "error": FREE_FORM}, ("id", "type")),
                            "The failed tasks that were created last, at most ten.",
                        ),
                    }
                ),
                "refusals": all_of(
                    {
                        "count": integer(minimum=0),
                        "days": array(all_of({"date": DATE, "count": integer(minimum=1), "lastTime": TIME})),
                    },
                    "Refused uploads of the last 14 days, by UTC day.",
                ),
            }
        ),
    },
)

_UPLOAD = Parameter("upload", choice("direct"), "The content goes to the store directly; send none with this request.")
_CONTENT = Body(
    text(format="binary"), "The content, at most 4.5 MB; up to 100 MiB by direct upload.", ANY_MEDIA_TYPE, False
)
_SIZE = Parameter("X-Upload-Size", integer(minimum=0, maximum=104_857_600), "Bytes; with a direct upload only.")
_DIGEST_FORM = text(pattern="^[Mm][Dd]5=.{24}$")
_DIGEST = "`MD5=` and the digest in base64."
_CONTENT_HEADERS = {"Digest": _DIGEST}
_ELSEWHERE = {307: Reply(text(), "The content is large: it is at `Location`, for a short time.", PLAIN)}
_SHOWN_HEADERS = {
    **_CONTENT_HEADERS,
    "Content-Disposition": "`inline` for text, JSON, CSV and plain images; `attachment` for all other types.",
    "Content-Security-Policy": "`sandbox`: a browser runs nothing of a content.",
}
_BYTES = Reply(text(format="binary"), "The content, as it came.", ANY_MEDIA_TYPE, _SHOWN_HEADERS)
_LOG_BYTES = Reply(
    text(format="binary"),
    "The content, as it came.",
    ANY_MEDIA_TYPE,
    {**_SHOWN_HEADERS, "Start-At": "The time of the first entry.", "End-At": "The last one."},
)
_DIRECT_UPLOAD = all_of(
    {
        "method": text(),
        "url": text(format="uri"),
        "headers": {"type": "object", "additionalProperties": text()},
        "expiresTime": TIME,
    },
    "How to bring the content; only after a request for a direct upload.",
)
_BLOB: dict[str, Schema] = {
    "id": text(pattern="^[0-9a-z]{32}$"),
    "userId": USER_ID,
    "digestMD5": text("In base64."),
    "mediaType": text(),
    "size": integer("Bytes.", minimum=0),
    "createdTime": TIME,
    "revision": integer(minimum=0),
    "upload": _DIRECT_UPLOAD,
}
_BLOB_REQUIRED = ("id", "userId", "mediaType", "createdTime", "revision")

BLOB_API = Api(
    "Blobs and device logs",
    "Files that the platform keeps and does not read.",
    {
        LIST_BLOBS: Details(
            Reply(array(reference("Blob")), "A page of blobs."),
            query=(
                Parameter("mediaType", array(text(maxLength=256)), "As it is stored."),
                Parameter("status", array(choice("available", "created")), "By default `available`."),
                *PAGING,
            ),
        ),
        CREATE_BLOB: Details(
            Reply(reference("Blob"), "The blob."),
            query=(_UPLOAD,),
            headers=(
                Parameter("Digest", _DIGEST_FORM, f"{_DIGEST} A direct upload needs it."),
                _SIZE,
                IDEMPOTENCY_KEY,
            ),
            body=_CONTENT,
            failures=(409,),
            ignores_unknown_query=True,
        ),
        DELETE_BLOBS: Details(EMPTY, failures=(400,)),
        GET_BLOB: Details(Reply(reference("Blob"), "The blob."), failures=(400, 404)),
        READ_BLOB: Details(_BYTES, failures=(400, 404), other_replies=_ELSEWHERE),
        DELETE_BLOB: Details(EMPTY, query=(REVISION,), failures=(404,)),
        CREATE_DEVICE_LOG: Details(
            Reply(reference("DeviceLog"), "The device log."),
            query=(_UPLOAD,),
            headers=(
                Parameter("Digest", _DIGEST_FORM, _DIGEST, True),
                Parameter("X-Logs-Start-At-Time", TIME, "The time of the first entry.", True),
                Parameter("X-Logs-End-At-Time", TIME, "The last one.", True),
                _SIZE,
                IDEMPOTENCY_KEY,
            ),
            body=_CONTENT,
            failures=(409,),
            ignores_unknown_query=True,
        ),
        LIST_DEVICE_LOGS: Details(
            Reply(array(reference("DeviceLog")), "A page of device logs."),
            query=(
                Parameter("startAtTime", TIME, "Those that start then or later."),
                Parameter("startAt", TIME, "Another name of `startAtTime`."),
                Parameter("endAtTime", TIME, "Those that end before."),
                Parameter("endAt", TIME, "Another name of `endAtTime`."),
                *PAGING,
            ),
        ),
        GET_DEVICE_LOG: Details(Reply(reference("DeviceLog"), "The device log."), failures=(400, 404)),
        READ_DEVICE_LOG: Details(_LOG_BYTES, failures=(400, 404), other_replies=_ELSEWHERE),
    },
    {
        "Blob": record(
            {**_BLOB, "status": choice("available", "created"), "modifiedTime": TIME}, (*_BLOB_REQUIRED, "status")
        ),
        "DeviceLog": record({**_BLOB, "startAtTime": TIME, "endAtTime": TIME}, _BLOB_REQUIRED),
    },
)

_CHANGEABLE: dict[str, Schema] = {
    "priority": integer("The highest is run first.", default=0),
    "data": FREE_FORM,
    "availableTime": described(TIME, "Not to be run before."),
    "expirationTime": described(TIME, "Not to be run from then on; not in the past, not before availableTime."),
}
_STATE = choice("pending", "running", "failed", "completed")
_ONE_TASK = Reply(reference("Task"), "The task.")

TASK_API = Api(
    "Tasks",
    "Work in the background, for servers.",
    {
        LIST_TASKS: Details(
            Reply(array(reference("Task")), "A page of tasks."),
            query=(
                Parameter("name", text(minLength=1)),
                Parameter("type", text(minLength=1)),
                Parameter("state", _STATE),
                *PAGING,
            ),
        ),
        CREATE_TASK: Details(
            _ONE_TASK,
            headers=(IDEMPOTENCY_KEY,),
            body=Body(
                record({"name": text(minLength=1), "type": text(minLength=1), **_CHANGEABLE}, ("type",)),
                "A name is given to one task only.",
            ),
            failures=(409,),
        ),
        GET_TASK: Details(_ONE_TASK, failures=(404,)),
        UPDATE_TASK: Details(_ONE_TASK, body=Body(record(_CHANGEABLE)), failures=(404,)),
        DELETE_TASK: Details(Reply(about="Nothing, also when there is no such task.")),
    },
    {
        "Task": record(
            {
                "id": HEX_ID,
                "name": text(),
                "type": text(),
                **_CHANGEABLE,
                "deadlineTime": described(TIME, "Until when a run may take; while running only."),
                "state": _STATE,
                "error": {
                    "description": "Of the last run: one, or several.",
                    "anyOf": [FREE_FORM, array(FREE_FORM)],
                },
                "runTime": described(TIME, "When the last run began."),
                "duration": {"type": "number", "minimum": 0, "description": "Of the last run, in seconds."},
                "createdTime": TIME,
                "modifiedTime": TIME,
            },
            ("id", "type", "state", "createdTime"),
            "What has no value is left out.",
        )
    },
)

_RECORDED = Reply(about="Nothing: the event is taken.")
_ANY_QUERY = "All query parameters are kept with the event, whatever their names."

METRICS_API = Api(
    "Metrics",
    "Events of how the platform is used, without waiting for them to be kept.",
    {
        GET_METRICS_STATUS: Details(Reply(reference("Ok"), "It answers.")),
        RECORD_FOR_USER: Details(_RECORDED, failures=(401,), credentials=("", "sessionToken"), about=_ANY_QUERY),
        RECORD_FOR_THIS_USER: Details(_RECORDED, about=_ANY_QUERY),
        RECORD_FOR_SERVER: Details(_RECORDED, about=_ANY_QUERY),
        READ_COUNTS: Details(
            Reply(array(all_of({"date": DATE, "eventName": text(), "count": integer(minimum=0)})), "Daily counts."),
            query=(
                Parameter("from", DATE, "The first day.", True),
                Parameter("to", DATE, "The last day, at most 92 days later.", True),
                Parameter("prefix", text(), "What the names of the events begin with."),
            ),
            failures=(413,),
        ),
    },
)
