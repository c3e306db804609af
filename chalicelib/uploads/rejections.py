"""Rejected uploads, recorded so that a person can see them.

An app whose data holds one bad record sends the same request again and again, and shows nobody why it is refused. The
record says who sent it, when, and where in the body the errors are; it holds no values.
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

ADD = "add"
DELETE = "delete"
MAX_LISTED = 100
MAX_RECORDED_ERRORS = 20
"""Errors of one request: one mistake of an app is often in each of its records."""
MAX_POINTER_LENGTH = 512
"""A longer pointer has a name in it that is not of the data model; it is left out."""


@contextmanager
def recording_rejections(
    call: Call, action: str, head: DataSetHead, ports: UploadPorts
) -> Iterator[Callable[[Sequence[FieldError]], None]]:
    """Record the rejection of what the block does to a data set, and raise its error unchanged.

    Yields a function that records the errors of an upload that was accepted without some of its records. The reply is
    the same if the rejection cannot be stored.
    """

    def record(errors: Sequence[RejectionReason]) -> None:
        with suppress(UnavailableError):
            name, version = _client(head, ports.data)
            ports.rejections.add(
                Rejection(
                    id=call.new_id(),
                    owner_id=head.owner_id,
                    time_ms=call.now_ms,
                    data_set_id=head.id,
                    client_name=name,
                    client_version=version,
                    action=action,
                    error_count=len(errors),
                    errors=tuple(errors[:MAX_RECORDED_ERRORS]),
                )
            )

    def record_errors(errors: Sequence[FieldError]) -> None:
        if errors:
            record(_without_values(errors))

    try:
        yield record_errors
    except InvalidRequestError as error:
        record(_reasons(error))
        raise


def list_rejections(call: Call, owner_id: str, ports: UploadPorts) -> list[dict[str, Any]]:
    """The rejected uploads of a user's data, newest first: at most a hundred, of the last 14 days.

    Raises:
        UnauthorizedError: the caller is neither the owner, nor a custodian, nor a server.
    """
    call.require(owner_id)
    rejections = ports.rejections.of_owner(owner_id, call.now_ms - KEPT_FOR_MS, MAX_LISTED)
    return [_as_rejection(rejection) for rejection in rejections]


def _client(head: DataSetHead, ports: DataPorts) -> tuple[str | None, str | None]:
    """Name and version of the client that opened the data set."""
    for data_set in ports.data_sets.of_owner(ports.data_sets.owner(head.owner_id)):
        if data_set.id == head.id:
            client = data_set.description.get("client") or {}
            return client.get("name"), client.get("version")
    return None, None


def _reasons(error: InvalidRequestError) -> Sequence[RejectionReason]:
    if isinstance(error, InvalidFieldsError):
        return _without_values(error.errors)
    return [RejectionReason("json-malformed" if isinstance(error, MalformedJsonError) else "bad-request")]


def _without_values(errors: Sequence[FieldError]) -> Sequence[RejectionReason]:
    return [RejectionReason(error.code, _short(error.pointer)) for error in errors]


def _short(pointer: str | None) -> str | None:
    return None if pointer is None or len(pointer) > MAX_POINTER_LENGTH else pointer


def _as_rejection(rejection: Rejection) -> dict[str, Any]:
    """The rejection as the API shows it."""
    client = {"name": rejection.client_name, "version": rejection.client_version}
    return {
        "id": rejection.id,
        "time": format_time(rejection.time_ms),
        "dataSetId": rejection.data_set_id,
        "client": {name: value for name, value in client.items() if value is not None},
        "action": rejection.action,
        "errorCount": rejection.error_count,
        "errors": [_as_error(error) for error in rejection.errors],
    }


def _as_error(error: RejectionReason) -> dict[str, Any]:
    return {"code": error.code} | ({} if error.pointer is None else {"source": {"pointer": error.pointer}})
