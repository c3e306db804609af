"""Device logs over HTTP. Source: blob-api, routes 7 to 10."""

from dataclasses import replace

from chalicelib.api.messages import Reply, Request
from chalicelib.api.operations.blobs import (
    CREATE_DEVICE_LOG,
    GET_DEVICE_LOG,
    LIST_DEVICE_LOGS,
    READ_DEVICE_LOG,
)
from chalicelib.api.routes.blobs import content_answer, created, upload_member
from chalicelib.api.routing import ApiBlueprint
from chalicelib.blobs import device_logs
from chalicelib.blobs.blob import TimeSpan, as_device_log
from chalicelib.model.times import format_time

blueprint = ApiBlueprint(__name__)


@blueprint.operation(CREATE_DEVICE_LOG)
def create_device_log(request: Request) -> Reply:
    """The new device log, with the request to upload its content when `upload=direct` asks for one."""
    log, upload = created(device_logs.create, request)
    return Reply(as_device_log(log) | upload_member(upload))


@blueprint.operation(LIST_DEVICE_LOGS)
def list_device_logs(request: Request) -> Reply:
    """A page of the device logs of a user, those created last first, as a bare array."""
    ours = request.services
    found = device_logs.list_of_user(
        request.caller, request.path["userId"], request.query, blobs=ours.blobs.blobs, grants=ours.accounts.grants
    )
    return Reply([as_device_log(log) for log in found])


@blueprint.operation(GET_DEVICE_LOG)
def get_device_log(request: Request) -> Reply:
    """One device log."""
    ours = request.services
    log = device_logs.get(request.caller, request.path["logId"], blobs=ours.blobs.blobs, grants=ours.accounts.grants)
    return Reply(as_device_log(log))


@blueprint.operation(READ_DEVICE_LOG)
def read_device_log(request: Request) -> Reply:
    """The content of a device log, or the way to it, and the time it tells of."""
    ours = request.services
    content = device_logs.read(
        request.caller,
        request.path["logId"],
        blobs=ours.blobs.blobs,
        contents=ours.blobs.contents,
        grants=ours.accounts.grants,
    )
    answer = content_answer(content)
    return replace(answer, headers={**answer.headers, **_span_headers(content.blob.span)})


def _span_headers(span: TimeSpan | None) -> dict[str, str]:
    if span is None:
        return {}
    return {"Start-At": format_time(span.start_ms), "End-At": format_time(span.end_ms)}
