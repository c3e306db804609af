"""The figures of a stage as lines for people."""

from collections.abc import Iterator, Mapping
from typing import Any

from strandline.cli.sizes import size
from strandline.cli.terminal import printable

STATES = ("pending", "running", "failed")


def as_text(figures: Mapping[str, Any]) -> str:
    """The figures in lines, each with its name first."""
    rows = [(name, printable(text)) for name, text in _rows(figures)]
    width = max(len(name) for name, _ in rows)
    return "\n".join(f"{name:{width}}  {text}" for name, text in rows)


def _rows(figures: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    data, tasks, refusals = figures["data"], figures["tasks"], figures["refusals"]
    yield "stage", f"{figures['stage']}, version {figures['version']}, {figures['time']}"
    yield "users", _count(figures["users"])
    yield "last data", str(data["lastTime"] or "never")
    of_users = f", of the newest {data['users']:,} users" if data["isAtLeast"] else ""
    yield "storage", f"{size(data['dataBytes'])} of data, {size(data['blobBytes'])} of blobs{of_users}"
    yield "tasks", f"{_count(tasks)}: " + ", ".join(f"{tasks[state]:,} {state}" for state in STATES)
    for task in tasks["lastFailed"]:
        parts = (task["type"], task.get("runTime"), task["id"], _errors(task.get("error")))
        yield "  failed", " ".join(str(part) for part in parts if part)
    yield "refusals", f"{refusals['count']:,} uploads in 14 days"
    for day in refusals["days"]:
        yield f"  {day['date']}", f"{day['count']:,}, the last at {day['lastTime']}"


def _count(counted: Mapping[str, Any]) -> str:
    return f"{'at least ' if counted['isAtLeast'] else ''}{counted['count']:,}"


def _errors(error: Any) -> str:
    """The codes of the errors of a task: none, one, or several."""
    errors = error if isinstance(error, list) else [error]
    return ", ".join(str(fault.get("code", "")) for fault in errors if isinstance(fault, dict))
