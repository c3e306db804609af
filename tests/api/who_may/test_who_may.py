"""Every caller of the table may what it says and no more: each operation, with each credential.

A refused request changes nothing that is stored.
"""

from collections.abc import Mapping

import pytest

from chalicelib.api.operations.operation import ErrorFormat, Operation
from tests.api.conftest import Reply
from tests.api.who_may.callers import CREDENTIALS, DOORS, PLATFORM, SESSION, Credential, Sent
from tests.api.who_may.expectations import (
    ANYONE,
    FALSE_TOKENS,
    REFUSALS,
    WHO_MAY,
    is_admitted,
    needs_proof,
    operation_of,
    path_of,
)
from tests.api.who_may.requests import PROOFS
from tests.api.who_may.scene import Scene
from tests.api.who_may.sending import BY_NAME, PREPARATIONS, asked_of_row, operation_of_row, paths_of, send
from tests.api.who_may.test_ids_of_others import MEMBERS, PARAMETERS
from tools.project import ROOT

NOBODY, KNOWN = 401, 403
ALSO_401 = {ErrorFormat.AUTH, ErrorFormat.CONFIRM, ErrorFormat.NODE, ErrorFormat.NIGHTSCOUT, ErrorFormat.OAUTH}
"""The APIs that answer 401 to a user who may not."""
STRICT = {
    "data_sets.list",
    "datasets.list",
    "data_sources.list",
    "blobs.list",
    "blobs.delete",
    "device_logs.list",
    "nightscout_documents.list",
}
"""The requests that refuse unknown parameters, a restricted token among them (data-api 2)."""
SHOWN_AGAIN = {"account_pages.answer_invitation"}
"""The forms that come again with 200, for a person who has to sign in first."""
OTHER_PATHS = ("no credential", "session of stranger", "session of owner", "session of server", "restricted token")
"""The credentials that are tried on the further spellings of an operation's path."""
OF_ANYONE = (
    *OTHER_PATHS,
    "expired session",
    "wrong server secret",
    "restricted token at its end",
    "refresh token as bearer",
)
"""The credentials that are tried where none is needed: a false one does no harm."""


def test_the_table_has_every_operation() -> None:
    assert {operation_of(row) for row in WHO_MAY} == set(BY_NAME)
    for name, operation in BY_NAME.items():
        special = {path_of(row) for row in WHO_MAY if operation_of(row) == name} - {""}
        assert special <= set(operation.paths), name
        assert name in WHO_MAY, f"{name} has no row for its other paths"


def test_the_page_has_the_figures() -> None:
    """Those of docs/reliability.md."""
    proofs = [row for row in WHO_MAY if needs_proof(row)]
    tried = sum(len(names) for row in WHO_MAY if row not in proofs for _, names in _tried(row))
    false = sum(len(_proofs(row)) * len(paths_of(row)) for row in proofs) * len(CREDENTIALS)
    assert (len(BY_NAME) > 200, tried > 9_000, false > 1_000) == (True, True, True)
    page = " ".join((ROOT / "docs" / "reliability.md").read_text().split())
    assert f"each of {len(CREDENTIALS)} credentials" in page
    assert f"{len(MEMBERS) + len(PARAMETERS)} members and parameters" in page


@pytest.mark.parametrize("row", [row for row in WHO_MAY if not needs_proof(row)])
def test_each_credential_opens_what_the_table_says(scene: Scene, row: str) -> None:
    faults = {f"{path}: {name}": _fault(scene, row, path, name) for path, names in _tried(row) for name in names}
    assert [f"{tried}: {fault}" for tried, fault in faults.items() if fault] == []


@pytest.mark.parametrize("row", [row for row in WHO_MAY if needs_proof(row)])
def test_a_proof_is_needed_and_no_credential_takes_its_place(scene: Scene, row: str) -> None:
    proofs = _proofs(row)
    assert proofs
    faults = []
    for path in paths_of(row):
        scene.restore()
        if (status := _send(scene, row, path, Sent(), {}).status) >= 400:
            faults.append(f"{path}: {status} with the proof")
        for proof in sorted(proofs):
            for name, credential in CREDENTIALS.items():
                scene.restore()
                sent = credential.carry(scene, path)
                if {name.lower() for name in sent.headers} & {"cookie", "authorization"} and proof in (
                    "cookies",
                    "basic",
                ):
                    continue
                mark, changed = scene.mark(), []
                reply = _send(scene, row, path, sent, {proof: "x" * 32})
                refused = reply.status in range(400, 500) or (row in SHOWN_AGAIN and reply.status == 200)
                if not refused or (changed := scene.changes_since(mark)):
                    faults.append(f"{path}: {name} without {proof}: {reply.status} {changed}")
    assert faults == []


def _tried(row: str) -> list[tuple[str, tuple[str, ...]]]:
    """The paths of a row, each with the names of the credentials that are tried."""
    of_first = OF_ANYONE if WHO_MAY[row].startswith(ANYONE) else tuple(CREDENTIALS)
    return [(path, OTHER_PATHS if index else of_first) for index, path in enumerate(paths_of(row))]


def _proofs(row: str) -> set[str]:
    """The proofs in the request of a row."""
    return set(PROOFS) & set(asked_of_row(row).things())


def _fault(scene: Scene, row: str, path: str, name: str) -> str:
    """The difference between a reply and the table; empty if there is none."""
    credential, operation = CREDENTIALS[name], operation_of_row(row)
    scene.restore()
    if row in PREPARATIONS:
        PREPARATIONS[row](scene)
    sent = credential.carry(scene, asked_of_row(row).target(path, scene.values, {}).partition("?")[0])
    mark = scene.mark()
    reply = _send(scene, row, path, sent, {})
    who = credential.stands_for.get(DOORS[operation.error_format], "nobody")
    is_false_token = WHO_MAY[row] == FALSE_TOKENS and SESSION in sent.headers and who == "nobody"
    if is_admitted(row, who) and not is_false_token:
        is_strict = operation.name in STRICT and "restricted_token" in sent.query
        is_right = reply.status == 400 if is_strict else _is_success(operation, reply)
        return "" if is_right else f"is admitted, and got {reply.status} {reply.body[:200]!r}"
    wanted = _refusal(row, operation, credential)
    if reply.status != wanted:
        return f"is refused with {wanted}, and got {reply.status} {reply.body[:100]!r}"
    changed = scene.changes_since(mark)
    return f"is refused, and changed {changed}" if changed else ""


def _is_success(operation: Operation, reply: Reply) -> bool:
    return reply.status in (operation.success_status, *range(200, 400))


def _refusal(row: str, operation: Operation, credential: Credential) -> int:
    door = DOORS[operation.error_format]
    if door not in credential.stands_for:
        return KNOWN if credential.is_malformed and door == PLATFORM else NOBODY
    who = credential.stands_for[door]
    of_api = NOBODY if operation.error_format in ALSO_401 else KNOWN
    return REFUSALS.get((row, who), REFUSALS.get((row, "*"), of_api))


def _send(scene: Scene, row: str, path: str, sent: Sent, changed: Mapping[str, str]) -> Reply:
    return send(scene, row, path, sent, asked_of_row(row), {**scene.values, **changed})
