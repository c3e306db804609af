"""The device that sends a request to the Nightscout API. Source: nightscout-api 2 and 15."""

from dataclasses import replace

import orjson

from chalicelib import json_text
from chalicelib.access.call import Caller
from chalicelib.access.nightscout_credential import NightscoutCredential
from chalicelib.api.messages import Request
from chalicelib.api.operations.operation import ErrorFormat
from chalicelib.encoding.form import MEDIA_TYPE, FormError, form_members
from chalicelib.errors import InvalidTokenError, UnauthenticatedError
from chalicelib.nightscout.authorization import find_credential
from chalicelib.nightscout.sent_credential import SentCredential, sent_credentials, sent_jwt


def authenticate_device(request: Request) -> Request:
    """The request with its caller: the user whose data the credential opens, or nobody where anyone may ask.

    Raises:
        UnauthenticatedError: there is no valid credential, and the operation needs one.
        InvalidTokenError: v3 got a JWT that is not valid.
        TooManyAttemptsError: the credential is wrong, and so were too many before.
        RequestQuotaError: it is right, and its user has made as many requests in this hour as one may.
    """
    if request.operation.error_format is ErrorFormat.NIGHTSCOUT_V3:
        return _with_jwt(request)
    credential = find_credential(request.call, sent_by(request), request.source_ip, request.services.accounts)
    if credential is None:
        if request.operation.policy.anyone:
            return request
        raise UnauthenticatedError
    return _with_caller(request, credential)


def user_id_of(request: Request) -> str:
    """The user whose data the credential of a request opens; empty for nobody."""
    return request.caller.user_id or ""


def sent_by(request: Request) -> tuple[SentCredential, ...]:
    """The credentials of a request, in the order in which they count."""
    headers = {name: [value] for name, value in request.headers.items()}
    return sent_credentials(headers, request.query, _body_with_credential(request))


def _with_jwt(request: Request) -> Request:
    """The request with its caller, whom v3 knows by a JWT alone."""
    sent = sent_jwt({name: [value] for name, value in request.headers.items()})
    credentials = () if sent is None else (sent,)
    credential = find_credential(request.call, credentials, request.source_ip, request.services.accounts)
    if credential is not None:
        return _with_caller(request, credential)
    if request.operation.policy.anyone:
        return request
    raise UnauthenticatedError if sent is None else InvalidTokenError


def _with_caller(request: Request, credential: NightscoutCredential) -> Request:
    """The request with the user whom the credential stands for, to whose quota it counts.

    Raises:
        RequestQuotaError: the user has made as many requests in this hour as one may.
    """
    request.services.requests.count(credential.user_id, request.now_ms)
    caller = Caller(user_id=credential.user_id, nightscout_credential=credential)
    return replace(request, call=replace(request.call, caller=caller))


def _body_with_credential(request: Request) -> object:
    """The body if it may hold a credential: few do, and parsing all twice would cost more."""
    # A larger body is refused whatever it holds, so nobody has it parsed without a credential.
    body = request.body if len(request.body) <= request.operation.limit_bytes else b""
    try:
        if request.headers.get("content-type", "").partition(";")[0].strip().lower() == MEDIA_TYPE:
            return form_members(body) if b"token=" in body or b"secret=" in body else None
        return json_text.decode_sent(body) if b'"token"' in body or b'"secret"' in body else None
    except (FormError, orjson.JSONDecodeError):
        return None
