"""Tests that recorded system calls are understood, and which states a power cut may leave."""

from pathlib import Path
from random import Random

import pytest

from tools.power_loss.calls import Call, UnknownCallError, calls_of
from tools.power_loss.disk import SECTOR_BYTES, WAYS, Disk, Image
from tools.power_loss.recording import Recording, read_recording, record
from tools.project import ToolError

FOLDER = Path("/srv/data")


def seeded(seed: int) -> Random:
    """Choices that a seed repeats."""
    return Random(seed)  # noqa: S311  for tests


def hexed(text: str) -> str:
    """A text as `strace -xx` writes it."""
    return "".join(f"\\x{byte:02x}" for byte in text.encode())


def file(path: str, descriptor: int = 5) -> str:
    """A descriptor of a file in the folder, as `strace -y` writes it."""
    return f"{descriptor}<{hexed(f'{FOLDER}/{path}' if path else str(FOLDER))}>"


def test_calls_on_the_folder_are_read() -> None:
    name = hexed(f"{FOLDER}/a.part")
    answer = hexed("HTTP/1.1 201 Created\r\nDate: x\r\nX-Tidepool-Trace-Request: step-anna7\r\n\r\n")
    lines = [
        f'10 openat(AT_FDCWD<{hexed("/")}>, "{name}", O_WRONLY|O_CREAT|O_TRUNC, 0600) = {file("a.part")}',
        f'10 write({file("a.part")}, "{hexed("abc")}", 3) = 3',
        f'11 pwrite64({file("db", 6)}, "{hexed("x")}", 1, 4096) = 1',
        f'10 write({file("a.part")}, "{hexed("def")}", 3) = 2',
        f"10 fsync({file('a.part')}) = 0",
        f'10 rename("{name}", "{hexed(f"{FOLDER}/a")}") = 0',
        f"10 fsync({file('', 7)}) = 0",
        f"10 ftruncate({file('db', 6)}, 100) = 0",
        f'10 unlink("{hexed(f"{FOLDER}/b")}") = -1 ENOENT (No such file or directory)',
        f'10 write({9}<{hexed("/elsewhere")}>, "{hexed("abc")}", 3) = 3',
        f'12 sendto(21<{hexed("socket:[1]")}>, "{answer}", 80, 0, NULL, 0) = 80',
    ]
    assert [(call.name, call.path, call.offset, call.data, call.target) for call in calls_of(lines, FOLDER)] == [
        ("create", "a.part", 0, b"", ""),
        ("truncate", "a.part", 0, b"", ""),
        ("write", "a.part", 0, b"abc", ""),
        ("write", "db", 4096, b"x", ""),
        ("write", "a.part", 3, b"de", ""),
        ("sync", "a.part", 0, b"", ""),
        ("rename", "a.part", 0, b"", "a"),
        ("sync", ".", 0, b"", ""),
        ("truncate", "db", 100, b"", ""),
        ("answer", "anna7", 201, b"", ""),
    ]


def test_a_sync_counts_where_it_ends_and_covers_what_came_before_it_began() -> None:
    lines = [
        f'10 pwrite64({file("db")}, "{hexed("1")}", 1, 0) = 1',
        f"11 fdatasync({file('db')} <unfinished ...>",
        f'10 pwrite64({file("db")}, "{hexed("2")}", 1, 1 <unfinished ...>',
        "11 <... fdatasync resumed>) = 0",
        "10 <... pwrite64 resumed>) = 1",
    ]
    calls = calls_of(lines, FOLDER)
    assert [(call.name, call.began) for call in calls] == [("write", 0), ("write", 2), ("sync", 1)]
    disk = Disk()
    for call in (Call("create", "db"), Call("sync", ".", began=1), *calls):
        disk.apply(call)
    left = {disk.after_a_cut(seeded(seed))["db"] for seed in range(50)}
    assert left == {b"1", b"12", b"1\0"}


