"""The description of notes."""

from chalicelib.api.openapi.terms import (
    EMPTY,
    FREE_FORM,
    TIME,
    USER_ID,
    Api,
    Body,
    Details,
    Parameter,
    Reply,
    all_of,
    array,
    described,
    record,
    reference,
    text,
)
from chalicelib.api.operations.notes import (
    EDIT_NOTE,
    LIST_NOTES,
    LIST_NOTES_AND_REPLIES,
    READ_NOTE,
    READ_THREAD,
    REMOVE_NOTE,
    REPLY_TO_NOTE,
    SEND_NOTE,
)

_MESSAGES = Reply(all_of({"messages": array(reference("Message"))}), "The messages, newest first.")
_NO_MESSAGES = {404: Reply(all_of({"messages": array(reference("Message"), maxItems=0)}), "There are none.")}
_NO_MESSAGE = {404: Reply(all_of({"message": FREE_FORM}), "There is no such message.")}
_NO_THREAD = {
    404: Reply(
        record({"message": FREE_FORM, "messages": array(reference("Message"), maxItems=0)}),
        "There is no such message.",
    )
}
_TIMES = (
    Parameter("starttime", text(), "Messages about this time or later: a time, or a day of UTC."),
    Parameter("endtime", text(), "Messages about earlier times."),
)
_NEW_ID = Reply(all_of({"id": text()}), "The id of the message.")
_TEXT = text("At most 10 KB in UTF-8.", minLength=1)
_TIMESTAMP = described(TIME, "What the message is about.")
_MESSAGE = Body(
    record(
        {
            "message": record(
                {"guid": text(minLength=1, maxLength=256), "timestamp": _TIMESTAMP, "messagetext": _TEXT},
                ("guid", "timestamp", "messagetext"),
                "Other members are ignored.",
                is_open=True,
            )
        },
        ("message",),
        is_open=True,
    ),
    "The same message sent again is stored once.",
)
_EDIT = Body(
    record(
        {"message": record({"timestamp": _TIMESTAMP, "messagetext": _TEXT}, about="One or both.", is_open=True)},
        ("message",),
        is_open=True,
    )
)

NOTE_API = Api(
    "Notes",
    "What people wrote about moments in a user's data, and replies to it.",
    {
        LIST_NOTES: Details(
            _MESSAGES, query=_TIMES, failures=(413,), other_replies=_NO_MESSAGES, ignores_unknown_query=True
        ),
        LIST_NOTES_AND_REPLIES: Details(
            _MESSAGES, query=_TIMES, failures=(413,), other_replies=_NO_MESSAGES, ignores_unknown_query=True
        ),
        READ_NOTE: Details(Reply(all_of({"message": reference("Message")}), "The message."), other_replies=_NO_MESSAGE),
        READ_THREAD: Details(_MESSAGES, failures=(413,), other_replies=_NO_THREAD),
        SEND_NOTE: Details(_NEW_ID, body=_MESSAGE),
        REPLY_TO_NOTE: Details(_NEW_ID, body=_MESSAGE, other_replies=_NO_MESSAGE),
        EDIT_NOTE: Details(EMPTY, body=_EDIT, other_replies=_NO_MESSAGE),
        REMOVE_NOTE: Details(EMPTY, other_replies=_NO_MESSAGE),
    },
    {
        "Message": record(
            {
                "id": text(),
                "guid": text("What the client chose."),
                "parentmessage": {"type": ["string", "null"], "description": "Of a reply: the id of its note."},
                "userid": described(USER_ID, "The author."),
                "groupid": described(USER_ID, "The user whose data it is about."),
                "timestamp": _TIMESTAMP,
                "createdtime": TIME,
                "messagetext": text(),
                "user": all_of({"fullName": text()}, "The author; missing without a name in the profile."),
            },
            ("id", "guid", "parentmessage", "userid", "groupid", "timestamp", "createdtime", "messagetext"),
        )
    },
)
