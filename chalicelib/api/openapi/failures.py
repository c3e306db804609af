"""Descriptions of error responses: a body for each error format, a meaning for each status. Source: errors 1, 2."""

from collections.abc import Mapping

from chalicelib.api.openapi.terms import ANYTHING, Schema, all_of, array, integer, record, reference, text
from chalicelib.api.operations.operation import ErrorFormat

FAILURE_SCHEMAS: Mapping[str, Schema] = {
    "Meta": record(
        {
            "trace": record(
                {
                    "request": text("The request's id: the one sent as `X-Tidepool-Trace-Request`, or a new one."),
                    "session": text("What was sent as `X-Tidepool-Trace-Session`."),
                },
                ("request",),
            )
        },
        ("trace",),
        "Ids by which the request is found again.",
    ),
    "Fault": record(
        {
            "code": text("What is wrong, as a word that does not change."),
            "title": text("The same for people."),
            "detail": text("The same with the values at hand."),
            "source": record(
                {
                    "pointer": text("JSON pointer into the body."),
                    "parameter": text("Name of the query parameter."),
                },
                about="Where it is wrong: one of the two.",
            ),
            "meta": {**ANYTHING, "description": "What kind of datum it is in."},
        },
        ("detail",),
        "One thing that is wrong.",
    ),
    "PlatformFailure": {
        "description": "One fault by itself, or all of them when there are several.",
        "anyOf": [
            reference("Fault"),
            all_of({"errors": array(reference("Fault"), minItems=2)}),
        ],
    },
    "EnvelopeFailure": {
        "description": "Faults of fields and unknown callers as in PlatformFailure; everything else with its status "
        "and the trace ids.",
        "anyOf": [
            reference("PlatformFailure"),
            all_of(
                {
                    "errors": array(
                        all_of(
                            {
                                "code": text(),
                                "title": text(),
                                "detail": text(),
                                "status": text("The HTTP status, as a string."),
                            }
                        )
                    ),
                    "meta": reference("Meta"),
                }
            ),
        ],
    },
    "ReadFailure": record(
        {
            "status": integer("The HTTP status."),
            "id": text("Of this failure.", format="uuid"),
            "code": text(),
            "message": text(),
            "errors": array(reference("Fault"), "What is wrong with the parameters."),
        },
        ("status", "id", "code", "message"),
    ),
    "AuthFailure": all_of({"code": integer("The HTTP status."), "reason": text("For people.")}),
    "ConfirmFailure": record(
        {
            "code": integer("The HTTP status."),
            "reason": text("For people."),
            "error": integer("Why a custodial account is not claimed.", minimum=1001, maximum=1006),
        },
        ("code", "reason"),
    ),
    "OAuthFailure": all_of({"error": text("A code of RFC 6749 or RFC 6750."), "error_description": text()}),
    "NightscoutFailure": record(
        {"status": integer("The HTTP status."), "message": text(), "description": text()}, ("status", "message")
    ),
    "NightscoutV3Failure": record(
        {"status": integer("The HTTP status."), "message": text("Not for 404, 410 and 412 of a document.")}, ("status",)
    ),
    "NodeFailure": {
        "description": "A sentence, or a code with a message. Some failures have no body at all.",
        "anyOf": [text(), all_of({"code": text(), "message": text()})],
    },
}

SCHEMA_BY_FORMAT: Mapping[ErrorFormat, str] = {
    ErrorFormat.PLATFORM: "PlatformFailure",
    ErrorFormat.PLATFORM_ENVELOPE: "EnvelopeFailure",
    ErrorFormat.READ: "ReadFailure",
    ErrorFormat.AUTH: "AuthFailure",
    ErrorFormat.CONFIRM: "ConfirmFailure",
    ErrorFormat.OAUTH: "OAuthFailure",
    ErrorFormat.NODE: "NodeFailure",
    ErrorFormat.NIGHTSCOUT: "NightscoutFailure",
    ErrorFormat.NIGHTSCOUT_V3: "NightscoutV3Failure",
}

MEANING: Mapping[int, str] = {
    400: "The request is wrong; nothing was stored.",
    401: "There is no credential, or none that is valid.",
    403: "The caller may not do this.",
    404: "It does not exist.",
    406: "The path or `Accept` asks for another format than JSON, CSV or XML.",
    409: "It does not fit the state that things are in.",
    410: "It was deleted.",
    412: "It was modified after the time that the request names.",
    413: "The body is too large, or the user has stored as much as one may.",
    429: "Too many failed attempts, or as many requests as one may make in an hour; later ones may be tried again.",
    500: "A defect of the server.",
    503: "The store is busy; a repetition is safe.",
    507: "The disk of a home server is full; nothing was stored, and a repetition is safe.",
}

WITHOUT_BODY = frozenset((ErrorFormat.NODE, status) for status in (500, 503, 507))
"""Failures whose body is always empty. Source: errors 1."""
RETRYABLE = frozenset({429, 503, 507})
"""Statuses whose responses have a `Retry-After` header."""
REFUSALS_BY_FORMAT: Mapping[ErrorFormat, tuple[int, ...]] = {
    ErrorFormat.PLATFORM: (401, 403),
    ErrorFormat.PLATFORM_ENVELOPE: (401, 403),
    ErrorFormat.READ: (401, 403),
    # These formats return 401 to callers without permission, too (errors 1, confirm 1).
    ErrorFormat.AUTH: (401,),
    ErrorFormat.CONFIRM: (401,),
    ErrorFormat.NODE: (401,),
    ErrorFormat.OAUTH: (),
    # It answers 401 to an insufficient credential, too (nightscout-api 2), and 429 to guesses.
    ErrorFormat.NIGHTSCOUT: (401, 429),
    ErrorFormat.NIGHTSCOUT_V3: (401, 403, 429),
}
