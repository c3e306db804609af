"""Descriptions of the routes of the Data API. Source: data-api 4 to 11.

Bodies that the data model declares are named here and made from it: `DatumArray`, `DataSetCreation`, `DataSetUpdate`,
`DataSourceCreation`, `DataSourceUpdate`.
"""

from dataclasses import replace

from chalicelib.api.openapi.terms import (
    ANY_MEDIA_TYPE,
    BOOLEAN,
    EMPTY,
    FREE_FORM,
    HEX_ID,
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
    all_of,
    array,
    choice,
    enveloped,
    integer,
    record,
    reference,
    text,
)
from chalicelib.api.operations.data_sources import (
    ADD_TWIIST_DATA,
    CREATE_DATA_SOURCE,
    DELETE_DATA_SOURCE,
    DELETE_DATA_SOURCES,
    GET_DATA_SOURCE,
    GET_SESSION_DATA_SOURCE,
    LIST_DATA_SOURCES,
    LIST_SECTORS,
    UPDATE_DATA_SOURCE,
    UPLOAD_DATA,
)
from chalicelib.api.operations.table import (
    ADD_DATA,
    CREATE_DATA_SET,
    DELETE_DATA,
    DELETE_DATA_SET,
    DELETE_USER_DATA,
    EXPORT_DATA,
    GET_DATA_SET,
    GET_DATA_STATUS,
    GET_FRESHNESS,
    LIST_DATA_SETS,
    LIST_DATASETS,
    LIST_REJECTIONS,
    READ_DATA,
    UPDATE_DATA_SET,
)

_DELETED = Parameter("deleted", {**BOOLEAN, "default": False}, "Whether deleted ones are listed, too.")
_PREFER = Parameter(
    "Prefer",
    text(),
    "`handling=lenient` stores the good data of the request, and names the faults of the rest beside `data`.",
)
_DROPPED = {
    "X-Strandline-Dropped": "Members that the data model does not know and that were not stored, such as "
    "`absorptionDuration`, `sleepSchedules`, `dosingEnabled`: percent-encoded, at most 20, then `more=` and the number "
    "of others."
}
_ONE_DATA_SET = Reply(enveloped(reference("DataSet")), "The data set.")
_NO_DATA = Reply(enveloped(array({}, maxItems=0)), "An empty array.")
_ONE_SOURCE = Reply(reference("DataSource"), "The data source.")
_TAG = {"ETag": "For `If-None-Match`. Not for a view of the last hours, nor while a change is being written."}
_COMMA_LIST = "Several are separated by commas."

