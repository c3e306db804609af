"""Erasing all data of a user at their own wish, with a receipt. Source: data-api 8, DELETE for a user."""

from typing import Any, Protocol

from chalicelib.access.call import Call
from chalicelib.accounts.delete import PasswordConfirmation, confirm_password
from chalicelib.accounts.ports import AccountPorts
from chalicelib.data_sets import lifecycle
from chalicelib.log.ports import DataPorts
from chalicelib.model.times import format_time
from chalicelib.notes.ports import NotePorts
from chalicelib.reading.ports import ReadingPorts
from chalicelib.reading.query import DataQuery
from chalicelib.reading.read import read_data

_DATA_SETS = DataQuery(types=("upload",))
_EVERYTHING = DataQuery(prefers_sources=False, carelink=True, medtronic=True)


class OwnDataServices(Protocol):
    """The services that hold the data of a user, and the account."""

    @property
    def accounts(self) -> AccountPorts: ...

    @property
    def data(self) -> DataPorts: ...

    @property
    def notes(self) -> NotePorts: ...

    @property
    def reading(self) -> ReadingPorts: ...


def erase_own_data(
    call: Call, user_id: str, confirmation: PasswordConfirmation, services: OwnDataServices
) -> dict[str, Any]:
    """Erase all data sets, records and notes of a user, for good; returns the receipt.

    The receipt counts what could be read just before, so a repetition counts nothing.

    Raises:
        UnauthorizedError: the caller is not this user.
        WrongPasswordError: the password is missing or wrong.
        TooManyAttemptsError: too many wrong passwords.
    """
    call.require(user_id)
    confirm_password(call, user_id, confirmation, services.accounts)
    data_sets = read_data(call, user_id, _DATA_SETS, services.reading).records.count
    records = read_data(call, user_id, _EVERYTHING, services.reading).records.count - data_sets
    lifecycle.erase(call, user_id, services.data)
    services.notes.notes.remove_all(user_id)
    return {"erasedTime": format_time(call.now_ms), "records": max(records, 0), "dataSets": data_sets}
