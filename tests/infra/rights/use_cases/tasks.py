"""Use cases of tasks: the task API, the dispatcher, and each type of task with work to do."""

from chalicelib.accounts.account import Account
from chalicelib.blobs.blob import BlobKind
from chalicelib.confirmations.sign_up_confirmation import SignUpConfirmation, SignUpStatus
from chalicelib.engine.aws.engine import aws_engine
from chalicelib.engine.table import Query
from chalicelib.tasks.task import ScheduleState, Task
from chalicelib.tiles.stores.keys import tiles_partition
from tests.infra.rights.stage import PASSWORD, SETTINGS, Stage, User
from tests.infra.rights.use_cases import blobs
from tests.infra.rights.use_cases.data import DEVICE_HASH, SMALL, STAGED, add, cbg, open_data_set, read

ECHO = "strandline.diagnostics.echo"
REBUILD = "strandline.data.rebuild"
DAY_H = 24


def task_api(stage: Stage) -> None:
    """Tasks with and without a name: created, listed, changed and deleted."""
    for name in ({}, {"name": "a-name"}):
        path = f"/v1/tasks/{_create(stage, **name)}"
        stage.request("GET", path, token=stage.server)
        stage.request("PUT", path, {"priority": 1}, token=stage.server)
        stage.request("GET", "/v1/tasks?name=a-name", token=stage.server)
        stage.request("GET", f"/v1/tasks?type={ECHO}", token=stage.server)
        stage.request("DELETE", path, token=stage.server)


def stage_figures(stage: Stage) -> None:
    """The figures of a stage with a user."""
    stage.sign_up("counted")
    stage.request("GET", "/v1/stage", token=stage.server)


def _create(stage: Stage, **members: object) -> str:
    task: str = stage.request("POST", "/v1/tasks", {"type": ECHO} | members, token=stage.server).json()["id"]
    return task


def dispatcher(stage: Stage) -> None:
    """Ticks: the platform's own jobs are created, a task is started, lost, and recovered."""
    stage.tick()
    _create(stage)
    stage.take_messages()  # the creation wakes a worker, which comes too late
    stage.tick()
    assert stage.take_messages()
    stage.pass_time(DAY_H)
    stage.tick()
    assert stage.logged("tick")[-1]["recovered"]


def deletion_during_a_tick(stage: Stage) -> None:
    """A task that is deleted after a slot was taken for it."""
    path = f"/v1/tasks/{_create(stage)}"
    stage.take_messages()
    stage.recorder.interrupt("dynamodb:PutItem", lambda: stage.request("DELETE", path, token=stage.server))
    stage.tick()


def waking(stage: Stage) -> None:
    """A worker that is woken by a new task, starts it, and then runs it."""
    _create(stage)
    stage.run_tasks()
    assert stage.logged("task run")[-1]["result"] == "completed"


def all_types(stage: Stage) -> None:
    """Each type of task, with work of each kind, left by a user who stays and by one who goes."""
    goes, stays = stage.sign_up("goes"), stage.sign_up("stays")
    for user, other in ((goes, stays), (stays, goes)):
        _leave_traces(stage, user, other)
    _lose_notices(stage, stays)
    _leave_sign_ups(stage)
    _run_all(stage, stays)
    for user in (goes, stays):
        read(stage, user)
        _lose_hour_sums(user)
        _delete_data_sets(stage, user)
        add(stage, user, open_data_set(stage, user), STAGED)
    stage.request("DELETE", f"/auth/user/{goes.id}", {"password": PASSWORD}, token=goes.token)
    _run_all(stage, stays)
    _run_all(stage, stays)


def _leave_traces(stage: Stage, user: User, other: User) -> None:
    """Leaves all that a user can have, of which a part is deleted or never came."""
    stage.request("GET", "/auth/login", token=user.token)
    for _ in range(2):
        stage.request("POST", f"/v1/users/{user.id}/restricted_tokens", {}, token=user.token, Idempotency_Key="k")
    stage.request("POST", f"/access/{user.id}/{other.id}", {"view": {}}, token=user.token)
    stage.request("PUT", f"/metadata/{user.id}/profile", {"fullName": "A"}, token=user.token)
    note = {"message": {"guid": "a", "timestamp": "2026-01-01T10:00:00Z", "messagetext": "A snack"}}
    stage.request("POST", f"/message/send/{user.id}", note, token=user.token)
    source = {"providerType": "oauth", "providerName": "test"}
    stage.request("POST", f"/v1/users/{user.id}/data_sources", source, token=stage.server)
    for is_deleted in (True, False):
        path = open_data_set(stage, user)
        for count in (SMALL, STAGED):
            add(stage, user, path, count)
        stage.request_for(400, "POST", f"{path}/data", [{"type": "none"}], token=user.token)
        if is_deleted:
            stage.request("DELETE", path, token=user.token)
    device = {"dataSetType": "normal", "deviceId": "d", "deduplicator": {"name": DEVICE_HASH}}
    for _ in range(2):
        path = open_data_set(stage, user, **device)
        stage.request("POST", f"{path}/data", [cbg(1, deviceId="d")], token=user.token)
        stage.request("PUT", path, {"state": "closed"}, token=user.token)
    for kind in BlobKind:
        blobs.create(stage, user, kind)
        blobs.open_upload(stage, user, kind, b"a content that is to come")


def _lose_hour_sums(user: User) -> None:
    """Removes the hour sums beside the tiles, as if an earlier version had written these."""
    data = aws_engine(SETTINGS).data
    for item in data.query(Query(tiles_partition(user.id, 0), attributes=("pk", "sk"))):
        if item["sk"].endswith("#S"):
            data.delete(item)


def _lose_notices(stage: Stage, user: User) -> None:
    """Lets contents come whose notices are lost."""
    for kind in BlobKind:
        content = b"a content whose notice is lost"
        blobs.put_content(user, kind, blobs.open_upload(stage, user, kind, content)["id"], content)


def _leave_sign_ups(stage: Stage) -> None:
    """Leaves two accounts whose addresses nobody verifies; one of them has asked for another mail."""
    now_ms = stage.now_ms()
    for user_id in ("unanswered", "asked-again"):
        account = Account(user_id, now_ms, f"{user_id}@example.org", roles=("patient",))
        stage.services.accounts.accounts.create(account, expires_time_ms=now_ms)
    asked = SignUpConfirmation("asked-again", "id", "asked-again@example.org", "", SignUpStatus.PENDING, now_ms, now_ms)
    stage.services.confirmations.sign_ups.put(asked)


def _delete_data_sets(stage: Stage, user: User) -> None:
    for data_set in stage.request("GET", f"/v1/users/{user.id}/data_sets", token=user.token).json():
        stage.request("DELETE", f"/v1/data_sets/{data_set['id']}", token=user.token)


def _run_all(stage: Stage, user: User) -> None:
    """Runs all types of tasks, days after their work came up."""
    stage.request("POST", "/v1/tasks", {"type": REBUILD, "data": {"userId": user.id}}, token=stage.server)
    _create(stage)
    stage.services.tasks.tasks.add(
        Task(stage.services.new_id(), ECHO, stage.now_ms(), schedule_state=ScheduleState.UNKNOWN)
    )
    stage.pass_time(2 * DAY_H)
    stage.tick()
    stage.run_tasks()


USE_CASES = (task_api, stage_figures, dispatcher, deletion_during_a_tick, waking, all_types)
