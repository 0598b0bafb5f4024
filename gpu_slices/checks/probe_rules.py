"""What the probe pods showed of sharing: rows of the table, and judges from results to findings."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from .probe_pods import NodeProbe
from .snapshot import Pod
from .table import Cause, Check, Finding

_REFUSED_REASON: Final = "UnexpectedAdmissionError"


@dataclass(frozen=True, kw_only=True)
class ProbeResult:
    """What became of one node's probes.

    `refusal` is the API server's word where it took none; `devices` are the GPUs that each pod printed, None where its
    log could not be read; `shown` is what the node advertised while they ran; `two` is the pod that asked for two slices.
    """

    probe: NodeProbe
    pods: tuple[Pod, ...] = ()
    refusal: str = ""
    devices: tuple[tuple[str, ...] | None, ...] = ()
    shown: int | None = None
    two: Pod | None = None


AT_ONCE: Final = Check(
    name="slices-at-once",
    symptom="Fewer pods run side by side than there are slices",
    looks_at="as many one-slice pods on each node as it has free slices (pods of `verify`)",
    judged="all of them are Running at the same time",
    causes=(
        Cause(
            name="quota-too-small",
            text="the namespace's quota allows fewer slices than are free",
            remedy="raise tenants.{namespace}.slices, or run verify without --namespace: its own namespace has no quota",
        ),
        Cause(
            name="refused",
            text="the API server refused the pods",
            remedy="read its words: an admission policy or missing permission; kubectl auth can-i create pods",
        ),
        Cause(
            name="plugin-unready",
            text="the kubelet could not allocate a device: the plugin was restarting, or has fewer devices than it said",
            remedy="wait for kubectl rollout status daemonset {plugin} -n {namespace}, then verify again",
        ),
        Cause(
            name="image-not-pulled",
            text="the probes' image could not be pulled",
            remedy="name one that the nodes can pull: --image (it needs a shell and a C library, nothing of CUDA)",
        ),
        Cause(
            name="unscheduled",
            text="the scheduler did not place the pods on their node",
            remedy="read its words; a taint, or somebody was quicker with the free slices",
        ),
        Cause(
            name="not-running",
            text="the pods did not come up in time",
            remedy="kubectl describe pod; a first pull of the image takes minutes on a slow disk: raise --timeout",
        ),
        Cause(
            name="short-of-room",
            text="the node runs out of pods, CPU or memory before it runs out of slices",
            remedy="choose a larger size or fewer replicas: `plan` shows usable slices beside slices",
        ),
    ),
)

SAME_GPU: Final = Check(
    name="same-gpu",
    symptom="Pods do not share a GPU, or one sees all of them",
    looks_at="the GPU UUIDs that `nvidia-smi -L` prints in every probe pod",
    judged="each pod sees one GPU, no GPU has more pods than replicas, and a full node has exactly replicas pods on each",
    causes=(
        Cause(
            name="sees-all-gpus",
            text="a pod sees more GPUs than it asked for: the runtime took NVIDIA_VISIBLE_DEVICES from the image or pod",
            remedy="leave NVIDIA_VISIBLE_DEVICES out of pod specs; device list strategy volume-mounts closes it for good",
        ),
        Cause(
            name="no-gpu-seen",
            text="a pod that holds a slice sees no GPU",
            remedy="kubectl logs of the probe; the AMI's default runtime must be nvidia (a runtimeClassName overrides it)",
        ),
        Cause(
            name="spread-differs",
            text="the pods lie on the GPUs otherwise than the plan says",
            remedy="kubectl describe node {node} and compare GPU count and replicas with `plan`",
        ),
        Cause(
            name="logs-unavailable",
            text="the pods' logs could not be read, so nobody knows which GPU they got",
            remedy="kubectl logs must work for you: the API server reaches kubelets on port 10250",
        ),
    ),
)

CONSTANT: Final = Check(
    name="allocatable-constant",
    symptom="Allocatable does not fall while pods run, though a guide says that it does",
    looks_at="the node's allocatable before the probes and while they run",
    judged="it stays the same: Kubernetes subtracts requests elsewhere (kubectl describe node, Allocated resources)",
    causes=(
        Cause(
            name="allocatable-moved",
            text="allocatable changed while pods ran: the plugin restarted or lost devices meanwhile",
            remedy="kubectl rollout status daemonset {plugin} -n {namespace}, then verify again",
        ),
    ),
)

TWO_SLICES: Final = Check(
    name="two-slices",
    symptom="A pod that asks for two slices expects twice the GPU, and gets no more than with one",
    looks_at="a pod that asks for two slices, where failRequestsGreaterThanOne is set",
    judged="the kubelet fails it with UnexpectedAdmissionError; a Deployment of such pods makes new ones without end",
    causes=(
        Cause(
            name="two-accepted",
            text="the plugin gave one pod two slices although failRequestsGreaterThanOne is set",
            remedy="run `pulumi up`: the config on the node is not the plan's, or the plugin has not read it",
        ),
        Cause(
            name="two-undecided",
            text="the pod that asks for two slices neither ran nor was refused in time",
            remedy="kubectl describe pod; verify again",
        ),
    ),
)

CHECKS: Final = (AT_ONCE, CONSTANT, SAME_GPU, TWO_SLICES)


def judge_probes(results: Iterable[ProbeResult], *, plugin: str, namespace: str) -> Iterator[Finding]:
    """Findings of every node, one row after the other."""
    every = tuple(results)
    details = {"plugin": plugin, "namespace": namespace}
    yield from (one for result in every for one in _at_once(result, details))
    ran = [one for one in every if one.pods and not one.refusal]
    yield from (_constant(one, details) for one in ran if one.shown is not None)
    yield from (_same_gpu(one) for one in ran if any(pod.phase == "Running" for pod in one.pods))
    yield from (_two(one) for one in every if one.probe.two_refused and one.two is not None)


def _at_once(result: ProbeResult, details: dict[str, str]) -> Iterator[Finding]:
    probe = result.probe
    subject = probe.subject
    if probe.short_of and not result.refusal:
        seen = f"room for {probe.pods} of {probe.slices - probe.used} free slices: short of {probe.short_of}"
        yield AT_ONCE.warned(subject, seen, "short-of-room")
    if not probe.pods:
        yield AT_ONCE.skipped(subject, f"no slice is free: {probe.used} of {probe.slices} are in use")
        return
    running = sum(pod.phase == "Running" for pod in result.pods)
    if running == probe.pods and not result.refusal:
        yield AT_ONCE.passed(subject, f"{running} pods at once, {probe.used} of {probe.slices} in use before")
        return
    cause, words = _why_not(result)
    yield AT_ONCE.failed(subject, f"{running} of {probe.pods} Running: {words}", cause, **details)


def _why_not(result: ProbeResult) -> tuple[str, str]:
    if result.refusal:
        return ("quota-too-small" if "exceeded quota" in result.refusal else "refused"), result.refusal
    rest = [pod for pod in result.pods if pod.phase != "Running"]
    for pod in rest:
        if pod.reason == _REFUSED_REASON:
            return "plugin-unready", pod.message
        if any("Pull" in one for one in pod.waiting):
            return "image-not-pulled", "; ".join(pod.waiting)
        if pod.unscheduled:
            return "unscheduled", pod.unscheduled
    first = rest[0] if rest else None
    return "not-running", (f"{first.phase} {first.reason or '; '.join(first.waiting)}".strip() if first else "gone")


def _constant(result: ProbeResult, details: dict[str, str]) -> Finding:
    probe = result.probe
    if result.shown == probe.slices:
        return CONSTANT.passed(probe.subject, f"{probe.slices} {probe.resource} before and during")
    seen = f"{probe.slices} {probe.resource} before, {result.shown} while the pods ran"
    return CONSTANT.failed(probe.subject, seen, "allocatable-moved", **details)


def _same_gpu(result: ProbeResult) -> Finding:
    probe, subject = result.probe, result.probe.subject
    read = [one for one in result.devices if one is not None]
    if not read:
        return SAME_GPU.warned(subject, "no log could be read", "logs-unavailable")
    if any(not one for one in read):
        return SAME_GPU.failed(subject, f"{sum(not one for one in read)} of {len(read)} pods see none", "no-gpu-seen")
    if any(len(one) > 1 for one in read):
        return SAME_GPU.failed(subject, f"a pod sees {max(map(len, read))} GPUs", "sees-all-gpus")
    per_gpu = Counter(one[0] for one in read)
    full = len(read) == probe.gpus * probe.replicas
    even = set(per_gpu.values()) == {probe.replicas} and len(per_gpu) == probe.gpus
    seen = f"{len(read)} pods on {len(per_gpu)} GPU{'s' * (len(per_gpu) > 1)}, at most {max(per_gpu.values())} on one"
    if (full and not even) or len(per_gpu) > probe.gpus or max(per_gpu.values()) > probe.replicas:
        wanted = f"planned {probe.gpus} x {probe.replicas}"
        return SAME_GPU.failed(subject, f"{seen}, {wanted}", "spread-differs", node=probe.node)
    return SAME_GPU.passed(subject, f"{seen} ({min(per_gpu)[:12]}…)" if len(per_gpu) == 1 else seen)


def _two(result: ProbeResult) -> Finding:
    pod, subject = result.two, f"pool {result.probe.pool}"
    assert pod
    if pod.phase == "Failed" and pod.reason == _REFUSED_REASON:
        return TWO_SLICES.passed(subject, f"refused on {result.probe.node}")
    if pod.phase in ("Running", "Succeeded"):
        return TWO_SLICES.failed(subject, f"{pod.phase} on {result.probe.node}", "two-accepted")
    return TWO_SLICES.failed(subject, f"{pod.phase} on {result.probe.node}", "two-undecided")