DATA_API = Api(
    "Data sets and data",
    "Health data comes in data sets: a client opens one, adds data to it and closes it, or keeps one open for good.",
    {
        CREATE_DATA_SET: Details(
            replace(_ONE_DATA_SET, headers=_DROPPED),
            body=Body(reference("DataSetCreation"), "Every member may be left out."),
            headers=(IDEMPOTENCY_KEY,),
            failures=(409,),
        ),
        LIST_DATA_SETS: Details(
            Reply(array(reference("DataSet")), "A page of data sets."),
            query=(
                *PAGING,
                _DELETED,
                Parameter("client.name", text(minLength=1), "Of the client that opened the data set."),
                Parameter("deviceId", text(minLength=1), "Of the data set."),
            ),
        ),
        LIST_DATASETS: Details(
            Reply(enveloped(array(reference("DataSet"))), "A page of data sets."), query=(*PAGING, _DELETED)
        ),
        GET_DATA_SET: Details(Reply(reference("DataSet"), "The data set, in any state."), failures=(404,)),
        UPDATE_DATA_SET: Details(
            _ONE_DATA_SET,
            body=Body(
                reference("DataSetUpdate"),
                "Only read for continuous data sets; a normal one is closed, whatever is sent.",
                is_required=False,
            ),
            headers=(IDEMPOTENCY_KEY,),
            failures=(404, 409),
        ),
        DELETE_DATA_SET: Details(Reply(enveloped(all_of({})), "An empty object."), failures=(404,)),
        ADD_DATA: Details(
            Reply(
                record(
                    {
                        "data": array({}, maxItems=0),
                        "meta": reference("Meta"),
                        "refused": array(
                            reference("Fault"), "Only to those who prefer lenient handling: what was not stored."
                        ),
                        "dropped": array(
                            text(), "Only to those who prefer lenient handling: members that were not stored."
                        ),
                    },
                    ("data", "meta"),
                ),
                "The data is stored, and can be read at once where the data set is continuous.",
                headers={"Preference-Applied": "`handling=lenient`, when it was asked for.", **_DROPPED},
            ),
            headers=(_PREFER,),
            body=Body(reference("DatumArray"), "Data, in any order. A repetition of the same request is safe."),
            failures=(404, 409),
        ),
        DELETE_DATA: Details(
            _NO_DATA,
            body=Body(reference("Selectors"), "Which data to delete; selectors that match nothing are ignored."),
            failures=(404, 409),
        ),
        DELETE_USER_DATA: Details(
            Reply(
                enveloped(
                    {
                        "anyOf": [
                            array({}, maxItems=0),
                            all_of(
                                {"erasedTime": TIME, "records": integer(minimum=0), "dataSets": integer(minimum=0)},
                                "What there was before.",
                            ),
                        ]
                    }
                ),
                "For servers an empty array, for the user a receipt.",
            ),
            body=Body(record({"password": text()}), "The password of the user; servers need none.", is_required=False),
            failures=(429,),
        ),
        LIST_REJECTIONS: Details(Reply(array(reference("Refusal")), "At most 100, of the last 14 days.")),
        GET_FRESHNESS: Details(
            Reply(
                reference("Freshness"),
                "What has come in since all data was erased last, replaced and deleted data too.",
            ),
            about="Who may view the last hours gets the newest times that lie there, and nothing else.",
        ),
        EXPORT_DATA: Details(
            Reply(
                text(format="binary"),
                "`TidepoolExport.xlsx` or `TidepoolExport.json`, as an attachment.",
                ANY_MEDIA_TYPE,
                {"Content-Disposition": "The name of the file."},
            ),
            query=(
                Parameter("format", text(default="xlsx"), "`json`; anything else is Excel."),
                Parameter("bgUnits", choice("mmol/L", "mg/dL"), "Of glucose; by default `mmol/L`."),
                Parameter("startDate", TIME, "The earliest time."),
                Parameter("endDate", TIME, "The latest time."),
            ),
            ignores_unknown_query=True,
            failures=(413,),
            credentials=("sessionToken", "restrictedToken"),
            other_replies={303: Reply(text(), "The file is large: it is at `Location`, for a short time.", PLAIN)},
        ),
        READ_DATA: Details(
            Reply(
                array(reference("StoredDatum")),
                "Data that can be read now, by type and time, then data sets. There are no pages.",
                headers=_TAG,
            ),
            headers=(Parameter("If-None-Match", text(), "Tags of answers to this query that the client has, or `*`."),),
            query=(
                Parameter("type", text(), f"Types of data. {_COMMA_LIST}"),
                Parameter("subType", text(), f"Values of `subType`. {_COMMA_LIST}"),
                Parameter("startDate", TIME, "The earliest time."),
                Parameter("endDate", TIME, "The latest time."),
                Parameter("deviceId", text(), "Of the data."),
                Parameter("uploadId", text(), "Id of the data set."),
                Parameter("latest", {**BOOLEAN, "default": False}, "Only the newest datum of each type."),
                Parameter("dosingDecision.reason", text(), f"Reasons of dosing decisions. {_COMMA_LIST}"),
                Parameter("sampleIntervalMinimum", integer(default=0), "Of cbg, in milliseconds; 0 means no limit."),
                Parameter("carelink", BOOLEAN, "`false` leaves out what came from CareLink."),
                Parameter(
                    "cbgFilter", BOOLEAN, "`false` keeps cbg of other sources where a data source covers the time."
                ),
                Parameter("dexcom", BOOLEAN, "The older name of `cbgFilter`, which says the opposite."),
                Parameter("medtronic", BOOLEAN, "`false` leaves out what certain Medtronic pumps uploaded."),
            ),
            ignores_unknown_query=True,
            other_replies={
                303: Reply(
                    text(), "The answer is too large: it is at `Location`, for a short time.", PLAIN, headers=_TAG
                ),
                304: Reply(about="Nothing has changed since the answer whose tag the client named.", headers=_TAG),
            },
        ),
        GET_DATA_STATUS: Details(Reply(text(), "`OK`", PLAIN)),
        UPLOAD_DATA: Details(
            Reply(array(integer()), "An empty array.", headers=_DROPPED),
            body=Body({"anyOf": [reference("UploadedDatum"), array(reference("UploadedDatum"))]}),
            about="For old clients only. New ones open a data set and add data to it.",
            failures=(409,),
        ),
    },
    {
        "DataSet": record(
            {
                "id": text(),
                "uploadId": text("The same as the id."),
                "type": {"const": "upload"},
                "dataSetType": choice("continuous", "normal"),
                "createdTime": TIME,
                "modifiedTime": TIME,
                "deletedTime": TIME,
                "createdUserId": USER_ID,
                "byUser": USER_ID,
                "time": TIME,
                "client": record({"name": text(), "version": text(), "private": FREE_FORM}),
                "deduplicator": record({"name": text(), "version": text()}, is_open=True),
            },
            ("id", "uploadId", "type", "dataSetType", "createdTime", "modifiedTime", "time"),
            "A data set, with whatever else the client said of it.",
            is_open=True,
        ),
        "StoredDatum": record(
            {
                "type": text("One of the types of the data model, or `upload` for a data set."),
                "id": text(),
                "uploadId": text("Id of the data set."),
                "time": TIME,
                "_deduplicator": FREE_FORM,
                "_state": choice("open", "closed", about="Of a data set."),
                "revision": integer(),
            },
            ("type", "id", "uploadId"),
            "A datum or a data set as it is stored: glucose in mmol/L, times in UTC, embedded data by id.",
            is_open=True,
        ),
        "UploadedDatum": record(
            {"type": text(), "uploadId": text("Of the data set that it belongs to.")},
            ("type",),
            "A datum of the data model, or the description of a data set (`upload`).",
            is_open=True,
        ),
        "Selectors": {
            "description": "All of one kind.",
            "anyOf": [
                array(
                    record({"id": text(pattern="^[0-9a-z]{32}$"), "time": TIME}, ("id",)),
                    "By id.",
                    minItems=1,
                ),
                array(
                    all_of({"origin": record({"id": text(minLength=1, maxLength=100), "time": TIME}, ("id",))}),
                    "By the id that their origin gave them.",
                    minItems=1,
                ),
                array(
                    all_of({"deduplicator": all_of({"hash": text(minLength=1, maxLength=1000)})}),
                    "By hash.",
                    minItems=1,
                ),
            ],
        },
        "Freshness": record(
            {
                "userId": USER_ID,
                "changes": integer("Another number after whatever may change what is read.", minimum=0),
                "clients": array(
                    all_of(
                        {
                            "client": text("Name of the data set's client, else makers of the device, else `unknown`."),
                            "types": array(
                                record(
                                    {"type": text(), "newestTime": TIME, "newestStoredTime": TIME},
                                    ("type", "newestTime"),
                                )
                            ),
                        }
                    )
                ),
            },
            ("userId", "clients"),
            "Clients and types by name.",
        ),
        "Refusal": all_of(
            {
                "id": text(),
                "time": TIME,
                "dataSetId": text(),
                "client": record({"name": text(), "version": text()}),
                "action": choice("add", "delete"),
                "errorCount": integer(minimum=1),
                "errors": array(
                    record({"code": text(), "source": all_of({"pointer": text()})}, ("code",)), "The first 20."
                ),
            },
            "An upload that was refused, without its values.",
        ),
    },
)

