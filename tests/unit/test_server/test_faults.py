"""Tests which requests meet a fault, and for how long."""

from threading import Thread

import pytest

from chalicelib.errors import UnavailableError
from strandline.test_server.faults import Fault, FaultKind, PlannedFaults, RequestFaults, refused_tables


@pytest.fixture
def planned() -> PlannedFaults:
    return PlannedFaults()


def test_a_fault_is_met_as_often_as_was_asked(planned: PlannedFaults) -> None:
    planned.add(Fault(FaultKind.DROP, times=2))
    met = [planned.take("GET", "/status") for _ in range(3)]
    assert [fault.kind if fault else None for fault in met] == [FaultKind.DROP, FaultKind.DROP, None]


def test_faults_are_met_in_the_order_in_which_they_were_asked_for(planned: PlannedFaults) -> None:
    planned.add(Fault(FaultKind.DROP))
    planned.add(Fault(FaultKind.THROTTLE))
    met = [planned.take("GET", "/status") for _ in range(2)]
    assert [fault.kind for fault in met if fault] == [FaultKind.DROP, FaultKind.THROTTLE]


@pytest.mark.parametrize(
    ("method", "path", "meets"),
    [
        ("POST", "/v1/data_sets/abc/data", True),
        ("GET", "/v1/data_sets/abc/data", False),
        ("POST", "/v1/data_sets/abc", False),
        ("POST", "/v1/DATA_SETS/abc/data", False),
    ],
)
def test_only_requests_of_its_method_and_path_meet_it(
    planned: PlannedFaults, method: str, path: str, meets: bool
) -> None:
    planned.add(Fault(FaultKind.DROP, method="POST", path="/v1/data_sets/*/data"))
    assert (planned.take(method, path) is not None) == meets


@pytest.mark.parametrize("path", ["/v1/[ab]", "/v1/?", "/v1/.", "/v1/*[a]"])
def test_only_the_star_stands_for_other_text(planned: PlannedFaults, path: str) -> None:
    planned.add(Fault(FaultKind.DROP, path=path))
    assert planned.take("GET", "/v1/a") is None
    assert planned.take("GET", path) is not None


def test_a_request_passes_a_fault_that_is_not_for_it_and_meets_the_next(planned: PlannedFaults) -> None:
    planned.add(Fault(FaultKind.DROP, method="POST"))
    planned.add(Fault(FaultKind.THROTTLE))
    fault = planned.take("GET", "/status")
    assert fault is not None
    assert fault.kind is FaultKind.THROTTLE


def test_clearing_forgets_faults_and_ends_delays(planned: PlannedFaults) -> None:
    planned.add(Fault(FaultKind.DROP))
    waiting = Thread(target=planned.wait, args=(600_000,), daemon=True)
    waiting.start()
    while waiting.is_alive():
        planned.clear()
        waiting.join(0.01)
    assert planned.take("GET", "/status") is None


def test_tables_are_refused_in_one_context_only() -> None:
    faults = RequestFaults()
    with refused_tables():
        with pytest.raises(UnavailableError):
            faults.before("GetItem")
        elsewhere = Thread(target=faults.before, args=("GetItem",))
        elsewhere.start()
        elsewhere.join()
    faults.before("GetItem")
    assert faults.calls == {"GetItem": 2}
