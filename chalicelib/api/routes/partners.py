"""Partners over HTTP. Source: data-api 1, routes 14 and 25."""

from chalicelib.api.messages import Reply, Request, enveloped
from chalicelib.api.operations.data_sources import ADD_TWIIST_DATA, LIST_SECTORS
from chalicelib.api.routing import ApiBlueprint
from chalicelib.data_sources import partners

blueprint = ApiBlueprint(__name__)


@blueprint.operation(ADD_TWIIST_DATA)
def add_twiist_data(request: Request) -> Reply:
    """Add data to the data set of a linked twiist account."""
    ids, ports = request.services.settings.twiist_user_ids, request.services.data_sources
    partners.add_twiist_data(request.call, request.path["tidepoolLinkId"], request.json, ids, ports)
    return enveloped(request, [])


@blueprint.operation(LIST_SECTORS)
def list_sectors(request: Request) -> Reply:
    """The redirect addresses of a partner's sector."""
    sectors = request.services.settings.partner_sectors
    return Reply(partners.sector(sectors, request.path["partner"], request.path.get("environment")))
