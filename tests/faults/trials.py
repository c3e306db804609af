"""Trials: a use case, or several in a row, while calls meet faults, held against the same without faults.

What is answered 2xx is there; what is answered 5xx may be sent again, and is there once; nothing of another user
changes.
"""

import random
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from tests.faults.preparation import ANNA, CARA
from tests.faults.scene import Answer, DefectError, Saved, Scene
from tests.faults.seam import CLOCK_STEPS, Call, FaultKind, kinds_of, no_faults
from tests.faults.use_cases import JOBS, USE_CASES
from tests.faults.views import Views, different, require_sound, settle, views

SHARE_OF_FAULTY_CALLS = 0.25
LEFT_TO_JOBS = {*JOBS, "delete the account", "delete a child"}
"""The use cases whose end a job brings about if a store does not answer, so that only the settled state is compared."""
REMOVING_LATER = LEFT_TO_JOBS & {
    "delete the account",
    "delete a child",
    "dispatch",
    "job accounts.erase",
    "job accounts.delete_unanswered",
    "job blobs.remove_abandoned",
    "job data.purge",
}
"""The use cases of which people see when their job has done its work. They end a history: after a fault the job ends
its work at its next run, and a request in between may be answered either way."""
WRONG_PASSWORD = {"sign in with a wrong password"}
BEST_EFFORT = {"add data with a fault"}
"""The use case whose refusal is noted for its user only if the store answers."""
MAX_USE_CASES = 30
"""The number of use cases of a history: what is seen at its end costs more than all of them."""


@dataclass(slots=True)
class Expected:
    """The end of a history without faults."""

    answers: Sequence[Answer]
    calls: Sequence[Call]
    of_others: Sequence[str]
    digests: set[bytes]
    """States that are known to be right."""
    seen: tuple[Views, Views] | None = None
    """Views at once, and when nothing is left to do; None until they are needed."""


@dataclass(frozen=True, slots=True)
class Failure:
    """A history that ended in another way than it should."""

    history: tuple[str, ...]
    faults: str
    reason: str

    def __str__(self) -> str:
        return f"{', '.join(self.history)} with {self.faults}: {self.reason}"


class Trials:
    """Runs histories on a scene, each from the same state."""

    def __init__(self, scene: Scene, saved: Saved) -> None:
        self._scene = scene
        self._saved = saved
        self._known: dict[tuple[str, ...], Expected] = {}
        self._met: Counter[str] = Counter()
        self.failures: list[Failure] = []

    def expected(self, history: tuple[str, ...]) -> Expected:
        """The end of a history without faults."""
        known = self._known.get(history)
        if known is None:
            self._run(history)
            calls, answers = list(self._scene.seam.calls), list(self._scene.answers)
            digest, of_others = self._scene.under_test.digest(), self._scene.under_test.items_of(CARA)
            known = self._known[history] = Expected(answers, calls, of_others, {digest})
        return known

    def with_fault(self, name: str, index: int, kind: FaultKind) -> bool:
        """Run a use case whose call of this number meets a fault, and return whether it ended as it should."""
        expected = self.expected((name,))
        calls = self._scene.seam

        def plan(_call: Call) -> FaultKind | None:
            return kind if len(calls.calls) == index + 1 else None

        faults = f"{kind} at call {index + 1} ({expected.calls[index]})"
        return self._trial((name,), plan, lambda: faults)

    def with_faults(self, history: tuple[str, ...], chance: random.Random) -> bool:
        """Run a history in which each call may meet a fault, and return whether it ended as it should."""
        self.expected(history)
        met: list[str] = []

        def plan(call: Call) -> FaultKind | None:
            if chance.random() >= SHARE_OF_FAULTY_CALLS:
                return None
            kind = chance.choice(kinds_of(call, has_disk=self._scene.under_test.has_disk))
            met.append(f"{kind} at call {len(self._scene.seam.calls)} ({call})")
            return kind

        return self._trial(history, plan, lambda: "; ".join(met))

    @property
    def met(self) -> Counter[str]:
        """The faults that the last run met, by kind."""
        return self._met

    def kinds(self, call: Call) -> list[FaultKind]:
        """The faults that a call may meet, and the steps of a clock at it. Histories have no such steps: many of them
        would add up to hours, in which tokens and shares end."""
        return [*kinds_of(call, has_disk=self._scene.under_test.has_disk), *CLOCK_STEPS]

    def forget(self) -> None:
        """Forget how histories end, so that memory stays bounded."""
        self._known.clear()

    def _trial(
        self, history: tuple[str, ...], plan: Callable[[Call], FaultKind | None], faults: Callable[[], str]
    ) -> bool:
        try:
            self._run(history, plan)
            self._met = Counter({kind.value: count for kind, count in self._scene.seam.met.items()})
            self._require(self._known[history], history)
        except DefectError as defect:
            self.failures.append(Failure(history, faults(), str(defect)))
            return False
        return True

    def _run(self, history: tuple[str, ...], plan: Callable[[Call], FaultKind | None] = no_faults) -> None:
        self._scene.restore(self._saved)
        for name in history:
            self._scene.seam.plan = plan
            USE_CASES[name](self._scene)
            self._scene.end_process_if_dead()
        self._scene.seam.plan = no_faults

    def _require(self, expected: Expected, history: tuple[str, ...]) -> None:
        answers, is_left = self._scene.answers, bool(LEFT_TO_JOBS & set(history))
        has_ended_a_login = False
        for wanted, answer in zip(expected.answers, answers, strict=True):
            # A task that met a fault says so, and may be pending again.
            may_differ = (is_left and answer.request == "GET /v1/tasks") or (
                has_ended_a_login and answer.request.endswith("/logins")
            )
            if not (WRONG_PASSWORD & set(history) and _reports_failures(wanted, answer)):
                require_answer(replace(wanted, content=answer.content) if may_differ else wanted, answer)
            has_ended_a_login |= _ended_its_login(wanted, answer)
        if not JOBS.keys() & set(history) and self._scene.under_test.items_of(CARA) != expected.of_others:
            raise DefectError("something of another user changed")
        digest = self._scene.under_test.digest()
        if digest in expected.digests:
            return
        if self._stored_twice():
            settle(self._scene)
            require_sound(self._scene)
            return
        # Jobs touch what other users have, and must change nothing that they see.
        user_ids = (ANNA, CARA) if JOBS.keys() & set(history) else (ANNA,)
        at_once, settled = self._seen(user_ids, is_left=is_left)
        if expected.seen is None:
            self._run(history)
            expected.seen = self._seen(user_ids, is_left=is_left)
        wrong = different(expected.seen[0], at_once)
        wrong += different(expected.seen[1], settled)
        if BEST_EFFORT & set(history):
            wrong = [difference for difference in wrong if "/refusals: " not in difference]
        if has_ended_a_login:
            wrong = [difference for difference in wrong if "/logins: " not in difference]
        if wrong:
            raise DefectError(" | ".join(wrong))
        expected.digests.add(digest)

    def _stored_twice(self) -> bool:
        """Whether a client sent data to an open upload again, whose deduplicator keeps them twice. They show when it is
        closed. Source: dedup 5.4."""
        added = f"POST /v1/data_sets/{self._scene.names['a normal']}/data"
        return any(answer.request == added and answer.repeats for answer in self._scene.answers)

    def _seen(self, user_ids: Sequence[str], *, is_left: bool) -> tuple[Views, Views]:
        """The views at once, which are empty if the end is left to jobs, and when nothing is left to do."""
        at_once: Views = {} if is_left else views(self._scene, user_ids)
        settle(self._scene)
        require_sound(self._scene)
        return at_once, views(self._scene, user_ids)


