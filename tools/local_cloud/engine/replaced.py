"""What of ministack is replaced or reached into, in one place: all of it is private to ministack and may go.

The lock file pins ministack; `missing()` tells what the installed one no longer has, and then nothing is replaced.
Each gain was measured (docs/adr): no wait for log lines 6 ms a request, the memoised parser 3 to 5 times on a Query.
"""

import functools
import importlib
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

EXPECTED = (
    "ministack.app:app",
    "ministack.app:save_all",
    "ministack.app:_build_persistence_save_dict",
    "ministack.core.persistence:_json_default",
    "ministack.core.persistence:_state_format_version",
    "ministack.core.lambda_runtime:Worker._drain_stderr",
    "ministack.core.lambda_runtime:Worker._drain_stderr_bounded",
    "ministack.core.lambda_runtime:reset",
    "ministack.services.lambda_svc:_emit_lambda_logs",
    "ministack.services.dynamodb:_tokenize",
    "ministack.services.dynamodb:_condition_syntax_error",
)


def missing() -> list[str]:
    """Which of the expected functions this ministack lacks."""
    return [name for name in EXPECTED if not callable(_look_up(name))]


def _look_up(name: str) -> Any:
    module, _, attributes = name.partition(":")
    try:
        found: Any = importlib.import_module(module)
        for attribute in attributes.split("."):
            found = getattr(found, attribute)
    except (ImportError, AttributeError):
        return None
    return found


def remember_parsed_expressions() -> None:
    """DynamoDB expressions are parsed once a text, not once an item."""
    dynamodb = importlib.import_module("ministack.services.dynamodb")
    for name in ("_tokenize", "_condition_syntax_error"):
        setattr(dynamodb, name, functools.lru_cache(maxsize=4096)(getattr(dynamodb, name)))


def write_function_logs(log_file: Path) -> None:
    """What functions print goes to `log_file` at once.

    ministack waits for more lines after each call, and keeps a new log stream a call in memory and state for ever.
    """
    runtime = importlib.import_module("ministack.core.lambda_runtime")
    functions = importlib.import_module("ministack.services.lambda_svc")
    runtime.Worker._drain_stderr_bounded = lambda worker: worker._drain_stderr()
    log = log_file.open("a", encoding="utf-8", buffering=1)

    def emit(func: dict[str, Any], request_id: str, log_text: str, *_: Any, **__: Any) -> None:
        if log_text:
            log.write(log_text.rstrip("\n") + "\n")

    functions._emit_lambda_logs = emit


def services_to_save() -> Mapping[str, Callable[[], bytes | None]]:
    """Each service in use by the name of its state file, with a function that encodes its state as ministack reads it."""
    app = importlib.import_module("ministack.app")
    persistence = importlib.import_module("ministack.core.persistence")

    def encoded(name: str, get_state: Callable[[], Any]) -> bytes | None:
        state = get_state()
        if state is None:
            return None
        wrapped = {"__ministack_format__": persistence._state_format_version(name), "payload": state}
        return json.dumps(wrapped, default=persistence._json_default).encode()

    services: Mapping[str, Callable[[], Any]] = app._build_persistence_save_dict()
    return {name: functools.partial(encoded, name, get_state) for name, get_state in services.items()}


def leave_saving_to_us() -> None:
    """ministack's own save at the stop writes file by file over the current snapshot."""
    importlib.import_module("ministack.app").save_all = lambda services: None


def stop_functions() -> None:
    """End the processes that functions run in."""
    importlib.import_module("ministack.core.lambda_runtime").reset()
