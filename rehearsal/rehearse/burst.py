"""Sends one-slice pods to a cluster, waits for them, and takes them away again."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final

from gpu_slices.pool_plan import PoolPlan
from rehearsal.cluster.http_api import Api
from rehearsal.rehearse.pods import NAMESPACE, namespace, one_slice_pod
from rehearsal.rehearse.watching import Point, Pool, Record

#: Karpenter batches for up to 10 s; what it would launch too many comes within this time after the last pod runs.
SETTLE_SECONDS: Final = 3.0
#: Where Karpenter is to launch nothing, it gets this time to do so all the same.
NOTHING_SECONDS: Final = 12.0
_WAIT_SECONDS: Final = 60.0
_WAIT_SECONDS_PER_POD: Final = 0.4
_POLL_SECONDS: Final = 0.1
_SENDERS: Final = 4


@dataclass(frozen=True, kw_only=True)
class Burst:
    """What a burst did. `launched` counts every node that Karpenter launched for it, `nodes` those there at its end."""

    asked: int
    running: int
    launched: int
    nodes: int
    seconds: float
    points: tuple[Point, ...]


class Sender:
    """Bursts of one pool's pods on one API server."""

    def __init__(self, api: Api, pool: Pool) -> None:
        self._api, self._pool = api, pool
        self._sent = 0

    def prepare(self) -> None:
        """Makes the burst's namespace."""
        self._api.apply(f"/api/v1/namespaces/{NAMESPACE}", namespace())

    def burst(self, plan: PoolPlan, count: int, expected: Callable[[], int], settle: float = SETTLE_SECONDS) -> Burst:
        """Sends `count` pods and waits until `expected` run (or time is up), then `settle` seconds for excess nodes."""
        before, started = self._pool.claims(), time.monotonic()
        record = Record(self._pool)
        self._send(plan, count)
        wait(lambda: self._pool.pods("Running") >= expected(), _WAIT_SECONDS + count * _WAIT_SECONDS_PER_POD)
        seconds = time.monotonic() - started
        time.sleep(settle)
        return Burst(
            asked=count,
            running=self._pool.pods("Running"),
            launched=len(self._pool.claims() - before),
            nodes=len(self._pool.nodes()),
            seconds=seconds,
            points=record.stop(),
        )

    def clear(self) -> None:
        """Ends the pods and waits until they are gone."""
        pods = [pod["metadata"]["name"] for pod in self._pool.all_pods()]
        self._delete(f"/api/v1/namespaces/{NAMESPACE}/pods", pods)
        wait(lambda: not self._pool.all_pods(), _WAIT_SECONDS + len(pods) * _WAIT_SECONDS_PER_POD)

    def end(self) -> None:
        """Takes the namespace away with all that is in it."""
        path = f"/api/v1/namespaces/{NAMESPACE}"
        self._api.delete(path)
        wait(lambda: self._api.find(path) is None, _WAIT_SECONDS)

    def _delete(self, path: str, names: Sequence[str]) -> None:
        """One by one: a thousand in one request take longer than a request may."""
        with ThreadPoolExecutor(_SENDERS) as senders:
            list(senders.map(lambda name: self._api.delete(f"{path}/{name}", gracePeriodSeconds="0"), names))

    def _send(self, plan: PoolPlan, count: int) -> None:
        names = [f"slice-{self._sent + index}" for index in range(count)]
        self._sent += count
        path = f"/api/v1/namespaces/{NAMESPACE}/pods"
        with ThreadPoolExecutor(_SENDERS) as senders:
            list(senders.map(lambda name: self._api.create(path, one_slice_pod(plan, name)), names))


def wait(done: Callable[[], bool], seconds: float) -> bool:
    """Whether something came true within the time."""
    deadline = time.monotonic() + seconds
    while not done():
        if time.monotonic() > deadline:
            return False
        time.sleep(_POLL_SECONDS)
    return True
