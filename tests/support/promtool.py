"""Prometheus's own rule engine on made-up series: `promtool test rules`, of the version that the chart installs."""

from __future__ import annotations

import subprocess
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.stacks import ROOT

PROMTOOL = ROOT / ".bin" / "promtool"
needed = pytest.mark.skipif(not PROMTOOL.exists(), reason="no promtool: `make monitoring-tools` provides it")


def series(name: str, values: str, **labels: str) -> dict[str, str]:
    """One series in promtool's notation: `1x60` is 1, sixty-one times, a minute apart."""
    return {"series": f"{name}{{{_matchers(labels)}}}", "values": values}


def sample(name: str, value: float = 1, **labels: str) -> dict[str, Any]:
    """One expected sample of a query."""
    return {"labels": f"{name}{{{_matchers(labels)}}}", "value": value}


def check(
    groups: Sequence[Mapping[str, Any]],
    world: Iterable[Mapping[str, str]],
    expected: Mapping[str, Sequence[Mapping[str, Any]]],
    *,
    minute: int,
    folder: Path,
    told: Mapping[str, Sequence[Mapping[str, Any]]] | None = None,
) -> str:
    """What promtool objects to when the queries of `expected` are put at a minute; empty when all is as expected.

    `told` is alert → every instance of it that fires then, with all its labels and annotations.
    """
    (folder / "rules.yml").write_text(yaml.safe_dump({"groups": list(groups)}))
    queries = [
        {"expr": expr, "eval_time": f"{minute}m", "exp_samples": list(samples)} for expr, samples in expected.items()
    ]
    alerts = [
        {"alertname": name, "eval_time": f"{minute}m", "exp_alerts": list(instances)}
        for name, instances in (told or {}).items()
    ]
    inputs = {"interval": "1m", "input_series": list(world)}
    test = {**inputs, "promql_expr_test": queries, "alert_rule_test": alerts}
    document = {"rule_files": ["rules.yml"], "evaluation_interval": "1m", "tests": [test]}
    (folder / "test.yml").write_text(yaml.safe_dump(document))
    done = subprocess.run(
        [str(PROMTOOL), "test", "rules", "test.yml"],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return "" if done.returncode == 0 else done.stdout + done.stderr


def _matchers(labels: Mapping[str, str]) -> str:
    return ", ".join(f'{name}="{value}"' for name, value in sorted(labels.items()))
