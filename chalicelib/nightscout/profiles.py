"""Profiles: schedules of a pump and targets, as Nightscout's v1 stores and finds them. Source: nightscout-api 4 and 7.

They are kept whole, and the Tidepool API shows them as pump settings (`mapping.profiles`).
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from chalicelib import json_text
from chalicelib.access.call import Call
from chalicelib.errors import InvalidRequestError
from chalicelib.nightscout.catalogues.plain_documents import delete_plain
from chalicelib.nightscout.change import Draft, store_documents
from chalicelib.nightscout.document import REPLACED_ID, STORED_ID, Collection, chosen_id, document_key, key_of_id
from chalicelib.nightscout.find import Fields, Find, parse_find
from chalicelib.nightscout.ports import NightscoutPorts
from chalicelib.nightscout.search import FoundDocuments, Matches, Query, Span, find_documents, search
from chalicelib.nightscout.sent_documents import sent_documents
from chalicelib.nightscout.times import iso_time, read_time

DEFAULT_COUNT = 10
FIELDS = Fields(date="startDate")


def store_profiles(call: Call, user_id: str, sent: Any, ports: NightscoutPorts) -> list[dict[str, Any]]:
    """Store profiles, and return them as stored, in the order sent. An equal one, or one with the `_id` of a stored
    one, is the same one.

    Args:
        sent: the JSON value of the body.

    Raises:
        UnauthorizedError: the credential may not upload.
        InvalidRequestError: the body is neither an object nor an array of objects, or has an `_id` of another form.
        TooLargeError: a profile is too large. In all these cases nothing was stored.
    """
    call.require(user_id)
    drafts = [_draft(profile, call.now_ms, STORED_ID) for profile in sent_documents(sent)]
    return [document.body for document in store_documents(call, user_id, Collection.PROFILE, drafts, ports)]


def replace_profile(call: Call, user_id: str, sent: Any, ports: NightscoutPorts) -> dict[str, Any]:
    """Store one profile in place of the one with its `_id`, and return it as stored.

    Raises:
        As `store_profiles`, and for an array.
    """
    call.require(user_id)
    if not isinstance(sent, dict) or not sent:
        raise InvalidRequestError("the body has to be one profile")
    (profile,) = sent_documents(sent)
    draft = _draft(profile, call.now_ms, REPLACED_ID)
    return store_documents(call, user_id, Collection.PROFILE, [draft], ports)[0].body


def list_profiles(call: Call, user_id: str, query: Query, ports: NightscoutPorts) -> FoundDocuments:
    """The newest profiles by their start. Of the query, `count` counts and conditions do not, as in Nightscout.

    Raises:
        UnauthorizedError: the credential may not read.
        InvalidRequestError: `count` is unreadable.
    """
    call.require(user_id)
    count = parse_find({name: values for name, values in query.items() if name == "count"}, FIELDS).count
    return _found_profiles(_newest(user_id, count or DEFAULT_COUNT, ports))


def find_profiles(call: Call, user_id: str, query: Query, ports: NightscoutPorts) -> FoundDocuments:
    """The newest profiles that a query finds; without a condition on the start, those of the last days only.

    Raises:
        UnauthorizedError: the credential may not read.
        InvalidRequestError: the query is unreadable, or more has to be read than a search may read.
    """
    call.require(user_id)
    find = parse_find(query, FIELDS)
    find = replace(find, count=find.count or DEFAULT_COUNT)
    return _found_profiles(find_documents(call, user_id, Collection.PROFILE, (find, FIELDS), ports))


def current_profile(call: Call, user_id: str, ports: NightscoutPorts) -> dict[str, Any] | None:
    """The profile that starts last; None without any.

    Raises:
        UnauthorizedError: the credential may not read.
    """
    call.require(user_id)
    newest = _newest(user_id, 1, ports).documents
    return newest[0].body if newest else None


def delete_profile(call: Call, user_id: str, profile_id: str, ports: NightscoutPorts) -> None:
    """Delete the profile with this `_id`; an unknown one is not an error.

    Raises:
        As `delete_plain`.
    """
    delete_plain(call, user_id, Collection.PROFILE, profile_id, ports)


def _found_profiles(matches: Matches) -> FoundDocuments:
    """Profiles as they are answered. A profile keeps its start when it changes, so it has no time of change."""
    return replace(FoundDocuments.of_matches(matches), newest_ms=None)


def _newest(user_id: str, count: int, ports: NightscoutPorts) -> Matches:
    return search(user_id, Collection.PROFILE, Find(count=count), Span(), ports)


def _draft(sent: Mapping[str, Any], now_ms: int, id_rule: str) -> Draft:
    document_id = chosen_id(sent, id_rule)
    body = {name: value for name, value in sent.items() if name != "_id" or value is not None}
    key = document_key(Collection.PROFILE, json_text.encode(body).decode())
    start = read_time(body.get("startDate"))
    time_ms = now_ms if start is None or start.time_ms <= 0 else start.time_ms
    if not body.get("created_at"):
        body["created_at"] = iso_time(now_ms)
    if document_id is None:
        return Draft(key, time_ms, body, is_merged=True, is_time_in_key=start is not None)
    key = document_key(Collection.PROFILE, "_id", document_id)
    return Draft(key, time_ms, body, is_time_in_key=False, alternate_key=key_of_id(document_id))
