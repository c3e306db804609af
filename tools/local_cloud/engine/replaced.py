"""Replaces parts of ministack. All uses of its private names are in this module, because a new version may drop them.

The lock file pins ministack. `missing()` returns the names that the installed version lacks; if there are any, nothing
is replaced. Measured gains (docs/adr): 6 ms a request without the wait for log lines, and a Query is 3 to 5 times as
fast with the memoised parser.
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
    """The expected names that this ministack lacks."""
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
    """Parse each DynamoDB expression once, not once for each item."""
    dynamodb = importlib.import_module("ministack.services.dynamodb")
    for name in ("_tokenize", "_condition_syntax_error"):
        setattr(dynamodb, name, functools.lru_cache(maxsize=4096)(getattr(dynamodb, name)))


def heed_conditions_in_change_sets() -> None:
    """Include the resources that a condition adds or removes in a change set, as CloudFormation does.

    ministack 1.5.33 compares the resources of both templates without regard to their conditions, so a change of
    parameters that only switches a resource on or off counts as no change.
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
    """Store an alarm on a calculation or a query as one on its first metric; alarms notify nobody here.

    ministack 1.5.33 refuses such an alarm, and with it the whole stack.
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
    """Write the output of functions to `log_file` immediately.

    ministack waits for more lines after each call, and keeps a log stream for each call in memory and state forever.
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
    """Write the state of each service in use into `folder`, in the form that ministack reads."""
    app = importlib.import_module("ministack.app")
    persistence = importlib.import_module("ministack.core.persistence")
    functions: Any = importlib.import_module("ministack.services.lambda_svc")
    # The code of functions is kept beside the state that names it, or a save would take it from the previous one.
    functions.CODE_BLOB_DIR = str(folder / "lambda-blobs")
    for name, get_state in app._build_persistence_save_dict().items():
        state = get_state()
        if state is not None:
            wrapped = {"__ministack_format__": persistence._state_format_version(name), "payload": state}
            replace_file(folder / f"{name}.json", json.dumps(wrapped, default=persistence._json_default).encode())


def leave_saving_to_us() -> None:
    """Disable the save of ministack at its stop, which overwrites the current snapshot file by file."""
    app: Any = importlib.import_module("ministack.app")
    app.save_all = lambda _: None


def stop_functions() -> None:
    """End the worker processes of functions."""
    importlib.import_module("ministack.core.lambda_runtime").reset()
