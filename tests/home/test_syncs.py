"""The system calls of a home server: each write is synced before its answer, and a failing sync is not a success.

`strace` records the calls of the process, those of SQLite included, and lets syncs fail. A kill could prove none of
this: it leaves what the operating system has in memory.
"""

import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from chalicelib.engine.embedded.folder import DATABASE_NAME, OBJECTS_FOLDER
from strandline.home.launching import HomeServer, home_server
from tests.e2e.client import Reply, User
from tests.e2e.test_blobs import HELLO, open_upload, put, store
from tools.project import ROOT

CONTINUOUS = {"dataSetType": "continuous"}
SYNCS = "fsync,fdatasync"
CALLS = f"{SYNCS},rename,renameat,renameat2,sendto"
DETACHED_WITHIN_S = 20
_CALL = re.compile(r"\d+ +(?:<\.\.\. )?(\w+)(?: resumed>|\()(.*)")


@contextmanager
def strace(server: HomeServer, record: Path, *options: str) -> Iterator[None]:
    """Record the calls of a server during the block."""
    command = ["strace", "-f", "-y", "-s", "40", "-o", str(record), *options, "-p", str(server.process.pid)]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    with process.stderr:
        if "attached" not in (line := process.stderr.readline()):
            process.wait(DETACHED_WITHIN_S)
            pytest.skip(f"this machine lets no process be traced: {line}")
        try:
            yield
        finally:
            process.terminate()
            process.wait(DETACHED_WITHIN_S)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HomeServer]:
    """A home server that can be traced."""
    if shutil.which("strace") is None:
        pytest.skip("needs strace")
    with home_server(tmp_path_factory.mktemp("home") / "data") as running:
        yield running


@pytest.fixture(scope="module")
def user(server: HomeServer) -> User:
    """Somebody."""
    return User(server.base_url)


@pytest.fixture
def data_set_id(user: User) -> str:
    """An empty data set."""
    return user.open_data_set(CONTINUOUS)


def add(user: User, data_set_id: str) -> Reply:
    """Add a record."""
    reading = {"type": "cbg", "time": "2026-01-01T00:00:00Z", "units": "mmol/L", "value": 5}
    return user.request("POST", f"/v1/data_sets/{data_set_id}/data", [reading])


def test_the_log_of_the_database_is_synced_before_each_answer(
    server: HomeServer, user: User, data_set_id: str, tmp_path: Path
) -> None:
    path = f"/v1/data_sets/{data_set_id}"
    selectors = [{"origin": {"id": "gone"}}]
    writes: dict[str, Callable[[], Reply]] = {
        "sign in": lambda: user.request("GET", "/auth/login"),
        "store the profile": lambda: user.request("PUT", f"/metadata/{user.id}/profile", {"fullName": "Anna"}),
        "open a data set": lambda: user.request("POST", f"/v1/users/{user.id}/data_sets", CONTINUOUS),
        "add": lambda: add(user, data_set_id),
        "delete records": lambda: user.request("DELETE", f"{path}/data", selectors),
        "close": lambda: user.request("PUT", path, {"dataState": "closed"}),
        "delete a data set": lambda: user.request("DELETE", path),
        "open an upload": lambda: open_upload(user, HELLO),
    }
    for name, write in writes.items():
        with strace(server, tmp_path / name, "-e", f"trace={CALLS}"):
            assert write().status in (200, 201), name
        assert f"sync {DATABASE_NAME}-wal" in before_the_answer(tmp_path / name), name


@pytest.mark.parametrize("is_direct", [False, True], ids=["in the request", "direct"])
def test_a_content_and_its_folder_are_synced_before_its_row_and_that_before_the_answer(
    server: HomeServer, user: User, tmp_path: Path, is_direct: bool
) -> None:
    opened = open_upload(user, HELLO).json()

    with strace(server, tmp_path / "calls", "-e", f"trace={CALLS}"):
        reply = put(opened["upload"], HELLO) if is_direct else store(user, HELLO)
        assert reply.status in (200, 201)

    calls = before_the_answer(tmp_path / "calls")
    of_file = calls.index("sync .part")
    wanted = ["sync .part", "rename .part", f"sync {OBJECTS_FOLDER}", f"sync {DATABASE_NAME}-wal"]
    assert calls[of_file : of_file + 4] == wanted


