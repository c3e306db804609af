"""Refusals of the rules, as one tree. `api/errors/platform.py` maps them to HTTP statuses.

StrandlineError
├── UnauthenticatedError           no credential, or none that is valid
│   ├── InvalidTokenError          a session token was sent and stands for nothing
│   ├── WrongCredentialsError      no account has this name and password
│   └── WrongServerSecretError     a server signs in with another secret than that of the stage
├── MalformedCredentialError       a credential that cannot be read, or a wrong service secret
├── UnauthorizedError              a valid caller who may not do this
│   ├── WrongKindOfCallerError     the route is for users and a server calls, or the reverse
│   ├── UnverifiedEmailError       the e-mail address has to be verified before signing in
│   ├── WrongPasswordError         the password that confirms a step is missing or wrong
│   ├── InsufficientGrantError     the caller has a grant, but not the permission needed
│   ├── SignUpClosedError          new accounts are not open to this person
│   ├── ConfirmationExistsError    a confirmation of this account is pending
│   └── InvitationRefusedError     the invitation is not for this person to use
├── TooManyAttemptsError           too many failed sign-ins; later ones may be tried again
│   └── RequestQuotaError          the user has made as many requests as one may in an hour
├── NotFoundError
│   ├── DataSetNotFoundError
│   ├── BlobNotFoundError
│   ├── TidepoolLinkNotFoundError  no account of a partner is linked under this id
│   ├── UserNotFoundError
│   ├── GrantNotFoundError
│   ├── NoteNotFoundError
│   ├── InvitationNotFoundError
│   ├── ConfirmationNotFoundError
│   ├── NothingFoundError          a list is empty
│   └── TaskNotFoundError
├── ConflictError
│   ├── DataSetClosedError
│   ├── DataSetExistsError
│   ├── UserExistsError
│   ├── TooManySharersError        no more users may share with this one unasked
│   ├── InvitationExistsError      an invitation to this address is pending
│   ├── MemberExistsError          the invited person belongs to the care team already
│   ├── ClaimRefusedError          the details that claim a custodial account are missing or wrong
│   ├── TooManyInvitationsError    the user has as many invitations as anybody may have
│   ├── TaskNameTakenError
│   └── TaskExistsError            an earlier request with the same key made another task
├── InvalidRequestError
│   ├── MalformedJsonError         the body is not the JSON that was asked for
│   │   └── MissingJsonError       there is no body
│   ├── InvalidFieldsError         fields or parameters break rules; the error names all of them
│   ├── InvalidPathError           an id in the path is malformed
│   ├── MissingHeaderError         a header is needed and was not sent
│   ├── InvalidHeaderError         a header is malformed
│   ├── UnequalDigestsError        the content is not the one that the digest announces
│   ├── InvalidUserDetailsError    a detail of a user breaks a rule; the error does not say which
│   └── InvalidSelectorsError      the selectors of data to delete are invalid
├── TooLargeError                  the body is above the limit
│   └── StorageQuotaError          the user has stored as much as one may on this stage
└── UnavailableError               the store throttles or does not answer; a later try may succeed
    ├── NoSpaceError               the disk is full; nothing was stored
    └── MailServerError            the mail server does not answer, or is not the one that its certificate names
"""

from collections.abc import Mapping, Sequence

from chalicelib.frozen import frozen

MAX_LISTED_ERRORS = 100
"""The number of faults after which checking a body stops: each costs more than a valid value does."""


@frozen
class FieldError:
    """One fault of a body or a query.

    `pointer` is a JSON pointer into the body, None for the whole body; a fault of a query has `parameter` instead.
    `meta` names the type (and subtype) of the datum at fault. Source: errors 2.
    """

    code: str
    title: str
    detail: str
    pointer: str | None = None
    parameter: str | None = None
    meta: Mapping[str, str] | None = None


def more_errors(more: str) -> FieldError:
    """The error that ends a list of errors which is not complete; `more` says what it leaves out."""
    return FieldError("too-many-errors", "too many errors", more)


