"""An id of another user opens nothing and changes nothing, in no place of a request where an id can stand.

Anna sends each request that she may send, with a thing of Ben's in place of hers: in the path, the query, the headers
or the body. Then she adds Ben's ids where no id belongs.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import pytest

from tests.api.conftest import Reply
from tests.api.who_may.callers import CREDENTIALS, DOORS, OAUTH, V1, V3, Sent
from tests.api.who_may.expectations import ANYONE, WHO_MAY, is_admitted, needs_proof
from tests.api.who_may.requests import PROOFS, Asked
from tests.api.who_may.scene import BEN, EMAILS, Scene
from tests.api.who_may.sending import PREPARATIONS, asked_of_row, operation_of_row, paths_of, send

OWN_COPIES = ("data.delete", "nightscout.")
"""The rows in which an id means a thing of the caller's own, whatever id it is: nothing of Ben's can be named."""
OTHER_PERSONS = {("oidc.sign_in", "email"), ("account_pages.ask_new_password", "email")}
"""A person may sign in as Ben with Ben's password, and have a mail sent to Ben."""
MEMBERS = (
    *("userId", "userid", "_userId", "_groupId", "groupId", "groupid", "user", "owner", "ownerId", "accountId"),
    *("createdUserId", "modifiedUserId", "deletedUserId", "byUser", "creatorId", "sharerId", "granteeId", "subject"),
    *("id", "_id", "uploadId", "dataSetId", "identifier", "parentmessage", "key", "loginId", "providerSessionId"),
)
"""The names under which Ben's ids are added to bodies."""
PARAMETERS = (
    *("userId", "user_id", "userid", "user", "id", "_id", "uploadId", "dataSetId", "sharerId", "ownerId"),
    *("find[_id]", "find[identifier]", "find[userId]", "token_id"),
)
"""The names under which Ben's ids are added to queries."""


def _carried(scene: Scene, row: str) -> Sent | None:
    """Anna's own credential for a row; None if she may not, or needs none."""
    door = DOORS[operation_of_row(row).error_format]
    if needs_proof(row):
        return Sent()
    name = {V1: "Nightscout token to upload", V3: "Nightscout JWT to upload", OAUTH: "access token as bearer"}
    credential = CREDENTIALS[name.get(door, "session of owner")]
    may = is_admitted(row, credential.stands_for[door]) and not WHO_MAY[row].startswith(ANYONE)
    return credential.carry(scene, "") if may else None


def _places(scene: Scene, row: str) -> Iterator[tuple[int, str]]:
    """The places of a request, with the thing that stands there, where Ben's thing is another one."""
    asked = _spelled_out(row)
    things = asked.things()
    if needs_proof(row) and len(set(things)) == 1:
        return  # the proof alone says whose it is
    for place, name in enumerate(things):
        is_proof = needs_proof(row) and name in PROOFS and not name.endswith(("verify", "reset"))
        if scene.values[name] != scene.others[name] and (row, name) not in OTHER_PERSONS and not is_proof:
            yield place, name


def _spelled_out(row: str) -> Asked:
    """The request with the parameters of its path spelled out."""
    asked, path = asked_of_row(row), paths_of(row)[0]
    return replace(asked, path=asked.parameters_of(path))


def _faults(scene: Scene, reply: Reply, before: Mapping[tuple[str, ...], bytes], sent: str) -> list[str]:
    """The faults of a reply: what it shows of Ben beside what was sent, and what of his has changed."""
    shown = [secret for secret in _secrets(scene) if secret.encode() in reply.body and secret != sent]
    return shown + [f"changed {key}" for key in _changed(scene, before)]


def _secrets(scene: Scene) -> list[str]:
    texts = ("the-data-of-", "the-note-of-", "the content of ", "treatment-of-", "name-of-", "food-", "phone-", "cgm-")
    tokens = ("access_token", "refresh_token", "read_token", "upload_token", "restricted", "reset", "verify")
    return [f"{text}{BEN}" for text in texts] + [scene.others[name] for name in tokens]


def _of_ben(scene: Scene, stored: Mapping[tuple[str, ...], bytes]) -> dict[tuple[str, ...], bytes]:
    """The items that are stored under Ben's ids."""
    ids = {BEN, *(scene.others[name] for name in OF_BEN)}
    return {key: value for key, value in stored.items() if any(id_ in part for part in key for id_ in ids)}


OF_BEN = ("data_set", "data_source", "blob", "log", "restricted", "other_restricted", "provider_session", "twiist_link")


def _changed(scene: Scene, before: Mapping[tuple[str, ...], bytes]) -> list[tuple[str, ...]]:
    after = _of_ben(scene, scene.stored())
    return sorted(key for key in before.keys() | after.keys() if before.get(key) != after.get(key))


