"""The operations of the Nightscout API, and those on its credentials. Source: nightscout-api."""

from chalicelib.access.policy import (
    ANYONE,
    NIGHTSCOUT_READERS,
    NIGHTSCOUT_UPLOADERS,
    OWNER_AND_VIEWERS,
    READERS,
    UPLOADERS,
    Policy,
)
from chalicelib.api.operations.operation import ErrorFormat, Operation

USER_PATHS = ("/v1/users/{userId}/nightscout_credentials",)
DOCUMENT_PATHS = ("/v1/users/{userId}/nightscout_documents/{collection}",)
CREDENTIAL_PATHS = ("/v1/users/{userId}/nightscout_credentials/{id}",)
LIMIT_BYTES = 16 * 1024


def v1_paths(path: str) -> tuple[str, ...]:
    """The paths of an operation of v1, which are also those of v2. Source: nightscout-api 3."""
    return f"/api/v1{path}", f"/api/v2{path}"


def _read(name: str, paths: tuple[str, ...], summary: str, policy: Policy = NIGHTSCOUT_READERS) -> Operation:
    return Operation(
        f"nightscout.{name}",
        "GET",
        paths,
        policy,
        ErrorFormat.NIGHTSCOUT,
        summary=summary,
        limit_bytes=LIMIT_BYTES,
        has_resource=False,
    )


def _write(name: str, method: str, paths: tuple[str, ...], summary: str) -> Operation:
    return Operation(
        f"nightscout.{name}",
        method,
        paths,
        NIGHTSCOUT_UPLOADERS,
        ErrorFormat.NIGHTSCOUT,
        summary=summary,
        beyond_limit="a request may have at most 4.5 MB",
        has_resource=False,
    )


CREATE_CREDENTIAL = Operation(
    "nightscout_credentials.create",
    "POST",
    USER_PATHS,
    OWNER_AND_VIEWERS,
    success_status=201,
    summary="Make a credential with which a device speaks the Nightscout API",
    limit_bytes=LIMIT_BYTES,
)
LIST_CREDENTIALS = Operation(
    "nightscout_credentials.list",
    "GET",
    USER_PATHS,
    OWNER_AND_VIEWERS,
    summary="The Nightscout credentials of a user, newest first, without tokens",
)
REVOKE_CREDENTIAL = Operation(
    "nightscout_credentials.revoke",
    "DELETE",
    CREDENTIAL_PATHS,
    OWNER_AND_VIEWERS,
    success_status=204,
    summary="Revoke a Nightscout credential",
)
LIST_DOCUMENTS = Operation(
    "nightscout_documents.list",
    "GET",
    DOCUMENT_PATHS,
    READERS,
    summary="The Nightscout documents of a user as they are stored, oldest first, page by page",
    has_resource=False,
)
RESTORE_DOCUMENTS = Operation(
    "nightscout_documents.restore",
    "POST",
    DOCUMENT_PATHS,
    UPLOADERS,
    summary="Store Nightscout documents of an export or of another site as they are",
    has_resource=False,
)
GET_VERSIONS = _read("versions", ("/api/versions",), "The versions of the Nightscout API", ANYONE)
GET_SITE_STATUS = _read("status", v1_paths("/status"), "The site and its settings")
VERIFY_AUTH = _read("verify_auth", v1_paths("/verifyauth"), "The rights of the credential that was sent", ANYONE)
TEST_UPLOAD = _read(
    "test_upload", v1_paths("/experiments/test"), "Whether the credential may upload", NIGHTSCOUT_UPLOADERS
)
LIST_NOTICES = _read("notices", v1_paths("/adminnotifies"), "Notices for administrators: none", ANYONE)
AUTHORIZE = _read(
    "authorize", ("/api/v2/authorization/request/{token}",), "A JWT for a token, valid for eight hours", ANYONE
)

FIND_ENTRIES = _read("entries.find", v1_paths("/entries"), "The newest entries")
FIND_ENTRIES_OF = _read(
    "entries.find_of", v1_paths("/entries/{kind}"), "The newest entries of a type, the current one, or one by its id"
)
STORE_ENTRIES = _write("entries.store", "POST", v1_paths("/entries"), "Store entries")
PREVIEW_ENTRIES = _write("entries.preview", "POST", v1_paths("/entries/preview"), "Echo entries and store nothing")
DELETE_ENTRIES = _write("entries.delete", "DELETE", v1_paths("/entries"), "Delete the entries that a query finds")
DELETE_ENTRIES_OF = _write(
    "entries.delete_of", "DELETE", v1_paths("/entries/{kind}"), "Delete entries of a type, or one by its id"
)

