"""What a cluster holds of a benchmark: which GPU each server got and when it ran, how each Job ended, its records."""

from __future__ import annotations

import base64
import binascii
import gzip
import hashlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, Protocol

from ..checks.cluster_api import RefusedError
from .metrics import Record

State = Literal["missing", "running", "failed", "done"]

_BEGIN: Final = "-----BEGIN RECORDS-----"
_END: Final = re.compile(r"-----END RECORDS ([0-9a-f]{64})-----")
#: How each engine says in its log how many tokens its KV cache holds (vLLM 0.33, TGI 3.3.7).
_CACHE: Final[Mapping[str, re.Pattern[str]]] = {
    "vllm": re.compile(r"GPU KV cache size: ([\d,]+) tokens"),
    "tgi": re.compile(r"Setting max batch total tokens to (\d+)"),
}


class Api(Protocol):
    """The part of a Kubernetes API that is read; `ClusterApi` is one."""

    def text(self, path: str, **query: str | int) -> str:
        """GET of a log."""
        ...

    def pages(self, path: str, **query: str | int) -> Iterator[dict[str, Any]]:
        """The items of a list."""
        ...


class LogError(ValueError):
    """A log without whole records; the text says what it holds instead."""


@dataclass(frozen=True, kw_only=True)
class ServerEvidence:
    """One model server's pod. Times as Kubernetes writes them, UTC to the second.

    `gpus`: one line of facts per GPU that the pod sees, UUID first. `cache_tokens`: None where its log does not say.
    """

    name: str
    node: str
    gpus: tuple[str, ...]
    started: str | None
    restarts: int
    cache_tokens: int | None


@dataclass(frozen=True, kw_only=True)
class JobEvidence:
    """One Job and the records in its log. `trouble`: why it failed, or why its records cannot be had."""

    name: str
    state: State
    started: str | None = None
    ended: str | None = None
    records: tuple[Record, ...] = ()
    trouble: str | None = None


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """Everything found of one campaign, by name; `campaigns` are all that the namespace holds, sorted."""

    campaigns: tuple[str, ...]
    servers: Mapping[str, ServerEvidence]
    jobs: Mapping[str, JobEvidence]

    def job(self, name: str) -> JobEvidence:
        """The Job of that name; a missing one where there is none."""
        return self.jobs.get(name, JobEvidence(name=name, state="missing"))


@dataclass(frozen=True, kw_only=True)
class Labels:
    """The labels that the objects carry."""

    part: str
    name: str
    campaign: str


def read_evidence(
    api: Api, *, namespace: str, labels: Labels, campaign: str, engine: str, blocks: Sequence[str]
) -> Evidence:
    """Read everything of `campaign`. `blocks`: the Jobs that have records. Raises what the Api raises."""
    pods = list(api.pages(f"/api/v1/namespaces/{namespace}/pods", labelSelector=labels.campaign))
    jobs = list(api.pages(f"/apis/batch/v1/namespaces/{namespace}/jobs", labelSelector=labels.campaign))
    ours = {part: _newest(pods, labels, part, campaign) for part in ("server", "client", "visitor")}
    own_jobs = [job for job in jobs if _labels(job)[labels.campaign] == campaign]
    clients = {**ours["client"], **ours["visitor"]}
    return Evidence(
        campaigns=tuple(sorted({_labels(one)[labels.campaign] for one in (*pods, *jobs)})),
        servers={name: _server(api, pod, engine) for name, pod in sorted(ours["server"].items())},
        jobs={
            name: _job(api, job, clients.get(name), has_records=name in blocks)
            for name, job in sorted((_labels(job)[labels.name], job) for job in own_jobs)
        },
    )


def unpack(log: str) -> tuple[Record, ...]:
    """The records that `run_client.sh` printed.

    Raises:
        LogError: there are none, or not all of them.
    """
    _, begun, rest = log.partition(_BEGIN)
    end = _END.search(rest)
    if not begun:
        raise LogError(f"no records in the log; it ends: {_tail(log)}")
    if end is None:
        raise LogError("the log breaks off within the records")
    try:
        packed = base64.b64decode("".join(rest[: end.start()].split()), validate=True)
    except binascii.Error:
        raise LogError("the records in the log are not whole") from None
    if hashlib.sha256(packed).hexdigest() != end.group(1):
        raise LogError("the records in the log are not those that were written")
    if not packed:
        return ()
    return tuple(json.loads(line) for line in gzip.decompress(packed).decode().splitlines())


def _tail(log: str) -> str:
    lines = [line.strip() for line in log.splitlines() if line.strip()]
    return " / ".join(lines[-3:])[-300:] or "nothing"


def _labels(item: Mapping[str, Any]) -> Mapping[str, str]:
    return item["metadata"].get("labels") or {}


def _newest(
    pods: Sequence[Mapping[str, Any]], labels: Labels, part: str, campaign: str
) -> dict[str, Mapping[str, Any]]:
    """The last made pod of each name: a Deployment or a Job made again leaves others behind."""
    wanted = {labels.part: part, labels.campaign: campaign}
    found = [pod for pod in pods if wanted.items() <= _labels(pod).items()]
    return {
        _labels(pod)[labels.name]: pod for pod in sorted(found, key=lambda pod: pod["metadata"]["creationTimestamp"])
    }


def _server(api: Api, pod: Mapping[str, Any], engine: str) -> ServerEvidence:
    status = pod.get("status") or {}
    container = next((one for one in status.get("containerStatuses") or () if one["name"] == "server"), {})
    found = _CACHE[engine].search(_log(api, pod, "server")) if container.get("started") else None
    return ServerEvidence(
        name=pod["metadata"]["name"],
        node=(pod.get("spec") or {}).get("nodeName", ""),
        gpus=tuple(line.strip() for line in _log(api, pod, "gpu").splitlines() if line.strip()),
        started=((container.get("state") or {}).get("running") or {}).get("startedAt"),
        restarts=container.get("restartCount", 0),
        cache_tokens=int(found.group(1).replace(",", "")) if found else None,
    )


def _job(api: Api, job: Mapping[str, Any], pod: Mapping[str, Any] | None, *, has_records: bool) -> JobEvidence:
    name, status = job["metadata"]["name"], job.get("status") or {}
    conditions = {one["type"]: one for one in status.get("conditions") or () if one.get("status") == "True"}
    failure = conditions.get("Failed")
    state: State = "failed" if failure else "done" if "Complete" in conditions else "running"
    trouble = f"{failure.get('reason', '')}: {failure.get('message', '')}" if failure else None
    records: tuple[Record, ...] = ()
    if has_records and state != "running":
        try:
            records = unpack(_log(api, pod, "client")) if pod else ()
            trouble = trouble if pod else "its pod is gone, and the records with it"
        except LogError as problem:
            trouble = "; ".join(part for part in (trouble, str(problem)) if part)
    return JobEvidence(
        name=name,
        state=state,
        started=status.get("startTime"),
        ended=status.get("completionTime"),
        records=records,
        trouble=trouble,
    )


def _log(api: Api, pod: Mapping[str, Any], container: str) -> str:
    """A container's log; empty where it has not started (400) or is gone (404)."""
    metadata = pod["metadata"]
    path = f"/api/v1/namespaces/{metadata['namespace']}/pods/{metadata['name']}/log"
    try:
        return api.text(path, container=container)
    except RefusedError as error:
        if error.status in (400, 404):
            return ""
        raise
