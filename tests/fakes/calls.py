"""Calls of rules, as the door makes them of requests."""

from collections.abc import Callable

from chalicelib.access.call import Call, Caller, GrantReader
from chalicelib.access.policy import Policy


class NoGrants:
    """Nobody has granted anything to anybody."""

    def permissions(self, sharer_id: str, grantee_id: str) -> frozenset[str]:
        """No permissions."""
        return frozenset()

    def view_from_ms(self, sharer_id: str, grantee_id: str) -> int | None:
        """No limit of a view."""
        return None


NO_GRANTS = NoGrants()


def no_id() -> str:
    """Fails the test: the rule under test makes no ids."""
    raise AssertionError("an id was made")


def call_by(
    caller: Caller, policy: Policy, grants: GrantReader, now_ms: int = 0, new_id: Callable[[], str] = no_id
) -> Call:
    """A call under a policy; of a rule that neither looks at the time nor makes ids, unless the test says so."""
    return Call(caller, policy, grants, now_ms, new_id)
