"""The data sets of a user's documents, and of the data that is derived from them. Source: nightscout-api 17."""

from typing import Any

from chalicelib.access.call import Call
from chalicelib.data_sets.lifecycle import describe, opened
from chalicelib.errors import ConflictError
from chalicelib.frozen import frozen
from chalicelib.log.data_set import DataSet, DataSetHead, OwnerState, head_of
from chalicelib.log.documents_owner import DERIVING_CLIENT, MAX_CLOSED, documents_data_set_id
from chalicelib.log.ports import DataPorts
from chalicelib.model.deduplicators import DATASET_DELETE_ORIGIN


@frozen
class OpenDataSet:
    """An open data set to write to: its head, and itself if it has to be created."""

    head: DataSetHead
    created: DataSet | None = None
    replaced: DataSetHead | None = None
    """The head of erased data that had its id before."""


def open_data_set(call: Call, owner: OwnerState, ports: DataPorts) -> OpenDataSet:
    """The data set of an owner that takes documents or derived data. A user can close a data set; then another one
    takes its place.

    Raises:
        ConflictError: the user has closed too many.
    """
    for number in range(MAX_CLOSED):
        data_set_id = documents_data_set_id(owner.id, number)
        head = ports.data_sets.head(data_set_id)
        if head is None or head.epoch != owner.epoch:
            created = opened(call, owner, describe(call, _description(data_set_id)))
            return OpenDataSet(head_of(created), created, head)
        if not head.is_closed:
            return OpenDataSet(head)
    raise ConflictError(DERIVING_CLIENT)


def _description(data_set_id: str) -> dict[str, Any]:
    return {
        "id": data_set_id,
        "uploadId": data_set_id,
        "dataSetType": "continuous",
        "client": {"name": DERIVING_CLIENT, "version": "1.0.0"},
        "deduplicator": {"name": DATASET_DELETE_ORIGIN},
    }
