"""Who asks for blobs and device logs, and what is told of a wrong query: the same for both."""

from tests.api.conftest import Reply
from tests.fakes.services import FakeServices

GRANTS = ("view", "upload", "custodian", "note", "follow", "root")
CALLERS = ("nobody", "expired", "stranger", "owner", "server", *GRANTS)
"""Kinds of callers; a grant stands for somebody to whom the owner granted just that."""


def token_of(caller: str, fakes: FakeServices, owner_id: str, somebody_id: str) -> str | None:
    """The token of a caller of this kind."""
    somebody = fakes.sign_in(somebody_id)
    match caller:
        case "nobody":
            return None
        case "owner":
            return fakes.sign_in(owner_id)
        case "server":
            return fakes.sign_in("server", is_server=True)
        case "stranger":
            fakes.grant(somebody_id, owner_id, GRANTS)  # what they granted to the owner does not count
        case "expired":
            fakes.now_ms += 3_600_001
        case _:
            fakes.grant(owner_id, somebody_id, [caller])
    return somebody


def faults_of(reply: Reply) -> list[tuple[str, str]]:
    """Code and parameter of each fault that a refusal names."""
    body = reply.json()
    return [(one["code"], one["source"]["parameter"]) for one in body.get("errors", [body])]
