"""Refused uploads that a person can see.

An app whose data holds one bad record sends the same request again and again, and shows nobody why it is refused.
What is kept says who, when and where in the body; no value of it.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any

from chalicelib.access.call import Call
from chalicelib.errors import FieldError, InvalidFieldsError, InvalidRequestError, MalformedJsonError, UnavailableError
from chalicelib.log.data_set import DataSetHead
from chalicelib.log.ports import DataPorts
from chalicelib.model.times import format_time
from chalicelib.uploads.ports import KEPT_FOR_MS, Rejection, RejectionReason, UploadPorts

LISTED = 100
"""Most rejections that are listed."""
ERRORS_KEPT = 20
"""Most errors of a request that are kept: one mistake of an app is often in each of its records."""


@contextmanager
def recording_rejections(
    call: Call, action: str, data_set_id: str, ports: UploadPorts
) -> Iterator[Callable[[Sequence[FieldError]], None]]:
    """Keeps the rejection of what is done inside, and lets it through; of a request that was carried out all the same,
    the faults that are given to what this yields.

    Only what is wrong with the body is kept: whoever may not write to a data set leaves no trace in it. A
    rejection that cannot be kept is answered all the same.
    """

    def keep(errors: Sequence[RejectionReason]) -> None:
        head = ports.data.data_sets.head(data_set_id)
        if head is None or not errors:
            return
        with suppress(UnavailableError):
            name, version = _client(head, ports.data)
            kept = tuple(errors[:ERRORS_KEPT])
            ports.rejections.add(
                Rejection(
                    call.new_id(), head.owner_id, call.now_ms, data_set_id, name, version, action, len(errors), kept
                )
            )

    try:
        yield lambda faults: keep(_without_values(faults))
    except InvalidRequestError as error:
        keep(_errors(error))
        raise


def list_of_user(call: Call, owner_id: str, ports: UploadPorts) -> list[dict[str, Any]]:
    """The last rejections of a user's data, newest first, those of 14 days at most.

    Raises:
        UnauthorizedError: the caller is neither the owner, nor a custodian, nor a server.
    """
    call.require(owner_id)
    return [_shown(rejection) for rejection in ports.rejections.of_owner(owner_id, call.now_ms - KEPT_FOR_MS, LISTED)]


def _client(head: DataSetHead, ports: DataPorts) -> tuple[str | None, str | None]:
    """Name and version of the client that opened the data set."""
    for data_set in ports.data_sets.of_owner(ports.data_sets.owner(head.owner_id)):
        if data_set.id == head.id:
            client = data_set.description.get("client") or {}
            return client.get("name"), client.get("version")
    return None, None


def _errors(error: InvalidRequestError) -> Sequence[RejectionReason]:
    if isinstance(error, InvalidFieldsError):
        return _without_values(error.errors)
    return [RejectionReason("json-malformed" if isinstance(error, MalformedJsonError) else "bad-request")]


def _without_values(faults: Sequence[FieldError]) -> Sequence[RejectionReason]:
    return [RejectionReason(fault.code, fault.pointer) for fault in faults]


def _shown(rejection: Rejection) -> dict[str, Any]:
    client = {"name": rejection.client_name, "version": rejection.client_version}
    return {
        "id": rejection.id,
        "time": format_time(rejection.time_ms),
        "dataSetId": rejection.data_set_id,
        "client": {name: value for name, value in client.items() if value is not None},
        "action": rejection.action,
        "errorCount": rejection.error_count,
        "errors": [
            {"code": one.code} | ({} if one.pointer is None else {"source": {"pointer": one.pointer}})
            for one in rejection.errors
        ],
    }
