"""Erasing what deleted users leave behind. Source: auth-api 5, route 11.

A deletion is one step that leaves a receipt. What others could still reach goes right after it; whatever is left,
contents of blobs above all, goes with the next run of the job. All of it may be repeated, and stop half-way.
"""

from contextlib import suppress
from dataclasses import replace

from chalicelib.accounts.session import end_restricted_tokens
from chalicelib.blobs import content as blobs_storing
from chalicelib.conflicts import WriteConflictError
from chalicelib.errors import UnavailableError
from chalicelib.tasks.ports import TaskServices
from chalicelib.tasks.types import Run

SETTLED_AFTER_MS = 15 * 60_000
"""How long a receipt is kept, and everything erased again: a request that was let in before the sessions ended may
still have stored something, and none runs for longer."""


def erase_at_once(user_id: str, services: TaskServices) -> bool:
    """Erase what can be reached of a deleted user in a few calls; False when that is left to the job."""
    try:
        _erase_reachable(user_id, services)
    except UnavailableError:
        return False
    return True


def erase_deleted_users(run: Run, services: TaskServices) -> None:
    """The task: erases everything of every deleted user; `data.users` counts them."""
    run.data["users"] = 0
    for deletion in services.accounts.deletions():
        run.check_time()
        _erase_reachable(deletion.user_id, services)
        for source in services.data_sources.of_user(deletion.user_id):
            services.data_sources.remove(source)
        services.refusals.remove_all(deletion.user_id)
        blobs_storing.erase_user(deletion.user_id, blobs=services.blobs, contents=services.contents)
        if run.now_ms() - deletion.deleted_time_ms >= SETTLED_AFTER_MS:
            services.accounts.finish_deletion(deletion.user_id)
        run.data["users"] += 1


def _erase_reachable(user_id: str, services: TaskServices) -> None:
    """Sessions go first: nothing new comes after them."""
    services.sessions.end_all(user_id)
    end_restricted_tokens(user_id, services.restricted_tokens)
    for grant in (*services.grants.given_by(user_id), *services.grants.given_to(user_id)):
        services.grants.put(replace(grant, permissions={}))
    services.profiles.delete_all(user_id)
    with suppress(WriteConflictError):  # someone else erased them at the same time
        services.data_sets.erase(user_id, services.now_ms())