GONE = frozenset({404})
TOKEN_ENDPOINT = "/protocol/openid-connect/token"
SIGN_IN_PAGE = "/protocol/openid-connect/auth"
ANSWERS_TO_REPEATS: Mapping[str, frozenset[int]] = {
    "DELETE": GONE,
    "DELETE /auth/user/": frozenset({401, 404}),
    "POST /auth/user": frozenset({409}),
    "POST /confirm/send/invite/": frozenset({409}),
    "POST /realms/": frozenset({400, 401}),
    "POST /api/v3/": frozenset({200}),
    "PUT /api/v3/": frozenset({200}),
    "PUT /confirm/": GONE,
}
"""The statuses that tell who repeats a request that it was carried out, by the beginnings of requests: what was to go
is gone, the caller's own session too, the address has an account or an invitation, the code or the token is used,
the document is stored."""


def require_answer(wanted: Answer, answer: Answer) -> None:
    """Raise unless an answer is the one without faults, or tells who repeats a request that it was carried out.

    Raises:
        DefectError: it is another one.
    """
    if answer.status != wanted.status:
        told = (statuses for start, statuses in ANSWERS_TO_REPEATS.items() if answer.request.startswith(start))
        if not answer.repeats or not any(answer.status in statuses for statuses in told):
            raise DefectError(
                f"{answer.request} is answered {answer.status}, not {wanted.status}, after {answer.repeats} repeats"
            )
    elif answer.content != wanted.content:
        raise DefectError(f"{answer.request} is answered with something else")


def _reports_failures(wanted: Answer, answer: Answer) -> bool:
    """Whether the sign-in page reports failed sign-ins before it leads back to the app: one whose answer was lost may
    count as somebody else's."""
    return answer.request.endswith(SIGN_IN_PAGE) and (wanted.status, answer.status) == (303, 200)


def _ended_its_login(wanted: Answer, answer: Answer) -> bool:
    """Whether an app repeated a request for tokens so often, or with a code, that its login ended: then somebody else
    may have the token. The person signs in again (RFC 6749, 4.1.2; RFC 9700, 4.14.2)."""
    return answer.request.endswith(TOKEN_ENDPOINT) and wanted.status == 200 and answer.status in (400, 401)


def seeded(*seed: object) -> random.Random:
    """Choices that are the same in each run."""
    return random.Random(" ".join(map(str, seed)))  # noqa: S311  no secrets


def random_history(chance: random.Random) -> tuple[str, ...]:
    """Use cases in any order but for `REMOVING_LATER`; in about every other history only those of which nothing is left
    to jobs, so that what is seen at once is compared as well."""
    names = USE_CASES.keys() - LEFT_TO_JOBS if chance.getrandbits(1) else USE_CASES.keys()
    chosen = chance.sample(sorted(names), chance.randint(2, MAX_USE_CASES))
    return tuple(sorted(chosen, key=REMOVING_LATER.__contains__))
