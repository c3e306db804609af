"""The data folder of a local cloud: held by one, checked before use, replaced as a whole."""

import hashlib
import json
import os
import shutil
from pathlib import Path

import pytest

from chalicelib.reading.stores import large_replies
from tools.local_cloud.data_folder import LARGE_REPLIES, DataFolder, opened
from tools.local_cloud.snapshots import CONTENTS, open_state, replace_file, write_snapshot
from tools.project import ToolError


def _saved(data_dir: Path, **services: object) -> Path:
    """A data folder whose state was saved once; the folder of its current snapshot."""
    with opened(data_dir) as folder:
        write_snapshot(folder.state, lambda draft: _write(draft, services))
    return data_dir / "state" / "current"


def _write(draft: Path, services: dict[str, object]) -> None:
    for name, state in services.items():
        replace_file(draft / f"{name}.json", json.dumps(state).encode())


def test_a_new_folder_has_an_empty_state(tmp_path: Path) -> None:
    with opened(tmp_path / "some" / "new" / "folder") as folder:
        assert [path.name for path in (folder.state / "current").iterdir()] == [CONTENTS]
        assert folder.scratch.is_dir()


def test_a_second_local_cloud_is_refused_and_names_the_first(tmp_path: Path) -> None:
    with opened(tmp_path), pytest.raises(ToolError, match=f"in use by another local cloud .process {os.getpid()}"):
        opened(tmp_path).__enter__()
    with opened(tmp_path):
        pass


def test_a_folder_that_cannot_be_made_is_a_one_sentence_error(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ToolError, match=r"file/data cannot be used: Not a directory\.$"):
        opened(tmp_path / "file" / "data").__enter__()


@pytest.mark.parametrize("content", ["", '{"payload": {"tab', "[]", "\x00\x00"])
def test_a_damaged_state_is_refused_and_left_alone(tmp_path: Path, content: str) -> None:
    current = _saved(tmp_path, dynamodb={"payload": 1}, s3={})
    (current / "dynamodb.json").write_text(content)
    with pytest.raises(ToolError, match=r"damaged \(state/000001/dynamodb\.json is not what was saved\)") as raised:
        opened(tmp_path).__enter__()
    assert "\n" not in str(raised.value)
    assert (current / "dynamodb.json").read_text() == content


def test_damaged_code_of_a_function_is_refused(tmp_path: Path) -> None:
    current = _saved(tmp_path)
    code = current / "lambda-blobs" / f"{hashlib.sha256(b'code').hexdigest()}.zip"
    code.parent.mkdir()
    code.write_bytes(b"code")
    with opened(tmp_path):
        pass
    code.write_bytes(b"cod")
    with pytest.raises(ToolError, match="is not what was saved"):
        opened(tmp_path).__enter__()


def test_a_state_whose_snapshot_is_gone_is_refused(tmp_path: Path) -> None:
    current = _saved(tmp_path)
    shutil.rmtree(current.resolve())
    with pytest.raises(ToolError, match="current names 000001, which is not there"):
        opened(tmp_path).__enter__()


