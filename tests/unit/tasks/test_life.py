"""The life cycle of a task: each row of the table of states, and a PUT during a run. Source: task-api 7, 8.4."""

from dataclasses import replace
from typing import Any

import pytest

from chalicelib.tasks.task import (
    Ending,
    ScheduleState,
    State,
    Task,
    TaskChanges,
    changed,
    claimed,
    ended,
    is_eligible,
    is_stalled,
    recovered,
    started,
    with_schedule_state,
)

NOW = 1_000_000
TYPES = {"known"}
FAILURE = {"detail": "the last run failed"}


def pending(**fields: Any) -> Task:
    """A task of a known type at its place."""
    return with_schedule_state(Task("id", "known", NOW - 1000, **fields), TYPES, NOW)


def running(**fields: Any) -> Task:
    """A task that was claimed 500 ms ago and is at work."""
    return replace(started(claimed(pending(), NOW - 500, NOW + 1000)), **fields)


def end(task: Task, state: State, **fields: Any) -> Task:
    """The task after a run."""
    return ended(task, Ending(state, fields.pop("data", task.data), **fields), TYPES, NOW)


def test_a_claim_takes_the_available_time_and_sets_the_others() -> None:
    task = claimed(pending(available_time_ms=NOW - 1, errors=(FAILURE,)), NOW, NOW + 180_000)
    assert (task.state, task.schedule_state) == (State.RUNNING, ScheduleState.RUNNING)
    assert task.available_time_ms is None
    assert (task.run_time_ms, task.deadline_time_ms, task.modified_time_ms) == (NOW, NOW + 180_000, NOW)
    assert task.errors == (FAILURE,)


def test_the_start_of_a_run_clears_the_error() -> None:
    assert running().errors == ()
    assert started(claimed(pending(errors=(FAILURE,)), NOW, NOW + 1)).errors == ()


@pytest.mark.parametrize(
    ("state", "errors"), [(State.COMPLETED, ()), (State.FAILED, (FAILURE,)), (State.PENDING, (FAILURE,))]
)
def test_a_run_ends_in_any_state_that_the_function_asks_for(state: State, errors: tuple[dict[str, str], ...]) -> None:
    task = end(running(), state, errors=errors, data={"done": 1})
    assert (task.state, task.errors, task.data) == (state, errors, {"done": 1})
    assert task.deadline_time_ms is None
    assert task.duration_ms == 500
    assert task.modified_time_ms == NOW
    assert task.available_time_ms == (NOW if state is State.PENDING else None)
    assert task.schedule_state is (ScheduleState.READY if state is State.PENDING else ScheduleState.UNSCHEDULED)


@pytest.mark.parametrize(("asked_ms", "available_ms"), [(None, NOW), (NOW - 1, NOW), (NOW + 5000, NOW + 5000)])
def test_a_rescheduled_task_is_available_now_or_later(asked_ms: int | None, available_ms: int) -> None:
    task = end(running(), State.PENDING, available_time_ms=asked_ms)
    assert task.available_time_ms == available_ms
    assert task.schedule_state is (ScheduleState.LATER if available_ms > NOW else ScheduleState.READY)


def test_a_stalled_task_becomes_pending_without_other_changes() -> None:
    stalled = running(deadline_time_ms=NOW - 1, errors=(FAILURE,))
    task = recovered(stalled, TYPES, NOW)
    assert is_eligible(task, NOW)
    assert task == replace(
        stalled, state=State.PENDING, deadline_time_ms=None, is_started=False, schedule_state=ScheduleState.READY
    )


@pytest.mark.parametrize(("deadline_ms", "stalled"), [(NOW - 1, True), (NOW, False), (NOW + 1, False), (None, False)])
def test_only_a_deadline_that_passed_makes_a_task_stalled(deadline_ms: int | None, stalled: bool) -> None:
    assert is_stalled(running(deadline_time_ms=deadline_ms), NOW) is stalled


@pytest.mark.parametrize("state", [State.PENDING, State.FAILED, State.COMPLETED])
def test_only_running_tasks_stall(state: State) -> None:
    assert not is_stalled(replace(pending(), state=state, deadline_time_ms=NOW - 1), NOW)


