"""The parameters of a request of OpenID Connect, which are sent as a form (RFC 6749, appendix B)."""

from collections.abc import Mapping, Sequence
from urllib.parse import parse_qs

from chalicelib.sign_in.errors import INVALID_REQUEST, OAuthError

MAX_FIELDS = 50
MAX_TOKEN_LENGTH = 8192
"""Of a signed token that somebody sends; ours have about 900 characters."""

Parameters = Mapping[str, Sequence[str]]
"""All values of each parameter, by its name."""


def form_parameters(body: bytes) -> Parameters:
    """The parameters in a form; a parameter may be empty.

    Raises:
        OAuthError: the body is not UTF-8, or has too many parameters.
    """
    try:
        return parse_qs(body.decode(), keep_blank_values=True, max_num_fields=MAX_FIELDS)
    except ValueError as error:
        raise OAuthError(INVALID_REQUEST, "the body must be a form") from error


def unique_parameters(body: bytes) -> dict[str, str]:
    """The parameters in a form that has each of them once.

    Raises:
        OAuthError: as `form_parameters`, or a parameter is sent twice.
    """
    parameters = form_parameters(body)
    if any(len(values) > 1 for values in parameters.values()):
        raise OAuthError(INVALID_REQUEST, "a parameter is sent twice")
    return {name: values[0] for name, values in parameters.items()}


def required(parameters: Mapping[str, str], name: str) -> str:
    """The value of a parameter.

    Raises:
        OAuthError: the parameter is missing or empty.
    """
    if not parameters.get(name):
        raise OAuthError(INVALID_REQUEST, f"{name} is missing")
    return parameters[name]