@pytest.mark.parametrize("is_dangling", [False, True])
def test_without_the_link_the_latest_complete_snapshot_is_used(
    tmp_path: Path, is_dangling: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    current = _saved(tmp_path, dynamodb={"n": 1})
    state = tmp_path / "state"
    shutil.copytree(state / "000001", state / "000007")
    (state / "000009").mkdir()  # a save that did not end
    (state / "000009" / "dynamodb.json").write_text("{}")
    current.unlink()
    if is_dangling:
        current.symlink_to("000008")
    with opened(tmp_path) as folder:
        assert json.loads((folder.state / "current" / "dynamodb.json").read_text()) == {"n": 1}
    assert (current.readlink(), capsys.readouterr().out) == (
        Path("000007"),
        f"note: {current} was missing; its latest snapshot is used: 000007\n",
    )


def test_a_save_after_the_link_was_removed_keeps_everything(tmp_path: Path) -> None:
    current = _saved(tmp_path, dynamodb={"n": 1}, s3={})
    current.unlink()
    write_snapshot(tmp_path / "state", lambda draft: _write(draft, {"s3": {"n": 2}}))
    assert json.loads((current / "dynamodb.json").read_text()) == {"n": 1}


def test_nothing_is_removed_from_a_state_without_a_complete_snapshot(tmp_path: Path) -> None:
    current = _saved(tmp_path, dynamodb={"n": 1})
    only = current.resolve()
    current.unlink()
    (only / CONTENTS).unlink()
    with pytest.raises(ToolError, match="current is not there, and no snapshot is complete"):
        opened(tmp_path).__enter__()
    assert json.loads((only / "dynamodb.json").read_text()) == {"n": 1}


@pytest.mark.parametrize("name", ["dynamodb.json", "lambda-blobs/code.txt"])
def test_a_state_without_one_of_its_files_is_refused(tmp_path: Path, name: str) -> None:
    def save(draft: Path) -> None:
        (draft / name).parent.mkdir(exist_ok=True)
        replace_file(draft / name, b"{}")
        replace_file(draft / "s3.json", b"{}")

    with opened(tmp_path) as folder:
        write_snapshot(folder.state, save)
    (tmp_path / "state" / "current" / name).unlink()
    with pytest.raises(ToolError, match=rf"damaged .state/000001/{name} is not there"):
        opened(tmp_path).__enter__()


def test_a_snapshot_counts_only_when_it_is_on_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    current = _saved(tmp_path, dynamodb={"n": 1})
    synced: list[str] = []
    named_before: list[str] = []

    def sync(handle: int) -> None:
        synced.append(Path(f"/proc/self/fd/{handle}").readlink().name)
        named_before.append(current.readlink().name)

    if not Path("/proc/self/fd").exists():
        pytest.skip("needs /proc")
    monkeypatch.setattr(os, "fsync", sync)
    write_snapshot(tmp_path / "state", lambda draft: _write(draft, {"dynamodb": {}}))
    assert synced == ["dynamodb.json", CONTENTS, "000002.draft", "state"]
    assert named_before == ["000001", "000001", "000001", "000002"]


def test_a_state_of_an_earlier_version_is_used(tmp_path: Path) -> None:
    current = _saved(tmp_path, dynamodb={"n": 1})
    (current / CONTENTS).unlink()
    with opened(tmp_path) as folder:
        assert json.loads((folder.state / "current" / "dynamodb.json").read_text()) == {"n": 1}


def test_replies_on_their_way_are_removed_at_the_next_start(tmp_path: Path) -> None:
    bucket = tmp_path / "objects" / "000000000000" / "strandline-local-000000000000-us-east-1"
    for key in ("answers/1", "answers/2.meta.json", "blobs/answers/3", "log/4"):
        (bucket / key).parent.mkdir(parents=True, exist_ok=True)
        (bucket / key).write_bytes(b"content")
    with opened(tmp_path):
        left = {str(path.relative_to(bucket)) for path in bucket.rglob("*") if path.is_file()}
    assert left == {"blobs/answers/3", "log/4"}
    assert f"{LARGE_REPLIES}/" == large_replies.PREFIX


def test_a_snapshot_keeps_what_was_not_saved_again(tmp_path: Path) -> None:
    current = _saved(tmp_path, dynamodb=[1], s3=[1])
    write_snapshot(tmp_path / "state", lambda draft: _write(draft, {"s3": [2]}))
    assert {path.name: json.loads(path.read_text()) for path in current.glob("*.json")} == {
        "dynamodb.json": [1],
        "s3.json": [2],
    }
    assert [path.name for path in sorted((tmp_path / "state").iterdir())] == ["000002", "current"]


def test_an_interrupted_save_keeps_the_previous_snapshot(tmp_path: Path) -> None:
    current = _saved(tmp_path, dynamodb=[1], s3=[1])

    def die(draft: Path) -> None:
        _write(draft, {"dynamodb": [2]})
        raise OSError("no space left")

    with pytest.raises(OSError, match="no space left"):
        write_snapshot(tmp_path / "state", die)
    assert json.loads((current / "dynamodb.json").read_text()) == [1]
    open_state(tmp_path / "state")
    assert [path.name for path in sorted((tmp_path / "state").iterdir())] == ["000001", "current"]


def test_the_server_secret_is_for_the_owner_only(tmp_path: Path) -> None:
    folder = DataFolder(tmp_path)
    for secret in ("first", "second"):
        folder.write_server_secret(secret)
        assert folder.server_secret.read_text() == f"{secret}\n"
        assert folder.server_secret.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("content", ["", "{}", '{"gateway": "x"}', '{"gateway": 99999}', "[1]"])
def test_new_ports_are_chosen_if_the_stored_ones_cannot_be_read(tmp_path: Path, content: str) -> None:
    folder = DataFolder(tmp_path)
    folder.ports.write_text(content)
    assert folder.read_gateway_port() is None


def test_the_port_of_the_gateway_is_stored(tmp_path: Path) -> None:
    folder = DataFolder(tmp_path)
    folder.write_gateway_port(4711)
    assert folder.read_gateway_port() == 4711
