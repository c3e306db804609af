"""The query parameters of lists of data sets. Source: data-api 6."""

from collections.abc import Mapping, Sequence

from chalicelib.frozen import frozen
from chalicelib.log.data_set import DataSet
from chalicelib.model.query import PAGING, BooleanField, QueryField, TextField, check_query

_DELETED: Mapping[str, QueryField] = {"deleted": BooleanField(default=False)}
_FILTERS: Mapping[str, QueryField] = {"client.name": TextField(), "deviceId": TextField()}


@frozen
class ListQuery:
    """Selects the data sets to list. `page` counts from 0. A filter that is None selects all."""

    page: int
    size: int
    includes_deleted: bool = False
    client_name: str | None = None
    device_id: str | None = None

    @property
    def first(self) -> int:
        """The index of the first data set on the page."""
        return self.page * self.size

    def selects(self, data_set: DataSet) -> bool:
        """Whether the list contains the data set; `deleted=true` includes deleted ones."""
        return (
            data_set.is_active
            and (self.includes_deleted or data_set.deleted_time_ms is None)
            and (self.client_name is None or self.client_name == _client_name(data_set))
            and (self.device_id is None or self.device_id == data_set.device_id)
        )


def parse_list_query(parameters: Mapping[str, Sequence[str]], *, has_filters: bool) -> ListQuery:
    """The query that a client's parameters ask for.

    Args:
        parameters: all values of each parameter.
        has_filters: whether the route accepts `client.name` and `deviceId`.

    Raises:
        InvalidFieldsError: a value is malformed or out of range, or a parameter is unknown or given twice.
    """
    fields = {**(_FILTERS if has_filters else {}), **_DELETED, **PAGING}
    values = check_query(parameters, fields)
    return ListQuery(
        page=values["page"],
        size=values["size"],
        includes_deleted=values["deleted"],
        client_name=values.get("client.name"),
        device_id=values.get("deviceId"),
    )


def _client_name(data_set: DataSet) -> str | None:
    name: str | None = (data_set.description.get("client") or {}).get("name")
    return name