FIND_TREATMENTS = _read("treatments.find", v1_paths("/treatments"), "The newest treatments")
STORE_TREATMENTS = _write("treatments.store", "POST", v1_paths("/treatments"), "Store treatments")
REPLACE_TREATMENT = _write("treatments.replace", "PUT", v1_paths("/treatments"), "Replace a treatment")
DELETE_TREATMENTS = _write(
    "treatments.delete", "DELETE", v1_paths("/treatments"), "Delete the treatments that a query finds"
)
DELETE_TREATMENT = _write(
    "treatments.delete_one", "DELETE", v1_paths("/treatments/{id}"), "Delete a treatment by its id"
)

LIST_PROFILES = _read("profiles.list", v1_paths("/profile"), "The newest profiles")
GET_CURRENT_PROFILE = _read("profiles.current", v1_paths("/profile/current"), "The profile that starts last")
FIND_PROFILES = _read("profiles.find", v1_paths("/profiles"), "The newest profiles that a query finds")
STORE_PROFILES = _write("profiles.store", "POST", v1_paths("/profile"), "Store profiles")
REPLACE_PROFILE = _write("profiles.replace", "PUT", v1_paths("/profile"), "Replace a profile")
DELETE_PROFILE = _write("profiles.delete", "DELETE", v1_paths("/profile/{id}"), "Delete a profile")

FIND_DEVICE_STATUSES = _read("device_statuses.find", v1_paths("/devicestatus"), "The newest device statuses")
STORE_DEVICE_STATUSES = _write("device_statuses.store", "POST", v1_paths("/devicestatus"), "Store device statuses")
DELETE_DEVICE_STATUSES = _write(
    "device_statuses.delete", "DELETE", v1_paths("/devicestatus"), "Delete the device statuses that a query finds"
)
DELETE_DEVICE_STATUS = _write(
    "device_statuses.delete_one", "DELETE", v1_paths("/devicestatus/{id}"), "Delete a device status by its id"
)

LIST_FOODS = _read("food.list", v1_paths("/food"), "The catalogue of foods")
LIST_FOODS_OF = _read("food.list_of", v1_paths("/food/{kind}"), "Foods of a kind: `regular` or `quickpicks`")
STORE_FOODS = _write("food.store", "POST", v1_paths("/food"), "Store foods")
REPLACE_FOODS = _write("food.replace", "PUT", v1_paths("/food"), "Replace foods")
DELETE_FOOD = _write("food.delete", "DELETE", v1_paths("/food/{id}"), "Delete a food")

FIND_ACTIVITIES = _read("activity.find", v1_paths("/activity"), "The newest heart rates and steps")
STORE_ACTIVITIES = _write("activity.store", "POST", v1_paths("/activity"), "Store heart rates and steps")
REPLACE_ACTIVITIES = _write("activity.replace", "PUT", v1_paths("/activity"), "Replace heart rates and steps")
DELETE_ACTIVITY = _write("activity.delete", "DELETE", v1_paths("/activity/{id}"), "Delete a heart rate or steps")

GET_GLANCE = _read("glance", ("/pebble",), "The newest readings for watch faces")
GET_PROPERTIES = _read("properties", ("/api/v2/properties",), "The newest reading, its change, and the loop's state")
GET_PROPERTIES_OF = _read("properties_of", ("/api/v2/properties/{names}",), "Some of the properties, by name")

NIGHTSCOUT_OPERATIONS: tuple[Operation, ...] = (
    CREATE_CREDENTIAL,
    LIST_CREDENTIALS,
    REVOKE_CREDENTIAL,
    LIST_DOCUMENTS,
    RESTORE_DOCUMENTS,
    GET_VERSIONS,
    GET_SITE_STATUS,
    VERIFY_AUTH,
    TEST_UPLOAD,
    LIST_NOTICES,
    AUTHORIZE,
    FIND_ENTRIES,
    FIND_ENTRIES_OF,
    STORE_ENTRIES,
    PREVIEW_ENTRIES,
    DELETE_ENTRIES,
    DELETE_ENTRIES_OF,
    FIND_TREATMENTS,
    STORE_TREATMENTS,
    REPLACE_TREATMENT,
    DELETE_TREATMENTS,
    DELETE_TREATMENT,
    LIST_PROFILES,
    GET_CURRENT_PROFILE,
    FIND_PROFILES,
    STORE_PROFILES,
    REPLACE_PROFILE,
    DELETE_PROFILE,
    FIND_DEVICE_STATUSES,
    STORE_DEVICE_STATUSES,
    DELETE_DEVICE_STATUSES,
    DELETE_DEVICE_STATUS,
    LIST_FOODS,
    LIST_FOODS_OF,
    STORE_FOODS,
    REPLACE_FOODS,
    DELETE_FOOD,
    FIND_ACTIVITIES,
    STORE_ACTIVITIES,
    REPLACE_ACTIVITIES,
    DELETE_ACTIVITY,
    GET_GLANCE,
    GET_PROPERTIES,
    GET_PROPERTIES_OF,
)
