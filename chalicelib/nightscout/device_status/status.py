"""A device status: what a loop or an uploader says of itself every few minutes. Source: nightscout-api 7, 17."""

from collections.abc import Mapping
from typing import Any

from chalicelib import json_text
from chalicelib.errors import TooLargeError
from chalicelib.nightscout.document import MAX_BYTES, STORED_ID, chosen_id, document_key, new_id
from chalicelib.nightscout.ports import DeviceStatus
from chalicelib.nightscout.times import iso_time, read_time

COLLECTION = "devicestatus"


def sent_status(sent: Mapping[str, Any], now_ms: int) -> DeviceStatus:
    """The status of a document that a client sent.

    Raises:
        InvalidIdError: its `_id` is not 24 hexadecimal digits.
        TooLargeError: it takes more than `MAX_BYTES`.
    """
    document_id = chosen_id(sent, STORED_ID)
    zoned = read_time(sent.get("created_at"))
    is_timed = zoned is not None and zoned.time_ms > 0
    time_ms = zoned.time_ms if zoned is not None and is_timed else now_ms
    content = {name: value for name, value in sent.items() if name not in ("_id", "created_at")}
    body = {
        **content,
        "created_at": iso_time(time_ms),
        "utcOffset": zoned.offset_minutes if zoned is not None and is_timed else 0,
    }
    body["_id"] = document_id or new_id(time_ms, document_key(COLLECTION, json_text.encode(body).decode()))
    text = json_text.encode(body)
    if len(text) > MAX_BYTES:
        raise TooLargeError(MAX_BYTES, f"a document may have at most {MAX_BYTES} bytes")
    is_found_by_content = document_id is None and not is_timed
    content_key = document_key(COLLECTION, json_text.encode(content).decode()) if is_found_by_content else ""
    return DeviceStatus(body["_id"], time_ms, content_key, text)
