"""The platform over HTTP: status, version, clock, figures, the settings that clients need before they sign in, and the
files of the page for a person."""

from chalicelib.api.messages import Reply, Request, enveloped
from chalicelib.api.operations.table import (
    GET_ASSET,
    GET_DATA_STATUS,
    GET_INFO,
    GET_STAGE,
    GET_STATUS,
    GET_TIME,
    GET_VERSION,
)
from chalicelib.api.router import EXTENSION
from chalicelib.api.routing import ApiBlueprint
from chalicelib.model.times import format_time
from chalicelib.stage_figures import stage_figures

blueprint = ApiBlueprint(__name__)


@blueprint.operation(GET_STATUS)
def get_status(request: Request) -> Reply:
    """The stage and version that answer. Source: data-api 1, row 26."""
    settings = request.services.settings
    status = {"Version": settings.version, "Environment": settings.stage, "DataStore": None, "Server": None}
    return enveloped(request, status)


@blueprint.operation(GET_DATA_STATUS)
def get_data_status(_request: Request) -> Reply:
    """A line of text, as the service that reads data has it. Source: data-api 1, row 26."""
    return Reply(b"OK\n", headers={"Content-Type": "text/plain; charset=utf-8"})


@blueprint.operation(GET_VERSION)
def get_version(request: Request) -> Reply:
    """The version that answers. Source: data-api 1, row 26."""
    return enveloped(request, {"version": request.services.settings.version})


@blueprint.operation(GET_TIME)
def get_time(request: Request) -> Reply:
    """The platform's time, which the Uploader compares with a device's clock. Source: data-api 1, row 24."""
    return enveloped(request, {"time": format_time(request.now_ms)})


@blueprint.operation(GET_STAGE)
def get_stage(request: Request) -> Reply:
    """The figures of the stage, for servers. Source: data-api 1, row 29."""
    settings = request.services.settings
    named = {"stage": settings.stage, "version": settings.version}
    return Reply(named | stage_figures(request.call, request.services))


@blueprint.operation(GET_INFO)
def get_info(request: Request) -> Reply:
    """Oldest versions of clients that may upload, and where Loop and the Uploader sign in. Source: auth-api 6.

    A stage that was not told its address has no `auth` member: the Uploader then signs in by user name and password.
    """
    settings = request.services.settings
    info = {"versions": {"uploaderMinimum": settings.uploader_minimum_version, "schema": 3}}
    if settings.issuer is None:
        return Reply(info)
    return Reply(info | {"auth": {"url": settings.base_url, "realm": settings.realm}})


@blueprint.operation(GET_ASSET)
def get_asset(request: Request) -> Reply:
    """A file of the page at the address of the stage. Source: other-services 2."""
    from chalicelib.api.pages.web.assets import asset  # imported late: no other route needs it

    name, extension = request.path["name"], request.path[EXTENSION]
    return asset(request.path["digest"], f"{name}.{extension}" if extension else name)