class StrandlineError(Exception):
    """The root of all refusals. Any other exception is a defect and gives status 500."""


class UnauthenticatedError(StrandlineError):
    """No credential was sent, or none of those sent is valid."""


class InvalidTokenError(UnauthenticatedError):
    """A session token was sent, and it is unknown, expired or revoked."""


class WrongCredentialsError(UnauthenticatedError):
    """No account that may sign in has this name and password. The error does not say which of the two is wrong."""


class WrongServerSecretError(UnauthenticatedError):
    """A server tried to sign in with a secret that is not that of the stage."""


class MalformedCredentialError(StrandlineError):
    """A credential was sent twice or in no readable form, or the service secret is wrong."""


class UnauthorizedError(StrandlineError):
    """The caller is known and may not do this."""


class WrongKindOfCallerError(UnauthorizedError):
    """The route is for users and a server calls, or the reverse."""


class UnverifiedEmailError(UnauthorizedError):
    """Name and password are right, but the e-mail address has not been verified."""


class WrongPasswordError(UnauthorizedError):
    """The caller has to confirm with the account's password, and sent none or a wrong one."""


class InsufficientGrantError(UnauthorizedError):
    """The caller has a grant of the owner, but not the permission that the request needs."""


class SignUpClosedError(UnauthorizedError):
    """The operator of the stage creates its accounts, or they need an invitation."""


class ConfirmationExistsError(UnauthorizedError):
    """The account has a pending confirmation for its address already."""


class InvitationRefusedError(UnauthorizedError):
    """The invitation was sent to or by another person, or was declined or accepted before."""


class TooManyAttemptsError(StrandlineError):
    """Too many sign-ins failed for this account or from this address."""

    def __init__(self, retry_after_s: int) -> None:
        super().__init__(f"retry after {retry_after_s} s")
        self.retry_after_s = retry_after_s


class RequestQuotaError(TooManyAttemptsError):
    """The user has made as many requests as one may within an hour."""


class NotFoundError(StrandlineError):
    """There is no resource with this id (for this caller)."""

    def __init__(self, resource_id: str = "") -> None:
        super().__init__(resource_id)
        self.resource_id = resource_id


class DataSetNotFoundError(NotFoundError):
    """There is no data set with this id."""


class BlobNotFoundError(NotFoundError):
    """There is no blob or device log with this id, or not in the revision that was asked for, or without content."""

    def __init__(self, resource_id: str, revision: int | None = None) -> None:
        super().__init__(resource_id)
        self.revision = revision


class TidepoolLinkNotFoundError(NotFoundError):
    """No account of a partner is linked under this id, or it is not connected to a data set."""


class UserNotFoundError(NotFoundError):
    """There is no account with this id."""


class GrantNotFoundError(NotFoundError):
    """There is no grant between these two users."""


class NoteNotFoundError(NotFoundError):
    """There is no note with this id, or not among those that the caller sees."""


class InvitationNotFoundError(NotFoundError):
    """No invitation has this key, or goes to this address, or it has expired."""


class ConfirmationNotFoundError(NotFoundError):
    """No confirmation has this key, or it was used, or has expired, or the account has changed since."""


class NothingFoundError(NotFoundError):
    """A list is empty, for which the API has a 404."""


class TaskNotFoundError(NotFoundError):
    """There is no task with this id."""


class ConflictError(StrandlineError):
    """The request conflicts with the state of the resource."""

    def __init__(self, resource_id: str = "") -> None:
        super().__init__(resource_id)
        self.resource_id = resource_id


class DataSetClosedError(ConflictError):
    """The data set takes no more data."""


class DataSetExistsError(ConflictError):
    """The client chose an id that a data set already has."""


class UserExistsError(ConflictError):
    """The e-mail address belongs to an account already."""


class TooManySharersError(ConflictError):
    """As many users as may have shared with this one unasked."""


class InvitationExistsError(ConflictError):
    """The user has invited this address already, and the invitation is pending."""


