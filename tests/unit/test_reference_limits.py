"""Tests that the limits in `docs/reference/limits.md` are those of the code."""

import re

from chalicelib import errors
from chalicelib.access import user_ids
from chalicelib.access.policy import ANYONE
from chalicelib.accounts import associated_users, bodies, grant, password_sign_in, profile, restricted_token, share
from chalicelib.accounts import manage as manage_accounts
from chalicelib.api import dropped as api_dropped
from chalicelib.api import rendering, routing
from chalicelib.api.operations import accounts, data_sources, metadata, oidc, restricted_tokens
from chalicelib.api.operations import notes as note_operations
from chalicelib.api.operations import tasks as task_operations
from chalicelib.api.operations.operation import Operation
from chalicelib.api.routes import sessions
from chalicelib.blobs import blob, headers, manage
from chalicelib.blobs.stores import contents
from chalicelib.config import Settings
from chalicelib.data_sets import lifecycle
from chalicelib.export import read as export
from chalicelib.log import freshness
from chalicelib.log import ports as log_ports
from chalicelib.metrics import counts
from chalicelib.metrics import query as metrics_query
from chalicelib.metrics.stores import stream
from chalicelib.model import dropped, free_form
from chalicelib.model import rendering as model_rendering
from chalicelib.model.query import PAGING, IntegerField
from chalicelib.nightscout import authorization as nightscout_authorization
from chalicelib.notes import bodies as note_bodies
from chalicelib.notes import read as note_reading
from chalicelib.reading.stores import large_replies
from chalicelib.sign_in import form_token, logins
from chalicelib.tasks import bodies as task_bodies
from chalicelib.tasks import dispatch, types, worker
from chalicelib.uploads import lenient, rejections
from chalicelib.uploads import ports as upload_ports
from tests.unit.citations import REFERENCE

