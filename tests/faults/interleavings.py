"""Two requests of one user at the same time: the second runs whole between two calls of the first, for each two calls.

What is answered and what is stored afterwards has to be that of one order or the other. A request whose session another
one ends may be carried out after that, too, since it was authorized before.
"""

from collections.abc import Callable, Sequence, Set
from contextvars import Context
from dataclasses import dataclass, replace

from chalicelib.access.call import token_hash
from tests.faults.preparation import ANNA
from tests.faults.scene import Answer, DefectError, Saved, Scene
from tests.faults.seam import Call, FaultKind, no_faults
from tests.faults.trials import LEFT_TO_JOBS, Failure
from tests.faults.use_cases import INTERLEAVED
from tests.faults.views import Views, different, require_sound, settle, views

MAX_KNOWN_STATES = 2_000
IN_STEPS = LEFT_TO_JOBS | {
    "erase all data",
    "delete all blobs",
    "delete all data sources",
    "delete all restricted tokens",
}
"""The use cases that remove in several steps: a reader in between sees a part."""
ENDS_LOGIN = {"sign out"}
ENDS_ALL_LOGINS = {"end all sessions", "set a forgotten password", "set another forgotten password"}
"""The use cases that end Anna's session, and with it the right to begin another request."""


@dataclass(slots=True)
class Outcome:
    """The answers of both requests, the state after them, and what is seen of it at once and when jobs have run."""

    answers: Sequence[Sequence[Answer]]
    digest: bytes
    at_once: Views
    settled: Views
    was_authorized_before: bool = False
    """True if one of both requests came with a session that the other one had ended."""