class MemberExistsError(ConflictError):
    """The invited person has a grant of this user already."""


class ClaimRefusedError(ConflictError):
    """A custodial account is not claimed: its password or birthday is missing or wrong. `code` says which."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code = code


class TooManyInvitationsError(ConflictError):
    """The user has as many invitations as anybody may have at a time."""


class TaskNameTakenError(ConflictError):
    """Another task has this name."""


class TaskExistsError(ConflictError):
    """An earlier request with the same idempotency key made another task."""


class InvalidRequestError(StrandlineError):
    """The request cannot be carried out as it was sent; nothing was stored."""


class MalformedJsonError(InvalidRequestError):
    """The body is not JSON, or not an array or object where one is asked for."""


class MissingJsonError(MalformedJsonError):
    """A body is needed and none was sent."""


class InvalidFieldsError(InvalidRequestError):
    """Fields or query parameters break rules; `errors` names each fault in the order of checking and is never empty.

    Of more than `MAX_LISTED_ERRORS` faults, the last error says that there are more.
    """

    def __init__(self, errors: Sequence[FieldError]) -> None:
        first = errors[0]
        if len(errors) > MAX_LISTED_ERRORS + 1:
            errors = (*errors[:MAX_LISTED_ERRORS], more_errors(f"{len(errors) - MAX_LISTED_ERRORS} more errors"))
        super().__init__(f"{len(errors)} invalid, first: {first.code} at {first.pointer or first.parameter}")
        self.errors = tuple(errors)


class InvalidPathError(InvalidRequestError):
    """An id in the path is not of the form that ids have."""

    def __init__(self, parameter: str) -> None:
        super().__init__(parameter)
        self.parameter = parameter


class MissingHeaderError(InvalidRequestError):
    """A header is needed and was not sent."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


class InvalidHeaderError(InvalidRequestError):
    """A header is malformed."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


class UnequalDigestsError(InvalidRequestError):
    """The content has another digest than was announced; both in base64."""

    def __init__(self, announced: str, calculated: str) -> None:
        super().__init__("digests are not equal")
        self.announced = announced
        self.calculated = calculated


class InvalidUserDetailsError(InvalidRequestError):
    """E-mail address, password, roles or another detail of a user breaks a rule; the API has one answer for all."""


class InvalidSelectorsError(InvalidRequestError):
    """The selectors of data to delete are empty, of mixed kinds, or of no known form."""


class TooLargeError(StrandlineError):
    """The body is larger than this route takes."""

    def __init__(self, limit_bytes: int, detail: str = "") -> None:
        super().__init__(f"body above {limit_bytes} bytes")
        self.limit_bytes = limit_bytes
        self.detail = detail


class StorageQuotaError(TooLargeError):
    """The user would have stored more than one may on this stage; nothing was stored."""

    def __init__(self, quota_bytes: int, stored: str) -> None:
        """
        Args:
            stored: what the quota limits, such as `data`.
        """
        super().__init__(quota_bytes, f"the {stored} of a user may have at most {quota_bytes // 1_000_000} MB here")


class UnavailableError(StrandlineError):
    """The store throttles or does not answer; nothing is known to be lost, and a retry is safe."""

    def __init__(self, retry_after_s: int = 1) -> None:
        super().__init__(f"retry after {retry_after_s} s")
        self.retry_after_s = retry_after_s


class NoSpaceError(UnavailableError):
    """The disk of the server is full. Nothing was stored, and a retry succeeds once there is space."""

    def __init__(self, retry_after_s: int = 60) -> None:
        super().__init__(retry_after_s)


class MailServerError(UnavailableError):
    """The mail server took no mail: it does not answer, or cannot be trusted. The text says so to the owner of the
    server, and names no address."""

    def __init__(self, problem: str, retry_after_s: int = 60) -> None:
        super().__init__(retry_after_s)
        self.problem = problem

    def __str__(self) -> str:
        return self.problem
