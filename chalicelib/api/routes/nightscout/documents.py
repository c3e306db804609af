"""The documents of Nightscout over HTTP: the operations of the modules beside this one, which are imported when the
first app asks for documents. Most users have no such app, and cold starts must stay short."""

from collections.abc import Mapping

from chalicelib.api.late_views import late_view
from chalicelib.api.operations import nightscout as operations
from chalicelib.api.operations import nightscout_v3 as v3_operations
from chalicelib.api.operations.operation import Operation
from chalicelib.api.routing import ApiBlueprint

OPERATIONS_OF: Mapping[str, tuple[Operation, ...]] = {
    "entries": (
        operations.FIND_ENTRIES,
        operations.FIND_ENTRIES_OF,
        operations.STORE_ENTRIES,
        operations.PREVIEW_ENTRIES,
        operations.DELETE_ENTRIES,
        operations.DELETE_ENTRIES_OF,
    ),
    "treatments": (
        operations.FIND_TREATMENTS,
        operations.STORE_TREATMENTS,
        operations.REPLACE_TREATMENT,
        operations.DELETE_TREATMENTS,
        operations.DELETE_TREATMENT,
    ),
    "profiles": (
        operations.LIST_PROFILES,
        operations.GET_CURRENT_PROFILE,
        operations.FIND_PROFILES,
        operations.STORE_PROFILES,
        operations.REPLACE_PROFILE,
        operations.DELETE_PROFILE,
    ),
    "device_statuses": (
        operations.FIND_DEVICE_STATUSES,
        operations.STORE_DEVICE_STATUSES,
        operations.DELETE_DEVICE_STATUSES,
        operations.DELETE_DEVICE_STATUS,
    ),
    "catalogues": (
        operations.LIST_FOODS,
        operations.LIST_FOODS_OF,
        operations.STORE_FOODS,
        operations.REPLACE_FOODS,
        operations.DELETE_FOOD,
        operations.FIND_ACTIVITIES,
        operations.STORE_ACTIVITIES,
        operations.REPLACE_ACTIVITIES,
        operations.DELETE_ACTIVITY,
    ),
    "glances": (
        operations.GET_GLANCE,
        operations.GET_PROPERTIES,
        operations.GET_PROPERTIES_OF,
    ),
    "transfer": (
        operations.LIST_DOCUMENTS,
        operations.RESTORE_DOCUMENTS,
    ),
    "v3": (
        v3_operations.GET_VERSION,
        v3_operations.GET_STATUS,
        v3_operations.GET_LAST_MODIFIED,
        v3_operations.SEARCH,
        v3_operations.READ,
        v3_operations.GET_HISTORY,
        v3_operations.GET_HISTORY_SINCE_HEADER,
        v3_operations.CREATE,
        v3_operations.REPLACE,
        v3_operations.CHANGE,
        v3_operations.DELETE,
    ),
}
"""The operations that each module has views for."""

blueprint = ApiBlueprint(__name__)

for module, of_module in OPERATIONS_OF.items():
    for operation in of_module:
        blueprint.operation(operation)(late_view(f"{__package__}.{module}", operation))