class Interleavings:
    """Runs pairs of use cases on a scene, each from the same state."""

    def __init__(self, scene: Scene, saved: Saved) -> None:
        self._scene = scene
        self._saved = saved
        self._seen: dict[bytes, tuple[Views, Views]] = {}
        self.count = 0
        """How often a second request ran between two calls of a first."""
        self.failures: list[Failure] = []

    def pair(self, first: str, second: str) -> bool:
        """Run the second request between any two calls of the first, and return whether all ended as they should."""
        failures = len(self.failures)
        orders, calls = self._orders(first, second)
        for index in range(1, len(calls)):
            self.count += 1
            place = f"{second!r} before call {index + 1} ({calls[index]})"
            try:
                outcome = self._between(first, second, index)
                self._require_one_order(outcome, orders, {first, second})
            except DefectError as defect:
                self.failures.append(Failure((first, second), place, str(defect)))
        return len(self.failures) == failures

    def _orders(self, first: str, second: str) -> tuple[list[Outcome], Sequence[Call]]:
        """The outcomes of both orders, and the calls of the first request alone."""
        self._scene.restore(self._saved)
        of_first = self._run(first, "first")
        calls = list(self._scene.seam.calls)
        of_second = self._run(second, "second")
        orders = [self._outcome(of_first, of_second)]
        self._scene.restore(self._saved)
        of_second = self._run(second, "second")
        of_first = self._run(first, "first")
        orders.append(self._outcome(of_first, of_second))
        if first in ENDS_LOGIN | ENDS_ALL_LOGINS:
            of_first, of_second = self._authorized_before((first, "first"), (second, "second"))
            orders.append(replace(self._outcome(of_first, of_second), was_authorized_before=True))
        if second in ENDS_LOGIN | ENDS_ALL_LOGINS:
            of_second, of_first = self._authorized_before((second, "second"), (first, "first"))
            orders.append(replace(self._outcome(of_first, of_second), was_authorized_before=True))
        return orders, calls

    def _authorized_before(
        self, ending: tuple[str, str], other: tuple[str, str]
    ) -> tuple[Sequence[Answer], Sequence[Answer]]:
        """The answers of a request that ends Anna's session, and of one that comes after it with that session."""
        self._scene.restore(self._saved)
        sessions = self._scene.services.accounts.sessions
        session = sessions.find(token_hash(f"token-of-{ANNA}"))
        assert session is not None
        of_ending = self._run(*ending)
        sessions.add(session)
        of_other = self._run(*other)
        if ending[0] in ENDS_LOGIN:
            sessions.end_login(session)
        else:
            sessions.end_all(ANNA)
        return of_ending, of_other

    def _between(self, first: str, second: str, index: int) -> Outcome:
        """The outcome when the second request runs before a call of the first."""
        self._scene.restore(self._saved)
        calls_left, of_second = index, []
        seam = self._scene.seam

        def plan(_call: Call) -> FaultKind | None:
            nonlocal calls_left
            if calls_left == 0:
                seam.plan = no_faults
                of_second.append(self._run(second, "second"))
                self._scene.issued.use("first")
            calls_left -= 1
            return None

        of_first = self._run(first, "first", plan)
        # A request that another one has made shorter may not come to that call.
        return self._outcome(of_first, of_second[0] if of_second else self._run(second, "second"))

    def _run(self, name: str, stream: str, plan: Callable[[Call], FaultKind | None] = no_faults) -> Sequence[Answer]:
        """The answers of one request, which runs in a context of its own, as in a thread of its own."""
        outer, self._scene.answers = self._scene.answers, []
        self._scene.issued.use(stream)
        self._scene.seam.plan = plan
        try:
            Context().run(INTERLEAVED[name], self._scene)
            return self._scene.answers
        finally:
            self._scene.answers = outer

    def _outcome(self, of_first: Sequence[Answer], of_second: Sequence[Answer]) -> Outcome:
        """The outcome, whose state is seen if it is a new one."""
        digest = self._scene.under_test.digest()
        if digest not in self._seen:
            if len(self._seen) >= MAX_KNOWN_STATES:
                self._seen.clear()
            self._scene.issued.use("jobs")
            at_once = views(self._scene)
            settle(self._scene)
            require_sound(self._scene)
            self._seen[digest] = at_once, views(self._scene)
        return Outcome([of_first, of_second], digest, *self._seen[digest])

    def _require_one_order(self, outcome: Outcome, orders: Sequence[Outcome], names: Set[str]) -> None:
        """Raise unless the outcome is that of one of the orders; if the rest is left to a job, after that.

        Raises:
            DefectError: it is another one.
        """
        reasons = []
        for order in orders:
            by_content = not IN_STEPS & names and not order.was_authorized_before
            wrong = _different_answers(
                order.answers, outcome.answers, by_content=by_content, is_repetition=len(names) == 1
            )
            if outcome.digest != order.digest:
                wrong += [] if LEFT_TO_JOBS & names else different(order.at_once, outcome.at_once)
                wrong += different(order.settled, outcome.settled)
            if not wrong:
                return
            reasons.append(" | ".join(wrong))
        raise DefectError(" // ".join(reasons))


def _is_refused(answer: Answer) -> bool:
    """Whether a request was refused, whatever the reason: who is deleted meanwhile is nobody, or a stranger."""
    return answer.status >= 400


def _is_answered_as_before(want: Answer, given: Answer) -> bool:
    """Whether a request that was sent twice at a time is done, where the second of two in a row has nothing to do: a
    repetition of a PUT or DELETE is safe, and may be answered as the first request was."""
    return given.request.startswith(("PUT ", "DELETE ")) and _is_refused(want) and not _is_refused(given)


def _different_answers(
    wanted: Sequence[Sequence[Answer]], given: Sequence[Sequence[Answer]], *, by_content: bool, is_repetition: bool
) -> list[str]:
    pairs = zip([a for answers in wanted for a in answers], [a for answers in given for a in answers], strict=True)
    return [
        f"{answer.request} {answer.status} for {want.status}"
        + (", other content" if answer.status == want.status else "")
        for want, answer in pairs
        if not (is_repetition and _is_answered_as_before(want, answer))
        and (_is_refused(want) != _is_refused(answer) or (by_content and want.content != answer.content))
    ]