def before_the_answer(record: Path) -> list[str]:
    """The calls that were recorded before the answer: `sync NAME` and `rename NAME`, with the suffix of a file that
    gets a random name."""
    calls: list[str] = []
    for line in record.read_text().splitlines():
        matched = _CALL.match(line)
        if matched is None:
            continue
        name, arguments = matched.groups()
        if name == "sendto" and '"HTTP/1.1 2' in arguments:
            return calls
        if name.startswith("rename"):
            calls.append(f"rename {Path(arguments.split(chr(34))[1]).suffix}")
        elif path := re.search(r"<(.*?)>", arguments):
            found = Path(path.group(1))
            calls.append(f"sync {found.suffix if found.suffix == '.part' else found.name}")
    raise AssertionError(f"no answer was recorded: {calls}")


@pytest.mark.parametrize(
    ("failing", "statuses"),
    [
        (f"{SYNCS}:error=EIO", (503, 503, 503)),
        ("fsync:error=EIO", (503, 503, 200)),
        ("fsync:error=ENOSPC", (507, 507, 200)),
    ],
    ids=["all fail", "those of contents fail", "those of contents find the disk full"],
)
def test_a_sync_that_fails_is_no_success_and_nothing_is_there(
    server: HomeServer, tmp_path: Path, failing: str, statuses: tuple[int, ...]
) -> None:
    user = User(server.base_url)
    data_set_id = user.open_data_set(CONTINUOUS)
    opened = open_upload(user, HELLO).json()
    writes: tuple[Callable[[], Reply], ...] = (
        lambda: store(user, HELLO),
        lambda: put(opened["upload"], HELLO),
        lambda: add(user, data_set_id),
    )

    with strace(server, tmp_path / "calls", "-e", f"trace={SYNCS}", "-e", f"inject={failing}"):
        assert tuple(write().status for write in writes) == statuses
    assert len(user.records()) == statuses.count(200)
    assert user.request("GET", f"/v1/users/{user.id}/blobs").json() == []

    assert [write().status for write in writes] == [201, 200, 200]
    assert len(user.records()) == 1 + statuses.count(200)


NEW_FOLDER = """
import os, sys
from pathlib import Path
from chalicelib.engine.embedded.engine import embedded_engine
engine = embedded_engine(Path(sys.argv[1]), lambda: 0)
engine.data.put({"pk": "a", "sk": "b"})
os.write(1, b"HTTP/1.1 200: answered")
"""


def test_the_names_of_a_new_folder_are_synced_before_its_first_write_is_answered(tmp_path: Path) -> None:
    """A file whose name is not on the disk is lost with its content."""
    if shutil.which("strace") is None:
        pytest.skip("needs strace")
    folder, record = tmp_path / "data", tmp_path / "calls"
    traced = ["strace", "-y", "-o", str(record), "-e", f"trace={SYNCS},openat,write"]
    command = [*traced, sys.executable, "-c", NEW_FOLDER, str(folder)]
    if subprocess.run(command, cwd=ROOT, check=False).returncode != 0:
        pytest.skip("this machine lets no process be traced")
    calls = record.read_text().partition("HTTP/1.1")[0].splitlines()
    syncs = [(number, call) for number, call in enumerate(calls) if "sync(" in call]
    log_created = next(number for number, call in enumerate(calls) if f'{DATABASE_NAME}-wal", O_RDWR|O_CREAT' in call)
    assert any(f"<{folder}>" in call for number, call in syncs if number > log_created)
    assert any(f"<{tmp_path}>" in call for _, call in syncs)
    assert f"/{DATABASE_NAME}-wal>" in syncs[-1][1]
