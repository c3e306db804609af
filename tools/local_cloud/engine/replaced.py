"""What of ministack is replaced or reached into, in one place: all of it is private to ministack and may go.

The lock file pins ministack; `missing()` tells what the installed one no longer has, and then nothing is replaced.
Each gain was measured (docs/adr): no wait for log lines 6 ms a request, the memoised parser 3 to 5 times on a Query.
"""

import functools
import importlib
import json
from pathlib import Path
from typing import Any

from tools.local_cloud.snapshots import replace_file

EXPECTED = (
    "ministack.app:app",
    "ministack.app:save_all",
    "ministack.app:_build_persistence_save_dict",
    "ministack.core.persistence:_json_default",
    "ministack.core.persistence:_state_format_version",
    "ministack.core.lambda_runtime:Worker._drain_stderr",
    "ministack.core.lambda_runtime:Worker._drain_stderr_bounded",
    "ministack.core.lambda_runtime:reset",
    "ministack.services.lambda_svc:CODE_BLOB_DIR",
    "ministack.services.lambda_svc:_emit_lambda_logs",
    "ministack.services.dynamodb:_tokenize",
    "ministack.services.dynamodb:_condition_syntax_error",
    "ministack.services.cloudformation.provisioners:_cw_metric_alarm_record",
    "ministack.services.cloudformation.changesets:_evaluate_conditions",
    "ministack.services.cloudformation.changesets:_resolve_props_for_diff",
)


def missing() -> list[str]:
    """Which of the expected names this ministack lacks."""
    return [name for name in EXPECTED if _look_up(name) is None]


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


def heed_conditions_in_change_sets() -> None:
    """A change set tells of what a condition adds or takes away, as CloudFormation's does.

    ministack 1.5.33 compares the resources of both templates whatever their conditions say, and takes a change of
    parameters that only switches a resource on or off for none at all.
    """
    changesets: Any = importlib.import_module("ministack.services.cloudformation.changesets")
    resolve = changesets._resolve_props_for_diff

    def resolve_what_is_there(template: Any, params: Any, *rest: Any) -> dict[str, Any]:
        resolved: dict[str, Any] = resolve(template, params, *rest)
        conditions = changesets._evaluate_conditions(template or {}, params)
        there = {
            name: resource
            for name, resource in resolved.get("Resources", {}).items()
            if conditions.get(resource.get("Condition"), True)
        }
        return resolved | {"Resources": there}

    changesets._resolve_props_for_diff = resolve_what_is_there


def take_alarms_on_calculations() -> None:
    """An alarm on a calculation or a query is kept as one on its first metric; nobody is told by alarms here.

    ministack 1.5.33 refuses it, and with it the whole stack.
    """
    provisioners: Any = importlib.import_module("ministack.services.cloudformation.provisioners")
    record = provisioners._cw_metric_alarm_record

    def record_first_metric(name: str, properties: dict[str, Any]) -> Any:
        parts = properties.get("Metrics", [])
        simple = {key: value for key, value in properties.items() if key != "Metrics"}
        measured = [part["MetricStat"] for part in parts if "MetricStat" in part]
        if measured:
            simple |= measured[0]["Metric"] | {"Period": measured[0]["Period"], "Statistic": measured[0]["Stat"]}
        elif parts:
            simple |= {"Namespace": "queries", "MetricName": parts[0]["Id"], "Period": parts[0].get("Period", 300)}
        return record(name, simple)

    provisioners._cw_metric_alarm_record = record_first_metric


def write_function_logs(log_file: Path) -> None:
    """What functions print goes to `log_file` at once.

    ministack waits for more lines after each call, and keeps a new log stream a call in memory and state for ever.
    """
    runtime = importlib.import_module("ministack.core.lambda_runtime")
    functions: Any = importlib.import_module("ministack.services.lambda_svc")
    runtime.Worker._drain_stderr_bounded = lambda worker: worker._drain_stderr()
    log = log_file.open("a", encoding="utf-8", buffering=1)

    def emit(_function: dict[str, Any], _request_id: str, log_text: str, *_: Any, **__: Any) -> None:
        if log_text:
            log.write(log_text.rstrip("\n") + "\n")

    functions._emit_lambda_logs = emit


def save_services(folder: Path) -> None:
    """Write the state of each service in use into `folder`, as ministack will read it."""
    app = importlib.import_module("ministack.app")
    persistence = importlib.import_module("ministack.core.persistence")
    functions: Any = importlib.import_module("ministack.services.lambda_svc")
    # The code of functions is kept beside the state that names it, else a save would take it from the one before.
    functions.CODE_BLOB_DIR = str(folder / "lambda-blobs")
    for name, get_state in app._build_persistence_save_dict().items():
        state = get_state()
        if state is not None:
            wrapped = {"__ministack_format__": persistence._state_format_version(name), "payload": state}
            replace_file(folder / f"{name}.json", json.dumps(wrapped, default=persistence._json_default).encode())


def leave_saving_to_us() -> None:
    """ministack's own save at the stop writes file by file over the current snapshot."""
    app: Any = importlib.import_module("ministack.app")
    app.save_all = lambda _: None


def stop_functions() -> None:
    """End the processes that functions run in."""
    importlib.import_module("ministack.core.lambda_runtime").reset()
