"""System calls of a process and its children, as `strace` recorded them: those that change files, and those that send.

`strace` writes a call that ends after others began in two parts. A change counts from where its call begins, a sync
from where its call ends: the order that promises least.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

TRACED = (
    "openat,creat,write,pwrite64,writev,pwritev,pwritev2,lseek,fsync,fdatasync,ftruncate,truncate,fallocate,"
    "rename,renameat,renameat2,link,linkat,symlink,symlinkat,unlink,unlinkat,mkdir,mkdirat,rmdir,"
    "copy_file_range,sendfile,sendto,sendmsg"
)
UNREADABLE = {"writev", "pwritev", "pwritev2", "truncate", "fallocate", "link", "linkat", "symlink", "symlinkat"}
UNREADABLE |= {"copy_file_range", "sendfile", "creat", "rmdir"}
"""The calls that the home server does not make on its files. One of them is an error, so that none is overlooked."""
_LINE = re.compile(r"(?P<pid>\d+) +(?P<rest>.*)", re.DOTALL)
_RESUMED = re.compile(r"<\.\.\. (?P<name>\w+) resumed>(?P<rest>.*)", re.DOTALL)
_CALL = re.compile(r"(?P<name>\w+)\((?P<arguments>.*)\) += (?P<result>-?\d+|\?).*", re.DOTALL)
_TEXT = re.compile(r'"((?:\\x[0-9a-f]{2})*)"(\.\.\.)?')
_FILE = re.compile(r"(\d+)<((?:\\x[0-9a-f]{2})*)>")
_UNFINISHED = " <unfinished ...>"
_ANSWER = re.compile(rb"^HTTP/1\.1 (\d{3}) .*?\r\nX-Tidepool-Trace-Request: step-(\w+)\r\n", re.DOTALL | re.IGNORECASE)


class UnknownCallError(Exception):
    """A call that changes a file in a way that nothing here understands."""


@dataclass(frozen=True, slots=True)
class Call:
    """A change of a file or folder, a sync, or an answer.

    `name` is `create`, `mkdir`, `write`, `truncate`, `rename`, `unlink`, `sync` or `answer`. Of an answer, `path` is
    the step and `offset` its status.
    """

    name: str
    path: str
    offset: int = 0
    """Of a write; of `truncate` the size."""
    data: bytes = b""
    target: str = ""
    """The new path of `rename`."""
    began: int = 0
    """Position at which the call began in the order of calls; of all but a sync, this is its place in the order."""


def calls_of(lines: Iterable[str], folder: Path) -> list[Call]:
    """The calls that concern a folder, in order, with paths relative to it, and the answers to steps.

    Raises:
        UnknownCallError: a call cannot be understood.
    """
    found = []
    offsets: dict[tuple[str, int], int] = {}
    for began, ended, call in _whole(lines):
        parsed = _CALL.fullmatch(call)
        if parsed is None or parsed["result"].startswith(("-", "?")):
            continue
        found += [
            (began if made.name != "sync" else ended, made)
            for made in _made(parsed, began, str(folder.resolve()), offsets)
        ]
    return [call for _, call in sorted(found, key=lambda pair: pair[0])]


def _whole(lines: Iterable[str]) -> Iterator[tuple[int, int, str]]:
    """Each call in one piece, with the numbers of the lines where it begins and ends."""
    waiting: dict[str, tuple[int, str]] = {}
    for number, line in enumerate(lines):
        parsed = _LINE.fullmatch(line.rstrip("\n"))
        if parsed is None:
            continue
        pid, rest = parsed["pid"], parsed["rest"]
        if rest.endswith(_UNFINISHED):
            waiting[pid] = (number, rest.removesuffix(_UNFINISHED))
        elif (resumed := _RESUMED.fullmatch(rest)) is not None:
            if pid in waiting:
                began, start = waiting.pop(pid)
                yield began, number, start + resumed["rest"]
        else:
            yield number, number, rest


def _made(call: re.Match[str], began: int, folder: str, offsets: dict[tuple[str, int], int]) -> Iterator[Call]:
    name, arguments = call["name"], call["arguments"]
    if name in ("sendto", "sendmsg"):
        yield from _answers(arguments, began)
        return
    if name in ("openat", "mkdir", "mkdirat", "unlink", "unlinkat", "rename", "renameat", "renameat2"):
        yield from _of_names(call, began, folder, offsets)
        return
    file = _FILE.match(arguments)
    path = None if file is None else _below(_decoded(file[2]).decode(), folder)
    if file is None or path is None:
        return
    descriptor = (path, int(file[1]))
    if name in UNREADABLE:
        raise UnknownCallError(f"{name} of {path}")
    if name == "lseek":
        offsets[descriptor] = int(call["result"])
    elif name in ("fsync", "fdatasync"):
        yield Call("sync", path, began=began)
    elif name == "ftruncate":
        yield Call("truncate", path, int(arguments.rpartition(", ")[2]), began=began)
    elif name in ("write", "pwrite64"):
        data = _data(arguments)[: int(call["result"])]
        at = int(arguments.rpartition(", ")[2]) if name == "pwrite64" else offsets.get(descriptor, 0)
        if name == "write":
            offsets[descriptor] = at + len(data)
        yield Call("write", path, at, data, began=began)


def _of_names(call: re.Match[str], began: int, folder: str, offsets: dict[tuple[str, int], int]) -> Iterator[Call]:
    name, arguments = call["name"], call["arguments"]
    paths = [_below(_decoded(text).decode(errors="replace"), folder) for text, _ in _TEXT.findall(arguments)]
    known = [path for path in paths if path is not None]
    if not known:
        return
    if name == "openat":
        offsets[known[0], int(call["result"])] = 0
        if "O_APPEND" in arguments:
            raise UnknownCallError(f"openat of {known[0]} to append")
        if "O_CREAT" in arguments:
            yield Call("create", known[0], began=began)
        if "O_TRUNC" in arguments:
            yield Call("truncate", known[0], 0, began=began)
    elif name.startswith("rename"):
        if len(known) != 2:
            raise UnknownCallError(f"rename between the folder and another: {known}")
        yield Call("rename", known[0], target=known[1], began=began)
    else:
        yield Call("mkdir" if name.startswith("mkdir") else "unlink", known[0], began=began)


def _answers(arguments: str, began: int) -> Iterator[Call]:
    answer = _ANSWER.match(_data(arguments))
    if answer is not None:
        yield Call("answer", answer[2].decode(), int(answer[1]), began=began)


def _data(arguments: str) -> bytes:
    text = _TEXT.search(arguments)
    if text is None or text[2]:
        raise UnknownCallError(f"the data of a call are missing or cut: {arguments[:80]}")
    return _decoded(text[1])


def _decoded(text: str) -> bytes:
    return bytes.fromhex(text.replace("\\x", ""))


def _below(path: str, folder: str) -> str | None:
    """The path relative to the folder, which is `.` itself; None if it is elsewhere."""
    path = path.removesuffix(" (deleted)")
    if path == folder:
        return "."
    return path.removeprefix(f"{folder}/") if path.startswith(f"{folder}/") else None