@pytest.mark.parametrize(
    ("fields", "eligible"),
    [
        ({}, True),
        ({"available_time_ms": NOW}, True),
        ({"available_time_ms": NOW + 1}, False),
        ({"expiration_time_ms": NOW + 1}, True),
        ({"expiration_time_ms": NOW}, False),
        ({"available_time_ms": NOW - 5, "expiration_time_ms": NOW - 1}, False),
        ({"state": State.RUNNING}, False),
        ({"state": State.FAILED}, False),
        ({"state": State.COMPLETED}, False),
    ],
)
def test_which_tasks_may_be_claimed(fields: dict[str, Any], eligible: bool) -> None:
    assert is_eligible(pending(**fields), NOW) is eligible


@pytest.mark.parametrize(
    ("task", "schedule_state"),
    [
        (pending(), ScheduleState.READY),
        (pending(available_time_ms=NOW), ScheduleState.READY),
        (pending(available_time_ms=NOW + 1), ScheduleState.LATER),
        (pending(expiration_time_ms=NOW), ScheduleState.UNSCHEDULED),
        (pending(available_time_ms=NOW + 9, expiration_time_ms=NOW + 9), ScheduleState.UNSCHEDULED),
        (pending(available_time_ms=NOW + 9, expiration_time_ms=NOW + 10), ScheduleState.LATER),
        (with_schedule_state(Task("id", "unknown", NOW), TYPES, NOW), ScheduleState.UNKNOWN),
        (pending(state=State.COMPLETED), ScheduleState.UNSCHEDULED),
        (pending(state=State.FAILED), ScheduleState.UNSCHEDULED),
    ],
)
def test_the_schedule_state_follows_from_the_task_and_the_registered_types(
    task: Task, schedule_state: ScheduleState
) -> None:
    assert task.schedule_state is schedule_state


def test_a_put_changes_the_named_fields_in_any_state_and_never_the_state() -> None:
    changes = TaskChanges(priority=7, data={"a": 1}, available_time_ms=NOW + 5, expiration_time_ms=NOW + 9)
    for state in State:
        before = replace(pending(name="name"), state=state)
        after = changed(before, changes, TYPES, NOW)
        assert (after.state, after.name, after.modified_time_ms) == (state, "name", NOW)
        assert (after.priority, after.data) == (7, {"a": 1})
        assert (after.available_time_ms, after.expiration_time_ms) == (NOW + 5, NOW + 9)


def test_an_empty_put_only_sets_the_time() -> None:
    before = pending(priority=3, data={"a": 1}, available_time_ms=NOW + 1)
    assert changed(before, TaskChanges(), TYPES, NOW) == replace(before, modified_time_ms=NOW)


def test_a_put_can_bring_an_expired_task_back() -> None:
    expired = pending(expiration_time_ms=NOW - 1)
    assert changed(expired, TaskChanges(expiration_time_ms=NOW + 1), TYPES, NOW).schedule_state is ScheduleState.READY


@pytest.mark.parametrize("state", [State.COMPLETED, State.FAILED, State.PENDING])
def test_changes_of_a_client_during_a_run_replace_those_of_the_run(state: State) -> None:
    put = TaskChanges(priority=7, data={"put": 1}, available_time_ms=NOW + 5000, expiration_time_ms=NOW + 9000)
    during = changed(running(data={"put": 0}), put, TYPES, NOW - 100)
    assert during.schedule_state is ScheduleState.RUNNING
    after = end(during, state, data={"put": 0, "done": True})
    assert (after.priority, after.data) == (7, {"put": 1})
    assert (after.available_time_ms, after.expiration_time_ms) == (NOW + 5000, NOW + 9000)
    assert after.duration_ms == 500


def test_fields_that_no_client_changed_are_those_of_the_run() -> None:
    during = changed(running(), TaskChanges(priority=7), TYPES, NOW)
    after = end(during, State.PENDING, data={"done": True}, available_time_ms=NOW + 60_000)
    assert (after.priority, after.data, after.available_time_ms) == (7, {"done": True}, NOW + 60_000)


def test_changes_of_a_client_do_not_affect_the_next_run() -> None:
    during = changed(running(), TaskChanges(data={"put": 1}), TYPES, NOW)
    again = started(claimed(end(during, State.PENDING), NOW, NOW + 1000))
    assert end(again, State.COMPLETED, data={"put": 2}).data == {"put": 2}