@pytest.mark.parametrize("row", WHO_MAY)
def test_a_thing_of_another_user_in_place_of_ones_own(scene: Scene, row: str) -> None:
    sent = _carried(scene, row)
    if sent is None:
        return
    faults = []
    for place, name in _places(scene, row):
        scene.restore()
        if row in PREPARATIONS:
            PREPARATIONS[row](scene)
        before = _of_ben(scene, scene.stored())
        asked = _spelled_out(row).with_other(place, f"other_{name}_of_ben")
        things = scene.values | {f"other_{name}_of_ben": scene.others[name]}
        reply = send(scene, row, paths_of(row)[0], sent, asked, things)
        found = _faults(scene, reply, before, scene.others[name])
        if not 400 <= reply.status < 500 and not row.startswith(OWN_COPIES):
            found.append(f"status {reply.status} {reply.body[:200]!r}")
        faults += [f"{name}: {fault}" for fault in found]
    assert faults == []


def test_most_requests_have_a_place_for_an_id_of_another_user(scene: Scene) -> None:
    assert sum(len(list(_places(scene, row))) for row in WHO_MAY if _carried(scene, row) is not None) > 100


def _id_of_ben(scene: Scene, name: str) -> str:
    """The id of Ben's that a name suggests."""
    by_name = {"uploadId": "data_set", "dataSetId": "data_set", "parentmessage": "message", "identifier": "treatment"}
    by_name |= {"_id": "treatment", "find[_id]": "treatment", "find[identifier]": "treatment", "key": "reset"}
    by_name |= {"providerSessionId": "provider_session", "id": "data_set"}
    return scene.others[by_name.get(name, "user")]


@pytest.mark.parametrize("row", [row for row in WHO_MAY if isinstance(asked_of_row(row).body, dict | list)])
def test_ids_of_another_user_that_are_added_to_a_body(scene: Scene, row: str) -> None:
    sent = _carried(scene, row)
    if sent is None:
        return
    faults = []
    for name in MEMBERS:
        scene.restore()
        before = _of_ben(scene, scene.stored())
        asked = asked_of_row(row)
        asked = replace(asked, body=_with_member(asked.body, name, _id_of_ben(scene, name)))
        reply = send(scene, row, paths_of(row)[0], sent, asked, scene.values)
        faults += [f"{name}: {fault}" for fault in _faults(scene, reply, before, _id_of_ben(scene, name))]
    assert faults == []


def _with_member(body: Any, name: str, value: str) -> Any:
    """The body with a member in each of its objects."""
    if isinstance(body, list):
        return [_with_member(element, name, value) for element in body]
    if not isinstance(body, dict):
        return body
    return {key: _with_member(member, name, value) for key, member in body.items()} | {name: value}


@pytest.mark.parametrize("row", [row for row in WHO_MAY if asked_of_row(row).body is None])
def test_ids_of_another_user_that_are_added_to_a_query(scene: Scene, row: str) -> None:
    sent = _carried(scene, row)
    if sent is None:
        return
    faults = []
    for name in PARAMETERS:
        scene.restore()
        before = _of_ben(scene, scene.stored())
        with_query = Sent(sent.headers, {**sent.query, name: _id_of_ben(scene, name)})
        reply = send(scene, row, paths_of(row)[0], with_query, asked_of_row(row), scene.values)
        faults += [f"{name}: {fault}" for fault in _faults(scene, reply, before, _id_of_ben(scene, name))]
    assert faults == []


KEYS = ("verify", "reset", "mailed", "received", "sent")
"""Keys of a new password, of a proof of the address, of invitations that were mailed, received and sent."""
KEYS_OF_INVITATIONS = {"mailed", "received", "sent"}
"""The page of an invitation shows each of them."""
SAME_INVITATION = {"mailed", "received"}
"""One invitation has both: one key in the mail, and one in the list of the invited person."""
KEY_ROWS = [row for row in WHO_MAY if set(KEYS) & set(asked_of_row(row).things())]


@pytest.mark.parametrize("row", KEY_ROWS)
@pytest.mark.parametrize("other", [*KEYS, "form_token", "sso_cookie", "restricted", "read_token", "session"])
def test_a_key_is_good_for_its_own_purpose_only(scene: Scene, row: str, other: str) -> None:
    (wanted,) = set(KEYS) & set(asked_of_row(row).things())
    is_page = row.startswith("account_pages.")
    if {wanted, other} <= (KEYS_OF_INVITATIONS if is_page else SAME_INVITATION) or wanted == other:
        return
    mark = scene.mark()
    sent = _carried(scene, row) or Sent()
    asked = asked_of_row(row)
    reply = send(scene, row, paths_of(row)[0], sent, asked, scene.values | {wanted: scene.values[other]})
    if row == "account_pages.open_invitation":  # leads to the page, which looks at the key
        assert reply.status == 303
    else:
        assert 400 <= reply.status < 500
    assert scene.changes_since(mark) == []


def test_both_have_things_of_their_own(scene: Scene) -> None:
    assert scene.values.keys() == scene.others.keys()
    same = {name for name in scene.values if scene.values[name] == scene.others[name]}
    assert same == {"password", "stage_secret", "grantee", "inviter"}
    assert EMAILS[BEN] == scene.others["email"]
    assert len(_of_ben(scene, scene.stored())) > 30
