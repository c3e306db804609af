"""The data folder of a local cloud: held by one, checked before use, replaced as a whole."""

import hashlib
import json
import os
from pathlib import Path

import pytest

from tools.local_cloud.data_folder import DataFolder, opened
from tools.local_cloud.snapshots import open_state, replace_file, write_snapshot
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
        assert list((folder.state / "current").iterdir()) == []
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
    with pytest.raises(ToolError, match=r"damaged \(state/current/dynamodb\.json is not what was saved\)") as raised:
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
    current.resolve().rmdir()
    with pytest.raises(ToolError, match="current names 000001, which is not there"):
        opened(tmp_path).__enter__()


def test_a_snapshot_keeps_what_was_not_saved_again(tmp_path: Path) -> None:
    current = _saved(tmp_path, dynamodb=[1], s3=[1])
    write_snapshot(tmp_path / "state", lambda draft: _write(draft, {"s3": [2]}))
    assert {path.name: json.loads(path.read_text()) for path in current.iterdir()} == {
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
