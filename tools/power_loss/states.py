"""The states that a power cut may leave, each opened by this version and compared with what was answered."""

import io
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random
from typing import Any

from chalicelib import services as wiring
from chalicelib.observability import logger
from chalicelib.services import machine
from strandline.cli.errors import CommandError
from strandline.cli.progress import Progress
from strandline.home.doctor import Level, examine
from strandline.home.http.gateway import HEADERS, HomeGateway
from strandline.home.opening import HOME, open_home
from tools.power_loss.disk import Disk, Image
from tools.power_loss.people import PersonView, Reply, Send, seen_by
from tools.power_loss.recording import Recording

LATER_S = 60
WITHOUT_GATEWAY = replace(HOME, has_gateway=False)


@dataclass(frozen=True, slots=True)
class Outcome:
    """One state: where the power was cut, with which seed, what was not on the disk, and what is wrong."""

    cut: int
    seed: int
    unsynced_bytes: int
    answered: int
    """Number of steps that were answered before."""
    faults: tuple[str, ...]
    is_refused: bool = False
    """True if the folder is refused with one sentence, which it may be before anything was answered."""


def outcomes(recording: Recording, states: int, seed: int) -> Iterator[Outcome]:
    """Each state, in the order of the cuts. The same seed gives the same states of a recording."""
    random = Random(seed)  # noqa: S311  chosen again by its seed
    last = len(recording.calls)
    cuts = sorted(random.randint(1, last) for _ in range(states))
    disk, done = Disk(), 0
    answered: set[str] = set()
    for number, cut in enumerate(cuts):
        for call in recording.calls[done:cut]:
            disk.apply(call)
            if call.name == "answer":
                answered.add(call.path)
        done = cut
        of_state = seed * 1_000_003 + number
        image = disk.after_a_cut(Random(of_state))  # noqa: S311  the same
        faults, is_refused = _tried(recording, image, frozenset(answered))
        yield Outcome(cut, of_state, disk.unsynced_bytes(), len(answered), tuple(faults), is_refused)


def _tried(recording: Recording, image: Image, answered: frozenset[str]) -> tuple[list[str], bool]:
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary) / "data"
        write_image(image, folder)
        try:
            return list(_faults(recording, folder, answered)), False
        except CommandError as error:
            return ([f"refused: {error}"] if answered else []), True


def write_image(image: Image, folder: Path) -> None:
    """Write the files of a state into a new folder."""
    folder.mkdir(mode=0o700)
    for path, content in image.items():
        target = folder / path
        if content is None:
            target.mkdir(mode=0o700, parents=True, exist_ok=True)
        else:
            target.write_bytes(content)
            target.chmod(0o600)


def _faults(recording: Recording, folder: Path, answered: frozenset[str]) -> Iterator[str]:
    """The faults of a folder: an answer that does not hold, a finding of the doctor, a write that fails.

    Raises:
        CommandError: the folder is refused.
    """
    now_ms = int((recording.ended_s + LATER_S) * 1000)
    with opened(folder, lambda: now_ms) as send:
        for name, steps in recording.steps.items():
            numbers = [step.number for step in steps]
            signed_up = recording.given[name]
            if not set(numbers[:SIGN_UP_STEPS]) <= answered:
                continue
            count = next((index for index, number in enumerate(numbers) if number not in answered), len(numbers))
            if set(numbers[count:]) & answered:
                yield f"{name}: a step was answered before an earlier one"
            expected = PersonView()
            for step in steps[:count]:
                expected = step.after(expected)
            possible = [expected, *(step.after(expected) for step in steps[count : count + 1])]
            try:
                seen = seen_by(signed_up, send)
            except RuntimeError as error:
                yield f"{name}: {error}"
                continue
            if seen not in possible:
                yield f"{name} after {count} steps: {_difference(possible[0], seen)}"
            status = _add(signed_up, send)
            if status != 200:
                yield f"{name}: adding answers {status}"
    for finding in examine(folder, _silent, lambda: now_ms):
        if finding.level is Level.ERROR:
            yield f"doctor: {finding.check}: {finding.detail}"


SIGN_UP_STEPS = 4


def _silent(label: str, total: int) -> Progress:
    """A step that shows nothing."""
    return Progress(label, total, io.StringIO())


def _add(given: Mapping[str, str], send: Send) -> int:
    record = b'[{"type":"cbg","units":"mg/dL","value":99,"time":"2025-12-31T00:00:00Z","origin":{"id":"later"}}]'
    headers = {"X-Tidepool-Session-Token": given["token"]}
    return send("POST", f"/v1/data_sets/{given['data_set']}/data", record, headers)[0]


def _difference(expected: PersonView, seen: PersonView) -> str:
    lacking = {name: value for name, value in expected.records.items() if seen.records.get(name) != value}
    further = sorted(set(seen.records) - set(expected.records))
    others = ("files", "notes", "documents", "name", "data_sets", "is_signed_in")
    differ = [name for name in others if getattr(expected, name) != getattr(seen, name)]
    return f"records lacking {sorted(lacking)[:5]}, further {further[:5]}; differ {differ}"


@contextmanager
def opened(folder: Path, now_ms: Callable[[], int]) -> Iterator[Send]:
    """The home server on a folder, in this process and without a socket.

    Raises:
        CommandError: the folder is refused.
    """
    around = replace(machine(), now_ms=now_ms, count=lambda _name, _value: None)
    level = logger.log_level
    logger.setLevel("CRITICAL")
    try:
        with open_home(folder, WITHOUT_GATEWAY, surroundings=around) as home:
            wiring.override(home.services)
            try:
                yield _sender(HomeGateway(lambda: home.engine.objects))
            finally:
                wiring.override(None)
    finally:
        logger.setLevel(level)


def _sender(gateway: HomeGateway) -> Send:
    def send(method: str, path: str, body: bytes, headers: Mapping[str, str]) -> Reply:
        started: list[Any] = []

        def start(status: str, sent: list[tuple[str, str]], *_: Any) -> Callable[[bytes], object]:
            started.extend((status, sent))
            return lambda _part: None

        environ = {
            "REQUEST_METHOD": method,
            "REQUEST_URI": path,
            "REMOTE_ADDR": "127.0.0.1",
            "wsgi.input": io.BytesIO(body),
            HEADERS: list(headers.items()),
        }
        content = b"".join(gateway(environ, start))
        return int(started[0].split()[0]), {name.lower(): value for name, value in started[1]}, content

    return send
