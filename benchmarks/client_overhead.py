"""What the load client itself adds to what it measures: `python -m benchmarks.client_overhead`.

64 streams, a token every 10 ms in each, on this machine. The server notes when it wrote each token, the client when the
token reached it; both read the same monotonic clock. Three figures, each as a share of a 10 ms token:

* lateness: arrival at the client less write at the server, mean over all tokens (kernel and event loop included);
* time per token (TPOT): the client's figure less the server's own for the same request, mean of the absolute difference;
* request: the client's duration from sending to last token less the server's from accepting to last write, per token.

Lateness is the strictest: a constant one would change no TPOT at all. Ends with 1 when any is 2 % or more.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import urllib.request
from pathlib import Path
from statistics import fmean
from typing import Any

from gpu_slices.bench.metrics import arrivals_of
from gpu_slices.bench.servers import REPOSITORY, Child
from gpu_slices.bench.stats import percentile

TOKEN_MS = 10.0
LIMIT = 0.02


def measure(streams: int, tokens: int, window_s: float) -> tuple[dict[str, Any], dict[str, Any]]:
    """The client's record of one run, and the server's stamps by request."""
    with tempfile.TemporaryDirectory() as folder:
        arguments = ["--models", "1", "--step-ms", str(TOKEN_MS / streams)]
        child = Child("gpu_slices.bench.fake_device", arguments, Path(folder) / "log")
        try:
            base = f"http://127.0.0.1:{child.announced(30)['ports'][0]}"
            run = {"condition": "overhead", "load": {"closed": streams}, "output_tokens": tokens, "window_s": window_s}
            plan = {"targets": {"a": {"url": f"{base}/v1/completions"}}, "runs": [run]}
            path = Path(folder) / "plan.json"
            path.write_text(json.dumps(plan))
            command = [sys.executable, "-m", "gpu_slices.bench.client", "--plan", str(path)]
            done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=True)
            with urllib.request.urlopen(f"{base}/stamps") as answer:
                return json.loads(done.stdout), json.load(answer)
        finally:
            child.stop()


def figures(record: dict[str, Any], stamps: dict[str, Any]) -> dict[str, float]:
    """Milliseconds and shares over the requests that both sides saw whole."""
    lateness: list[float] = []
    tpot: list[float] = []
    request: list[float] = []
    for row in record["requests"]:
        server = stamps.get(row["id"])
        arrivals = [time + record["zero"] for time in arrivals_of(row)]
        if server is None or row["status"] != "ok" or len(server["written"]) != len(arrivals):
            continue
        written, count = server["written"], len(arrivals)
        lateness += [(seen - sent) * 1e3 for seen, sent in zip(arrivals, written, strict=True)]
        tpot.append(abs((arrivals[-1] - arrivals[0]) - (written[-1] - written[0])) / max(1, count - 1) * 1e3)
        took = arrivals[-1] - (row["sent"] + record["zero"])
        request.append((took - (written[-1] - server["accepted"])) / count * 1e3)
    ordered = sorted(lateness)
    tokens_per_s = len(lateness) / record["window_s"]
    return {
        "tokens": len(lateness),
        "lateness_ms": fmean(lateness),
        "lateness_p50_ms": percentile(ordered, 0.5),
        "lateness_p99_ms": percentile(ordered, 0.99),
        "tpot_difference_ms": fmean(tpot),
        "request_ms_per_token": fmean(request),
        "client_cpu": record["client"]["cpu"],
        "client_cpu_us_per_token": record["client"]["cpu"] / tokens_per_s * 1e6,
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--streams", type=int, default=64)
    parser.add_argument("--tokens", type=int, default=64)
    parser.add_argument("--window-s", type=float, default=10.0)
    args = parser.parse_args()
    found = figures(*measure(args.streams, args.tokens, args.window_s))
    shares = {
        "lateness": found["lateness_ms"] / TOKEN_MS,
        "time per token": found["tpot_difference_ms"] / TOKEN_MS,
        "request": abs(found["request_ms_per_token"]) / TOKEN_MS,
    }
    for name, value in found.items():
        print(f"{name:24} {value:10.4g}")
    for name, share in shares.items():
        print(f"{name:24} {share:10.2%} of a {TOKEN_MS:g} ms token")
    return 0 if max(shares.values()) < LIMIT else 1


if __name__ == "__main__":
    sys.exit(main())