_SOURCE_FIELDS = {
    "providerType": choice("oauth"),
    "providerName": text(),
    "providerExternalId": text("What the provider calls the user."),
    "state": choice("connected", "disconnected", "error"),
}

DATA_SOURCE_API = Api(
    "Data sources and partners",
    "Accounts with other providers from which a user's data is imported.",
    {
        LIST_DATA_SOURCES: Details(
            Reply(array(reference("DataSource")), "A page of data sources."),
            query=(*PAGING, *(Parameter(name, schema, "Only those.") for name, schema in _SOURCE_FIELDS.items())),
        ),
        CREATE_DATA_SOURCE: Details(
            _ONE_SOURCE, headers=(IDEMPOTENCY_KEY,), body=Body(reference("DataSourceCreation")), failures=(409,)
        ),
        DELETE_DATA_SOURCES: Details(EMPTY),
        GET_DATA_SOURCE: Details(_ONE_SOURCE, failures=(404,)),
        UPDATE_DATA_SOURCE: Details(
            _ONE_SOURCE, query=(REVISION,), body=Body(reference("DataSourceUpdate")), failures=(404, 409)
        ),
        DELETE_DATA_SOURCE: Details(EMPTY, query=(REVISION,), failures=(404,)),
        GET_SESSION_DATA_SOURCE: Details(_ONE_SOURCE, failures=(404,)),
        ADD_TWIIST_DATA: Details(
            _NO_DATA,
            body=Body(reference("DatumArray")),
            failures=(404, 409),
            about="The accounts that the stage is configured for may do this, too.",
        ),
        LIST_SECTORS: Details(Reply(array(text(format="uri")), "Addresses."), failures=(404,)),
    },
    {
        "DataSource": record(
            {
                "id": HEX_ID,
                "userId": USER_ID,
                **_SOURCE_FIELDS,
                "providerSessionId": text("Only to servers."),
                "metadata": FREE_FORM,
                "error": FREE_FORM,
                "dataSetId": text("The data set that imported data goes to."),
                "earliestDataTime": TIME,
                "latestDataTime": TIME,
                "lastImportTime": TIME,
                "createdTime": TIME,
                "modifiedTime": TIME,
                "revision": integer(minimum=0),
            },
            ("id", "userId", "providerType", "providerName", "state", "createdTime", "revision"),
        )
    },
)
