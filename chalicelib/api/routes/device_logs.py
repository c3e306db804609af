"""Device logs over HTTP. Source: blob-api, routes 7 to 10."""

from dataclasses import replace

from chalicelib.api.messages import Reply, Request
from chalicelib.api.operations.blobs import (
    CREATE_DEVICE_LOG,
    GET_DEVICE_LOG,
    LIST_DEVICE_LOGS,
    READ_DEVICE_LOG,
)
from chalicelib.api.routes.blobs import content_reply, upload_member, upload_request
from chalicelib.api.routing import ApiBlueprint
from chalicelib.blobs import device_logs
from chalicelib.blobs.blob import TimeSpan, as_device_log
from chalicelib.model.times import format_time

blueprint = ApiBlueprint(__name__)


@blueprint.operation(CREATE_DEVICE_LOG)
def create_device_log(request: Request) -> Reply:
    """The new device log, with the request to upload its content when `upload=direct` asks for one."""
    log, upload = device_logs.create(
        request.call, request.path["userId"], upload_request(request), request.services.blobs
    )
    return Reply(as_device_log(log) | upload_member(upload))


@blueprint.operation(LIST_DEVICE_LOGS)
def list_device_logs(request: Request) -> Reply:
    """A page of the device logs of a user, those created last first, as a bare array."""
    found = device_logs.list_of_user(request.call, request.path["userId"], request.query, request.services.blobs)
    return Reply([as_device_log(log) for log in found])


@blueprint.operation(GET_DEVICE_LOG)
def get_device_log(request: Request) -> Reply:
    """One device log."""
    return Reply(as_device_log(device_logs.get(request.call, request.path["logId"], request.services.blobs)))


@blueprint.operation(READ_DEVICE_LOG)
def read_device_log(request: Request) -> Reply:
    """The content of a device log, or a redirect to it, and the time that it covers."""
    download = device_logs.read(request.call, request.path["logId"], request.services.blobs)
    reply = content_reply(download)
    return replace(reply, headers={**reply.headers, **_span_headers(download.blob.span)})


def _span_headers(span: TimeSpan | None) -> dict[str, str]:
    if span is None:
        return {}
    return {"Start-At": format_time(span.start_ms), "End-At": format_time(span.end_ms)}
