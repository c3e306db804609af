"""Views of a stage, without the ids and times of a run: two runs that should end alike have equal ones."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence

from chalicelib.blobs.blob import BlobKind
from chalicelib.blobs.stores.blobs import ITEMS_BYTES
from chalicelib.tasks.ports import TaskFilter
from chalicelib.tasks.task import State
from chalicelib.tiles.verify import check_tiles
from tests.faults.preparation import ANNA, BEN, CARA, ZOE, session
from tests.faults.scene import SERVER, DefectError, Scene

Views = Mapping[str, str]
"""Text that is seen at each place."""

OF_SERVERS = (
    "/v1/users/{}/data_sets",
    "/data/{}",
    "/data/{}?latest=true",
    "/v1/users/{}/freshness",
    "/v1/summaries/cgm/{}",
    "/v1/users/{}/refusals",
    "/v1/users/{}/data_sources",
    "/v1/users/{}/blobs",
    "/v1/users/{}/device_logs",
    "/v1/users/{}/restricted_tokens",
    "/message/notes/{}",
    "/access/{}",
    "/access/groups/{}",
    "/metadata/{}/profile",
    "/auth/user/{}",
)
OF_OWNERS = (
    "/v1/users/{}/logins",
    "/v1/users/{}/nightscout_credentials",
    "/confirm/invite/{}",
    "/confirm/invitations/{}",
)
OF_DEVICES = (
    "entries?count=100&find[date][$gte]=0",
    "treatments?count=100&find[created_at][$gte]=2000",
    "profile",
    "devicestatus?count=100&find[created_at][$gte]=2000",
    "food",
)
"""Without a range of dates, the answer would depend on the time at which a run asks."""
NAMES = ("new@example.org", "a@example.org", "kind@example.org", "kid@example.org", "anna@example.org")
"""Addresses that accounts may have."""

STATES = {State.COMPLETED: "ended", State.FAILED: "ended", State.PENDING: "pending", State.RUNNING: "running"}
"""A task that met a fault has failed, and says so."""


def views(scene: Scene, user_ids: Sequence[str] = (ANNA,)) -> Views:
    """The views of the stage, and of some users with all that they have."""
    scene.token(SERVER)
    events = "/v1/metrics/events?from=2026-01-01&to=2026-01-31&event=kept"
    seen = {"tasks": _tasks(scene), "events": _get(scene, events, session(SERVER))}
    for user_id in user_ids:
        seen |= _of_user(scene, user_id)
    for user_id in (BEN, ZOE):
        for path in ("/access/groups/{}", "/access/{}"):
            seen[path.format(user_id)] = _get(scene, path.format(user_id), session(SERVER))
    for name in NAMES:
        seen[name] = _get(scene, f"/auth/user/{name}", session(SERVER))
        for password in ("a-good-one?", "another-one?", "a-third-one?", "a-fourth-one?"):
            account = scene.services.accounts.accounts.find_by_email(name)
            hashed = None if account is None else account.password_hash
            seen[f"{name} {password}"] = str(scene.services.accounts.passwords.verify(hashed, password))
    return seen


def settle(scene: Scene) -> None:
    """Let all jobs run until nothing is left to do, those too that a use case has put off."""
    scene.bring_forward_all_jobs()
    scene.work(1)
    for _ in range(2):
        scene.work(25)


def different(first: Views, second: Views) -> list[str]:
    """The views that differ, with the place of the first difference."""
    return [
        f"{place}: {_excerpt(first.get(place, ''), second.get(place, ''))}"
        for place in sorted(first.keys() | second.keys())
        if first.get(place) != second.get(place)
    ]


def require_sound(scene: Scene) -> None:
    """Raise unless counters count what is stored, and tiles have what the log has.

    Raises:
        DefectError: they do not.
    """
    for user_id in (ANNA, CARA):
        checked = check_tiles(user_id, scene.services.tiles)
        if checked.wrong:
            raise DefectError(f"tiles of {user_id} are wrong: {checked.wrong}")
        stored: Counter[str] = Counter()
        for kind in BlobKind:
            for blob in scene.services.blobs.blobs.of_user(kind, user_id):
                stored[user_id] += (blob.size_bytes or 0) + ITEMS_BYTES
        (counted,) = scene.services.blobs.blobs.stored_bytes([user_id])
        if counted != stored[user_id]:
            raise DefectError(f"{user_id} has {stored[user_id]} bytes of files, and {counted} are counted")


def _of_user(scene: Scene, user_id: str) -> dict[str, str]:
    server = session(SERVER)
    seen = {path.format(user_id): _get(scene, path.format(user_id), server) for path in OF_SERVERS}
    for kind in BlobKind:
        for blob in scene.services.blobs.blobs.of_user(kind, user_id):
            content = scene.services.blobs.contents.read(blob.content_key)
            seen[f"{kind} {blob.digest_md5}"] = str(content)
    if scene.services.accounts.accounts.find(user_id) is not None:
        scene.token(user_id)
        seen |= {path.format(user_id): _get(scene, path.format(user_id), session(user_id)) for path in OF_OWNERS}
    device = {"api_secret": scene.names[f"{user_id[0]} secret"]}
    for path in OF_DEVICES:
        seen[f"{user_id} {path}"] = _get(scene, f"/api/v1/{path}", device)
    return seen


def _get(scene: Scene, path: str, headers: Mapping[str, str]) -> str:
    reply = scene.request("GET", path, **headers)
    if reply.status >= 500:
        raise DefectError(f"GET {path} is answered {reply.status} without a fault")
    seen = scene.issued.without(reply.body.decode(errors="replace"))
    if path.endswith("/logins"):  # who repeats a sign-in whose answer was lost is signed in twice
        seen = json.dumps(sorted(set(map(json.dumps, json.loads(seen)))))
    return f"{reply.status} {seen}"


def _tasks(scene: Scene) -> str:
    listed = scene.services.tasks.tasks.listed(TaskFilter(), 0, 1000)
    return json.dumps(sorted((task.name or "", task.type, STATES[task.state]) for task in listed))


def _excerpt(first: str, second: str) -> str:
    start = next((at for at, pair in enumerate(zip(first, second, strict=False)) if pair[0] != pair[1]), 0)
    start = max(0, min(start, len(first), len(second)) - 60)
    return f"{first[start : start + 200]!r} and {second[start : start + 200]!r}"
