"""The real kube-state-metrics against a real API server, with the very values that its chart would get."""

from __future__ import annotations

import re
import socket
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import urllib3
import yaml

from tests.support.stacks import ROOT

PROGRAM = ROOT / ".bin" / "kube-state-metrics"
needed = pytest.mark.skipif(not PROGRAM.exists(), reason="no kube-state-metrics: `make monitoring-tools` provides it")
_SAMPLE = re.compile(r"^(?P<series>[a-zA-Z_:][\w:]*(?:\{.*\})?) (?P<value>\S+)$")


class StateMetrics:
    """A running exporter."""

    def __init__(self, port: int) -> None:
        self._address = f"http://127.0.0.1:{port}/metrics"
        self._pool = urllib3.PoolManager(retries=False)

    def samples(self, *names: str) -> list[dict[str, str]]:
        """The series of these metrics as promtool takes them, constant from the first minute to the last."""
        try:
            text = self._pool.request("GET", self._address, timeout=10.0).data.decode()
        except urllib3.exceptions.HTTPError:
            return []
        found = [match for line in text.splitlines() if (match := _SAMPLE.match(line))]
        return [
            {"series": match["series"], "values": f"{float(match['value']):g}x70"}
            for match in found
            if re.split(r"[{ ]", match["series"])[0] in names
        ]


@contextmanager
def running(
    kubeconfig: Path, values: Mapping[str, Any], collectors: Sequence[str], folder: Path
) -> Iterator[StateMetrics]:
    """The exporter with its chart's arguments for these values; ends with the block."""
    config = folder / "custom-resource-state.yaml"
    config.write_text(yaml.safe_dump(values["customResourceState"]["config"]))
    port, telemetry = _free_port(), _free_port()
    arguments = [
        f"--kubeconfig={kubeconfig}",
        "--host=127.0.0.1",
        f"--port={port}",
        "--telemetry-host=127.0.0.1",
        f"--telemetry-port={telemetry}",
        f"--resources={','.join(collectors)}",
        f"--metric-labels-allowlist={','.join(values['metricLabelsAllowlist'])}",
        f"--custom-resource-state-config-file={config}",
    ]
    with (folder / "kube-state-metrics.log").open("wb") as log:
        process = subprocess.Popen([str(PROGRAM), *arguments], stdout=log, stderr=log)
    try:
        yield StateMetrics(port)
    finally:
        process.terminate()
        try:
            process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port
