"""The plan of faults: counted over all stand-ins, strict about what it is told."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from rehearsal.faults import FAULTS_VARIABLE, Fault, Faults
from rehearsal.stand_in import Refused


def test_only_the_planned_operation_is_refused_whoever_asks(tmp_path: Path):
    stage, aws, kubernetes = (Faults(tmp_path / "faults.sqlite") for _ in range(3))
    stage.plan(Fault(operation="create", at=2))
    aws.meet("create", "urn:a")
    aws.meet("delete", "urn:a")
    with pytest.raises(Refused, match="told to fail create number 2"):
        kubernetes.meet("create", "urn:b")
    aws.meet("create", "urn:c")
    assert stage.struck() == ("urn:b",)
    assert stage.asked("create") == 3


def test_a_new_plan_counts_from_the_start_and_an_empty_one_refuses_nothing(tmp_path: Path):
    faults = Faults(tmp_path / "faults.sqlite")
    for _ in range(2):
        faults.plan(Fault(operation="update", at=1))
        with pytest.raises(Refused):
            faults.meet("update", "urn:a")
    faults.plan()
    faults.meet("update", "urn:a")
    assert faults.struck() == ()


def test_a_slow_operation_takes_its_time_and_is_not_refused(tmp_path: Path):
    faults = Faults(tmp_path / "faults.sqlite")
    faults.plan(Fault(operation="delete", at=1, seconds=0.2))
    started = time.monotonic()
    faults.meet("delete", "urn:a")
    assert time.monotonic() - started >= 0.2
    assert faults.struck() == ("urn:a",)


def test_without_a_plan_nothing_is_counted_and_no_file_is_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    faults = Faults(tmp_path / "faults.sqlite")
    faults.meet("create", "urn:a")
    assert list(tmp_path.iterdir()) == []
    monkeypatch.delenv(FAULTS_VARIABLE, raising=False)
    assert Faults.from_environment() is None


@pytest.mark.parametrize("wrong", [{"operation": "make", "at": 1}, {"operation": "create", "at": 0}])
def test_a_fault_that_means_nothing_is_an_error(wrong: dict):
    with pytest.raises(ValueError, match="is no fault"):
        Fault(**wrong)
