"""Erases the data of deleted users. Source: auth-api 5, route 11.

A deletion leaves a receipt and ends all sessions and tokens. The request then erases the data that others could still
reach, and a job erases the rest, such as the contents of blobs. Each step may stop half-way and be repeated.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Protocol

from chalicelib.accounts.ports import AccountPorts
from chalicelib.accounts.session import end_credentials
from chalicelib.blobs import content as blob_content
from chalicelib.blobs.ports import BlobPorts
from chalicelib.confirmations.ports import ConfirmationPorts
from chalicelib.data_sets.lifecycle import erase_user
from chalicelib.data_sources.manage import remove_all
from chalicelib.data_sources.ports import DataSourcePorts
from chalicelib.durations import MINUTE_MS
from chalicelib.errors import UnavailableError
from chalicelib.invitations.ports import InvitationPorts
from chalicelib.log.ports import DataPorts
from chalicelib.notes.ports import NotePorts
from chalicelib.tasks.types import TaskRun
from chalicelib.uploads.ports import UploadPorts

SETTLED_AFTER_MS = 15 * MINUTE_MS
"""The time for which a receipt is kept and the erasure repeated: a request that was admitted before the sessions ended
may still store data, and no request runs for longer."""


class ErasureServices(Protocol):
    """The services that hold data of users."""

    @property
    def now_ms(self) -> Callable[[], int]: ...

    @property
    def accounts(self) -> AccountPorts: ...

    @property
    def confirmations(self) -> ConfirmationPorts: ...

    @property
    def invitations(self) -> InvitationPorts: ...

    @property
    def data(self) -> DataPorts: ...

    @property
    def data_sources(self) -> DataSourcePorts: ...

    @property
    def uploads(self) -> UploadPorts: ...

    @property
    def blobs(self) -> BlobPorts: ...

    @property
    def notes(self) -> NotePorts: ...


def erase_at_once(user_id: str, services: ErasureServices) -> bool:
    """Erase the data of a deleted user that others could reach. False if a store did not answer; the job repeats it."""
    try:
        _erase_reachable(user_id, services)
    except UnavailableError:
        return False
    return True


def erase_deleted_users(run: TaskRun, services: ErasureServices) -> None:
    """The task: erase all data of all deleted users; `data.users` counts the users."""
    run.data["users"] = 0
    for deletion in services.accounts.accounts.deletions():
        run.check_time()
        end_credentials(deletion.user_id, None, services.accounts)
        _erase_reachable(deletion.user_id, services)
        remove_all(deletion.user_id, services.data_sources)
        services.uploads.rejections.remove_all(deletion.user_id)
        services.notes.notes.remove_all(deletion.user_id)
        blob_content.erase_user(deletion.user_id, services.blobs)
        if run.now_ms() - deletion.deleted_time_ms >= SETTLED_AFTER_MS:
            services.accounts.accounts.finish_deletion(deletion.user_id)
        run.data["users"] += 1


def _erase_reachable(user_id: str, services: ErasureServices) -> None:
    """Erase grants, invitations, metadata, known sources and data sets."""
    for grant in (*services.accounts.grants.given_by(user_id), *services.accounts.grants.given_to(user_id)):
        services.accounts.grants.put(replace(grant, permissions={}))
    services.invitations.invitations.remove_all(user_id)
    services.confirmations.sign_ups.remove(user_id)
    services.accounts.profiles.delete_all(user_id)
    services.accounts.known_sources.remove_all(user_id)
    erase_user(user_id, services.now_ms(), services.data.data_sets)
