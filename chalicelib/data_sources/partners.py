"""The API for partners: data from twiist, and redirect addresses. Source: data-api 8, twiist; data-api 1, row 25."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from chalicelib.access.call import Call, platform_call
from chalicelib.data_sources.ports import DataSourcePorts
from chalicelib.errors import NotFoundError, TidepoolLinkNotFoundError
from chalicelib.uploads.add import append_data

TWIIST = ("oauth", "twiist")


def add_twiist_data(
    call: Call,
    tidepool_link_id: str,
    read_items: Callable[[], Any],
    twiist_user_ids: frozenset[str],
    ports: DataSourcePorts,
) -> None:
    """Add data to the data set of a linked twiist account, as `append_data` does for a server.

    Raises:
        UnauthorizedError: the caller is neither a server nor one of the stage's accounts for twiist.
        TidepoolLinkNotFoundError: no connected data source with a data set has this link.
    """
    if call.caller.user_id not in twiist_user_ids:
        call.require()
    source = ports.sources.of_link(TWIIST, tidepool_link_id)
    if source is None or source.data_set_id is None:
        raise TidepoolLinkNotFoundError(tidepool_link_id)
    append_data(platform_call(call.now_ms, call.new_id), source.data_set_id, read_items, ports.data)


def sector(sectors: Mapping[str, Sequence[str]], partner: str, environment: str | None) -> list[str]:
    """The redirect addresses of a partner, or of one of its environments, in the order of the configuration.

    Raises:
        NotFoundError: none are configured.
    """
    name = partner if environment is None else f"{partner}/{environment}"
    if name not in sectors:
        raise NotFoundError
    return list(sectors[name])