@pytest.mark.parametrize(
    "line",
    [
        f'10 writev({file("db")}, [{{iov_base="{hexed("1")}", iov_len=1}}], 1) = 1',
        f'10 pwrite64({file("db")}, "{hexed("1")}"..., 100, 0) = 100',
        f'10 openat(AT_FDCWD<{hexed("/")}>, "{hexed(f"{FOLDER}/log")}", O_WRONLY|O_CREAT|O_APPEND, 0600) = 5',
        f'10 rename("{hexed("/srv/elsewhere")}", "{hexed(f"{FOLDER}/a")}") = 0',
    ],
)
def test_a_call_that_is_not_understood_is_an_error(line: str) -> None:
    with pytest.raises(UnknownCallError):
        calls_of([line], FOLDER)


def images(*calls: Call, seeds: int = 300) -> list[Image]:
    """The states that a power cut after these calls may leave."""
    disk = Disk()
    for began, call in enumerate(calls):
        disk.apply(Call(call.name, call.path, call.offset, call.data, call.target, began))
    return [disk.after_a_cut(seeded(seed)) for seed in range(seeds)]


CREATED = (Call("create", "a"), Call("sync", "."))


def test_what_is_synced_is_there() -> None:
    found = images(*CREATED, Call("write", "a", 0, b"old"), Call("sync", "a"))
    assert {image["a"] for image in found} == {b"old"}


def test_of_what_is_not_synced_any_part_is_there() -> None:
    data = bytes([1]) * SECTOR_BYTES + bytes([2]) * SECTOR_BYTES
    contents = {image["a"] for image in images(*CREATED, Call("write", "a", 0, data))}
    halves = {bytes(SECTOR_BYTES) + data[SECTOR_BYTES:], data[:SECTOR_BYTES]}
    assert {b"", data, bytes(len(data)), *halves} == contents


def test_a_later_write_may_be_there_without_an_earlier_one() -> None:
    found = images(*CREATED, Call("write", "a", 0, b"1"), Call("write", "a", 1, b"2"))
    assert {b"", b"1", b"12", b"\0" + b"2"} <= {image["a"] for image in found}


def test_a_name_is_there_only_after_its_folder_was_synced() -> None:
    written = (Call("create", "a.part"), Call("write", "a.part", 0, b"x"), Call("sync", "a.part"))
    renamed = (*written, Call("rename", "a.part", target="a"))
    assert {tuple(image) for image in images(*renamed)} == {(), ("a.part",), ("a",)}
    assert {tuple(image.items()) for image in images(*renamed, Call("sync", "."))} == {(("a", b"x"),)}


def test_names_change_in_order() -> None:
    found = images(*CREATED, Call("create", "b"), Call("unlink", "a"), Call("create", "c"))
    assert {tuple(image) for image in found} == {("a",), ("a", "b"), ("b",), ("b", "c")}


def test_a_file_needs_the_folder_that_it_is_in() -> None:
    found = images(Call("mkdir", "objects"), Call("create", "objects/a"), Call("sync", "objects"))
    assert {tuple(image) for image in found} == {(), ("objects", "objects/a")}


def test_each_way_of_losing_writes_is_tried() -> None:
    assert {seeded(seed).choice(WAYS) for seed in range(100)} == set(WAYS)


def test_a_recording_is_read_as_it_was_written(tmp_path: Path) -> None:
    calls = [
        Call("create", "a"),
        Call("write", "a", 3, b"\0\xff"),
        Call("write", "a", 5, b"z"),
        Call("sync", "a", began=3),
    ]
    kept = Recording(calls, {"anna": []}, {"anna": {"user": "u"}}, 1.5)
    kept.write(tmp_path / "recording.xz")
    assert read_recording(tmp_path / "recording.xz") == kept


def test_a_machine_without_strace_is_told_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.which", lambda _name: None)
    with pytest.raises(ToolError, match="no strace here"):
        record(tmp_path, 1)
