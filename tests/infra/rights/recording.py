"""The rights that each function needs, recorded while its use cases run."""

from collections.abc import Callable, Mapping, Set
from dataclasses import dataclass

from chalicelib.api.operations.table import OPERATIONS
from chalicelib.jobs import TASK_TYPES
from chalicelib.tasks.worker import RunResult
from tests.infra.rights.right import Right
from tests.infra.rights.stage import SUCCESSES, Stage, observed_stage
from tests.infra.rights.use_cases import accounts, blobs, data, metrics, sign_in, tasks

UseCase = Callable[[Stage], None]

USE_CASES: tuple[UseCase, ...] = tuple(
    use_case for module in (accounts, sign_in, data, blobs, metrics, tasks) for use_case in module.USE_CASES
)


@dataclass(frozen=True, slots=True)
class Recording:
    """The recordings of the use cases."""

    rights: Mapping[str, Mapping[Right, str]]
    """Function to right to the use case that needed it first."""
    partitions: Mapping[tuple[str, Right], set[str | None]]
    """Function and right to the partition keys of its requests; None stands for a key that cannot be told."""
    methods: frozenset[str]
    """The methods of stores that were called, as `package.stores.module:Class.method`."""
    operations: frozenset[str]
    """The operations that succeeded."""
    task_types: frozenset[str]
    """The types of tasks that ran to their end without an error."""

    @property
    def missing(self) -> set[str]:
        """The operations and types of tasks that no use case covers."""
        return ({operation.name for operation in OPERATIONS} - self.operations) | (TASK_TYPES.keys() - self.task_types)


def record(use_cases: tuple[UseCase, ...] = USE_CASES) -> Recording:
    """Runs use cases on an empty stage, in their order.

    Raises:
        UnknownRequestError: the rights of a request are not known.
        AssertionError: a use case failed.
    """
    with observed_stage() as stage:
        for use_case in use_cases:
            stage.use_case = f"{use_case.__module__.rpartition('.')[2]}.{use_case.__name__}"
            use_case(stage)
        answered = stage.logged("request")
        runs = stage.logged("task run")
    return Recording(
        {function: dict(rights) for function, rights in stage.recorder.rights.items()},
        dict(stage.recorder.partitions),
        frozenset(stage.recorder.methods),
        frozenset(line["operation"] for line in answered if line["status"] in _successes(line["operation"])),
        frozenset(
            line["task_type"]
            for line in runs
            if "error" not in line and line["result"] in (RunResult.COMPLETED, RunResult.AGAIN)
        ),
    )


def _successes(operation: str) -> set[int]:
    """Statuses that say that an operation did what it does; for a few operations that is to refuse."""
    (status,) = {row.success_status for row in OPERATIONS if row.name == operation}
    return {status, *SUCCESSES}


def differences(function: str, recorded: Mapping[Right, str], declared: Set[Right]) -> list[str]:
    """The needed rights that are not declared, then the declared rights that are not needed, as sentences."""
    undeclared = [
        f"{function} needs {right.action} on {right.resource} for {recorded[right]}, and it is not declared"
        for right in sorted(recorded.keys() - declared)
    ]
    return undeclared + [
        f"{function} is declared to need {right.action} on {right.resource}, and no use case needs it"
        for right in sorted(declared - recorded.keys())
    ]
