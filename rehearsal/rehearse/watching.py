"""What happens to pods, nodes and claims, followed from the API server while the rehearsal acts."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from gpu_slices.naming import POOL_LABEL
from rehearsal.cluster.http_api import Api
from rehearsal.rehearse.pods import SELECTOR

#: How often the record gets a point.
INTERVAL_SECONDS: Final = 0.25

_ENDED: Final = frozenset({"Succeeded", "Failed"})
PODS: Final = "/api/v1/pods"
NODES: Final = "/api/v1/nodes"
CLAIMS: Final = "/apis/karpenter.sh/v1/nodeclaims"


@dataclass(frozen=True, kw_only=True)
class Point:
    """The burst at one moment; `seconds` since the record began."""

    seconds: float
    pending: int
    running: int
    nodes: int


class Watch:
    """Follows one collection in a thread that ends with the process; objects by uid."""

    def __init__(self, api: Api, path: str, **query: str) -> None:
        there = api.get(path, **query)["items"]
        self._objects: dict[str, Mapping[str, Any]] = {str(one["metadata"]["uid"]): one for one in there}
        self._seen = set(self._objects)
        self._lock = threading.Lock()
        follow = threading.Thread(target=self._follow, args=(api, path, query), daemon=True)
        follow.start()

    def _follow(self, api: Api, path: str, query: Mapping[str, str]) -> None:
        for kind, one in api.follow(path, **query):
            uid = str(one["metadata"]["uid"])
            with self._lock:
                self._seen.add(uid)
                if kind == "DELETED":
                    self._objects.pop(uid, None)
                else:
                    self._objects[uid] = one

    def now(self) -> tuple[Mapping[str, Any], ...]:
        """What exists."""
        with self._lock:
            return tuple(self._objects.values())

    @property
    def seen(self) -> frozenset[str]:
        """Uids of everything that ever existed since the watch began."""
        with self._lock:
            return frozenset(self._seen)


class Pool:
    """One GPU pool under a burst: its pods, its nodes and, where Karpenter launches them, its claims."""

    def __init__(self, api: Api, pool: str, *, launched: bool) -> None:
        self._pods = Watch(api, PODS, labelSelector=SELECTOR)
        self._others = Watch(api, PODS, labelSelector=f"!{SELECTOR}")
        self._nodes = Watch(api, NODES, labelSelector=f"{POOL_LABEL}={pool}")
        self._claims = Watch(api, CLAIMS, labelSelector=f"{POOL_LABEL}={pool}") if launched else None

    def pods(self, phase: str) -> int:
        """The burst's pods in a phase."""
        return sum((pod.get("status") or {}).get("phase") == phase for pod in self._pods.now())

    def all_pods(self) -> tuple[Mapping[str, Any], ...]:
        """The burst's pods."""
        return self._pods.now()

    def nodes(self) -> tuple[Mapping[str, Any], ...]:
        """The pool's nodes."""
        return self._nodes.now()

    def held(self, resource: str) -> dict[str, int]:
        """Node → slices that the stack's own workloads hold there; what has ended holds nothing."""
        held = {node["metadata"]["name"]: 0 for node in self.nodes()}
        for pod in self._others.now():
            node = pod["spec"].get("nodeName", "")
            if node in held and (pod.get("status") or {}).get("phase") not in _ENDED:
                held[node] += sum(_asked(container, resource) for container in pod["spec"]["containers"])
        return held

    def claims(self) -> frozenset[str]:
        """Every NodeClaim that Karpenter ever made for the pool; none for a node group."""
        return self._claims.seen if self._claims else frozenset()

    def claims_now(self) -> tuple[Mapping[str, Any], ...]:
        """NodeClaims that exist."""
        return self._claims.now() if self._claims else ()


def _asked(container: Mapping[str, Any], resource: str) -> int:
    return int(((container.get("resources") or {}).get("limits") or {}).get(resource, "0"))


class Record:
    """Points of one burst, taken in a thread until `stop`."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._started = time.monotonic()
        self._ended = threading.Event()
        self._points: list[Point] = []
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def stop(self) -> tuple[Point, ...]:
        """Ends the record."""
        self._ended.set()
        self._thread.join()
        return tuple(self._points)

    def _run(self) -> None:
        while True:
            point = Point(
                seconds=round(time.monotonic() - self._started, 2),
                pending=self._pool.pods("Pending"),
                running=self._pool.pods("Running"),
                nodes=len(self._pool.nodes()),
            )
            self._points.append(point)
            if self._ended.wait(INTERVAL_SECONDS):
                return