_SETTINGS = Settings()
_PAGE_SIZE = PAGING["size"]
assert isinstance(_PAGE_SIZE, IntegerField)
LIMITS: dict[str, float | None] = {
    "body of a request": Operation("any", "POST", ("/any",), ANYONE).limit_bytes,
    "body of an auth, access, metadata or restricted-token request": accounts.LIMIT_BYTES,
    "body of a data source": data_sources.LIMIT_BYTES,
    "body of a task": task_operations.LIMIT_BYTES,
    "form of OpenID Connect": oidc.LIMIT_BYTES,
    "description of a data set, as JSON": lifecycle.DESCRIPTION_BYTES,
    "body of a message": note_operations.LIMIT_BYTES,
    "data of an export for Excel, on AWS": export.MAX_EXCEL_BYTES,
    "data of an export in JSON, on AWS": export.MAX_JSON_BYTES,
    "text of a message": note_bodies.MAX_TEXT_BYTES,
    "guid of a message": note_bodies.MAX_GUID_LENGTH,
    "collection of metadata": profile.LIMIT_BYTES,
    "content of a blob or device log": blob.MAX_BYTES,
    "content of a blob in an answer": manage.INLINE_BYTES,
    "answer": rendering.LAMBDA_REPLY_BYTES,
    "compression from": rendering.MIN_COMPRESSED_BYTES,
    "nesting of free-form JSON in a record, data set or task": free_form.MAX_DEPTH,
    "data of a user, deflated as it is stored": _SETTINGS.data_quota_mb,
    "blobs and device logs of a user": _SETTINGS.blob_quota_mb,
    "requests of a user within an hour, at each process": _SETTINGS.requests_an_hour,
    "media type of a blob": headers.MAX_MEDIA_TYPE_LENGTH,
    "trace id": routing.TRACE_LENGTH,
    "data of a task after a run": worker.MAX_DATA_BYTES,
    "page of a list": _PAGE_SIZE.high,
    "page of a list, by default": _PAGE_SIZE.default,
    "messages of one answer": note_reading.MAX_LISTED,
    "errors of one answer": errors.MAX_LISTED_ERRORS,
    "errors of one upload with lenient handling": lenient.MAX_NAMED_ERRORS,
    "dropped members named in a header": api_dropped.MAX_NAMES,
    "dropped members in a header, all names": api_dropped.MAX_BYTES,
    "dropped members named in a body": dropped.MAX_NAMES,
    "value in the text of an error": model_rendering.MAX_LENGTH,
    "refused uploads listed": rejections.MAX_LISTED,
    "errors kept of a refused upload": rejections.MAX_RECORDED_ERRORS,
    "range of daily counts of events": counts.MAX_RANGE.days,
    "failed sign-ins of an account from one address, in a window": password_sign_in.MAX_FAILURES_PER_ACCOUNT,
    "failed sign-ins of an account in all, in a window": password_sign_in.MAX_FAILURES_PER_ACCOUNT_IN_ALL,
    "addresses that a user tries to give to accounts, in a window": password_sign_in.MAX_ADDRESSES_TRIED,
    "address or browser is known after a sign-in": password_sign_in.SOURCE_LIFETIME_S,
    "failed sign-ins from an address, in a window": password_sign_in.MAX_FAILURES_PER_ADDRESS,
    "accounts that an address asks for, in a window": password_sign_in.MAX_SIGN_UPS,
    "sign-ins to one account from one address, right ones included, in a window": (
        password_sign_in.MAX_SIGN_INS_PER_ACCOUNT
    ),
    "sign-ins from one address, right ones included, in a window": password_sign_in.MAX_SIGN_INS,
    "changes of the password of an account in a window": manage_accounts.MAX_PASSWORD_CHANGES,
    "custodial accounts that a user makes in a day": manage_accounts.MAX_CUSTODIAL_ACCOUNTS_A_DAY,
    "window of failed sign-ins": password_sign_in.ATTEMPTS_WINDOW_S,
    "login of a user": _SETTINGS.session_lifetime_s,
    "session of a server": _SETTINGS.server_session_lifetime_s,
    "access token of OpenID Connect": _SETTINGS.access_token_lifetime_s,
    "login of OpenID Connect without a refresh": _SETTINGS.refresh_token_lifetime_s,
    "authorization code": logins.CODE_LIFETIME_S,
    "refresh token after it was used": logins.RETRY_MS,
    "sign-in form": form_token.FORM_LIFETIME_S,
    "wrong Nightscout credentials from an address, in a window of 15 minutes": (
        nightscout_authorization.MAX_FAILURES_PER_ADDRESS
    ),
    "wrong Nightscout credentials whose hashes begin with the same four digits, in such a window": (
        nightscout_authorization.MAX_FAILURES_PER_HASH
    ),
    "JWT of a Nightscout credential": nightscout_authorization.JWT_LIFETIME_S,
    "restricted token, by default": restricted_token.DEFAULT_LIFETIME_MS,
    "restricted token at most": restricted_token.MAX_LIFETIME_MS,
    "address of a direct upload": contents.UPLOAD_LIFETIME_S,
    "address of a content": contents.DOWNLOAD_LIFETIME_S,
    "address of a large answer": large_replies.VALID_FOR_S,
    "refused uploads are kept": upload_ports.KEPT_FOR_MS,
    "wait for the stream of events": stream.LIMIT_S,
    'tolerance of "not after now" and "not before now"': task_bodies.NOW_TOLERANCE_MS,
    "data sets in one request of the old way to upload": log_ports.MAX_DATA_SET_WRITES,
    "permissions for one user": grant.MAX_PERMISSIONS,
    "id of a user in a grant": user_ids.MAX_KEY_TEXT_BYTES,
    "hours of a limited `view`": grant.MAX_WINDOW_HOURS,
    "paths of a restricted token": restricted_token.MAX_PATHS,
    "path of a restricted token": restricted_token.MAX_PATH_LENGTH,
    "e-mail address": bodies.MAX_EMAIL_LENGTH,
    "name of a server that logs in": sessions.MAX_SERVER_NAME_LENGTH,
    "collections of metadata of a user": profile.MAX_COLLECTIONS,
    "nesting of metadata": profile.MAX_DEPTH,
    "nesting of the permissions of one user": grant.MAX_DEPTH,
    "permissions for one user, as JSON": grant.MAX_BYTES,
    "users who share with one who shares nothing with them": share.MAX_UNASKED_SHARERS,
    "collection of such a user in a list of users": associated_users.MAX_UNASKED_BYTES,
    "nesting of query parameters of an event": metrics_query.MAX_NESTING,
    "array index in query parameters of an event": metrics_query.MAX_INDEX,
    "clients told apart by freshness": freshness.MAX_CLIENTS,
    "run of a task": types.MAX_RUN_S,
    "tasks looked at by one tick": dispatch.MAX_DUE_TASKS,
}


def test_documented_limits_are_those_of_the_code() -> None:
    assert _documented() == LIMITS


def test_bodies_that_share_a_limit_have_it() -> None:
    assert {accounts.LIMIT_BYTES, metadata.LIMIT_BYTES, restricted_tokens.LIMIT_BYTES} == {accounts.LIMIT_BYTES}


def _documented() -> dict[str, float]:
    """The number that each row of sections 1 to 4 begins its value with, by the row's name."""
    text = (REFERENCE / "limits.md").read_text(encoding="utf-8")
    checked = text[text.index("## 1.") : text.index("## 5.")]
    rows = re.findall(r"^\| ([^|]+) \| (\d[\d,.]*)[^|]*\|", checked, re.MULTILINE)
    return {name: float(value.replace(",", "")) for name, value in rows}
