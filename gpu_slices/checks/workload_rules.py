"""What goes wrong while slices work: memory, neighbours, CPU, network, spot, idle nodes, metrics."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from ..quantities import mebibytes, millicores
from .snapshot import Pod
from .table import Cause, Check, Finding
from .view import Rule, View

_DOMAIN: Final = "nvidia.com/"
_ADMISSION: Final = "UnexpectedAdmissionError"

MEMORY: Final = Check(
    name="memory",
    symptom="Pods that share a GPU crash or restart: CUDA out of memory, OOMKilled",
    looks_at="how containers of pods with slices ended",
    judged="none was OOMKilled and none restarts",
    causes=(
        Cause(
            name="gpu-memory-shared",
            text="time-slicing shares time, not memory: every pod may take the whole card, and the next allocation fails, "
            "whoever makes it",
            remedy="cap memory in the framework (TensorFlow: TF_FORCE_GPU_ALLOW_GROWTH=true and a logical device limit; "
            "PyTorch: torch.cuda.set_per_process_memory_fraction; vLLM: --gpu-memory-utilization), lower replicas, or "
            "use sharing that divides memory (MPS limits, MIG)",
        ),
        Cause(
            name="host-memory",
            text="the container went over its own memory limit on the node; the GPU has no part in it",
            remedy="raise resources.limits.memory of the pod",
        ),
    ),
)

ADMISSION: Final = Check(
    name="admission",
    symptom="Failed pods pile up: UnexpectedAdmissionError",
    looks_at="Failed pods with slices",
    judged="none failed at admission",
    causes=(
        Cause(
            name="more-than-one-slice",
            text="the pod asks for more than one slice, which failRequestsGreaterThanOne refuses; a Deployment makes a new "
            "pod each time, without end",
            remedy="ask for one slice: two slices of a GPU give no more than one; then kubectl delete pod {pod} -n {namespace}",
        ),
        Cause(
            name="plugin-restarted",
            text="the pod was bound while the plugin restarted and had no device to give; such a pod is not tried again",
            remedy="kubectl delete pod {pod} -n {namespace}; its controller makes another",
        ),
    ),
)

VISIBLE: Final = Check(
    name="visible-devices",
    symptom="A pod without a slice uses the GPU",
    looks_at="pods on GPU nodes that set NVIDIA_VISIBLE_DEVICES and ask for no GPU",
    judged="there is none",
    causes=(
        Cause(
            name="gpu-without-slice",
            text="the node's default runtime is nvidia: a container with NVIDIA_VISIBLE_DEVICES sees every GPU of the node, "
            "counted by nobody (CUDA images set it themselves, which the pod does not show)",
            remedy="ask for a slice, or set NVIDIA_VISIBLE_DEVICES=void in {pod}; the taint keeps other pods off",
        ),
    ),
)

BOTTLENECK: Final = Check(
    name="bottleneck",
    symptom="Performance issues: pods are slow, or slices stay free while pods wait",
    looks_at="CPU and memory requested on each node against what it has, beside its free slices",
    judged="where slices are free there is CPU and memory for a pod of the pool's podRequests",
    causes=(
        Cause(
            name="cpu-exhausted",
            text="the node's CPU is given away before its slices are: tokenizing, decoding and loading data are CPU work",
            remedy="choose a larger size, fewer replicas, or smaller CPU requests; set podRequests so that `plan` counts it",
        ),
        Cause(
            name="memory-exhausted",
            text="the node's memory is given away before its slices are",
            remedy="choose a larger size, fewer replicas, or smaller memory requests; set podRequests so that `plan` counts it",
        ),
    ),
)

NETWORK: Final = Check(
    name="network",
    symptom="Pods stay in ContainerCreating; network performance is poor",
    looks_at="warnings about pod sandboxes, addresses and image pulls",
    judged="there are none",
    causes=(
        Cause(
            name="no-addresses",
            text="the node's subnet or network interfaces have no address left for a pod",
            remedy="widen the subnets (network.cidr), or enable prefix delegation of the VPC CNI",
        ),
        Cause(
            name="sandbox",
            text="the container network on the node is not ready",
            remedy="kubectl get pods -n kube-system -l k8s-app=aws-node -o wide; kubectl logs of the one on {node}",
        ),
        Cause(
            name="image",
            text="an image cannot be pulled, or takes very long: CUDA images have 5 to 10 GB",
            remedy="kubectl describe pod {pod} -n {namespace}; raise diskThroughput, or set instanceStore for local NVMe",
        ),
    ),
)

DISK: Final = Check(
    name="pressure",
    symptom="Pods are evicted from a GPU node",
    looks_at="DiskPressure, MemoryPressure and PIDPressure of pool nodes",
    judged="none is True",
    causes=(
        Cause(
            name="disk-full",
            text="images and container layers fill the node's disk",
            remedy="raise diskGiB of the pool {pool}",
        ),
        Cause(
            name="memory-short",
            text="the node runs out of memory: pods use more than they request",
            remedy="set memory limits on the pods of {node}",
        ),
    ),
)

SPOT: Final = Check(
    name="spot",
    symptom="Nodes go away, and pods with them (spot termination)",
    looks_at="events about spot interruptions and disruption",
    judged="there are none in the cluster's event memory (one hour)",
    causes=(
        Cause(
            name="spot-interrupted",
            text="EC2 took spot capacity back, with two minutes' notice",
            remedy="add on-demand to the pool's capacity, or more families and sizes; give pods a short "
            "terminationGracePeriodSeconds and a PodDisruptionBudget",
        ),
    ),
)

IDLE: Final = Check(
    name="idle",
    symptom="The bill is higher than expected",
    looks_at="slices in use on each node",
    judged="every GPU node has a slice in use",
    causes=(
        Cause(
            name="idle-node",
            text="the node costs its full price and no slice of it is in use",
            remedy="a node group keeps `min` nodes whatever happens: use gpuNodePools, which go to zero; `status` shows $ now, "
            "and Cost Explorer by the tag gpu-slices:stack what was spent",
        ),
    ),
)

METRICS: Final = Check(
    name="metrics",
    symptom="GPU metrics name one pod only, or none, of those that share a GPU",
    looks_at="environment of the DCGM exporter",
    judged="KUBERNETES_VIRTUAL_GPUS is true where it runs",
    causes=(
        Cause(
            name="no-virtual-gpus",
            text="without KUBERNETES_VIRTUAL_GPUS=true the exporter gives a shared GPU's series to one of its pods; with it "
            "each gets one, all with the whole GPU's values",
            remedy="set the variable on the exporter (dcgmExporter.env under the operator, extraEnv in its own chart)",
        ),
    ),
)

VERSION: Final = Check(
    name="plugin-version",
    symptom="The plugin of a certain version fails: mounts of MOFED or GDRCopy, `argument list too long`",
    looks_at="tag of the device plugin's image",
    judged="it is at least 0.18.0 and not one of 0.19.0 to 0.19.2",
    causes=(
        Cause(
            name="avoid-version",
            text="0.19.0 to 0.19.2 switched GDRCopy and MOFED on by default; before 0.18.0 duplicate ids of thousands of "
            "slices outgrow a container's arguments",
            remedy="run `pulumi up`: this program pins a version without either",
        ),
    ),
)


def _memory(view: View) -> Iterator[Finding]:
    for pod in _holders(view):
        subject, ended = f"pod {pod.namespace}/{pod.name}", "; ".join(pod.ended)
        if "OOMKilled" in ended:
            yield MEMORY.warned(subject, ended, "host-memory")
        elif pod.restarts and pod.ended:
            yield MEMORY.warned(subject, f"{pod.restarts} restarts, {ended}", "gpu-memory-shared")


def _admission(view: View) -> Iterator[Finding]:
    for pod in view.snapshot.pods:
        if pod.phase == "Failed" and pod.reason == _ADMISSION and pod.requests.extended:
            cause = "more-than-one-slice" if sum(pod.requests.extended.values()) > 1 else "plugin-restarted"
            details = {"pod": pod.name, "namespace": pod.namespace}
            yield ADMISSION.warned(f"pod {pod.namespace}/{pod.name}", pod.message, cause, **details)


def _visible(view: View) -> Iterator[Finding]:
    nodes = {node.name for _, node in view.pool_nodes()}
    for pod in view.snapshot.pods:
        if pod.node in nodes and pod.visible_devices and not pod.requests.extended and pod.owner != "DaemonSet":
            yield VISIBLE.warned(f"pod {pod.namespace}/{pod.name}", f"on {pod.node}", "gpu-without-slice", pod=pod.name)


def _bottleneck(view: View) -> Iterator[Finding]:
    for pool, node in view.pool_nodes():
        free = node.allocatable.extended.get(pool.resource, 0) - view.used(node, pool.resource)
        here = view.pods_on.get(node.name, ())
        left = {
            "cpu-exhausted": node.allocatable.millicpu - sum(pod.requests.millicpu for pod in here),
            "memory-exhausted": node.allocatable.mebibytes - sum(pod.requests.mebibytes for pod in here),
        }
        wanted = {
            "cpu-exhausted": millicores(pool.pod_requests.cpu),
            "memory-exhausted": mebibytes(pool.pod_requests.memory),
        }
        short = [cause for cause, amount in left.items() if free > 0 and amount < max(1, wanted[cause])]
        seen = f"{free} slices free, {left['cpu-exhausted']}m CPU and {left['memory-exhausted']} MiB left"
        if short:
            yield BOTTLENECK.warned(f"node {node.name}", seen, short[0])
        else:
            yield BOTTLENECK.passed(f"node {node.name}", seen)


def _network(view: View) -> Iterator[Finding]:
    table = (
        ("failed to assign an IP", "no-addresses"),
        ("InsufficientFreeAddresses", "no-addresses"),
        ("FailedCreatePodSandBox", "sandbox"),
        ("NetworkNotReady", "sandbox"),
        ("ErrImagePull", "image"),
        ("Failed to pull image", "image"),
    )
    for event in view.snapshot.events:
        words = f"{event.reason} {event.message}"
        cause = next((cause for word, cause in table if word in words), None)
        if cause and event.kind == "Pod":
            details = {"pod": event.name, "namespace": event.namespace}
            yield NETWORK.warned(f"pod {event.namespace}/{event.name}", event.message, cause, **details)


def _pressure(view: View) -> Iterator[Finding]:
    table = {"DiskPressure": "disk-full", "MemoryPressure": "memory-short", "PIDPressure": "memory-short"}
    for pool, node in view.pool_nodes():
        for condition in node.conditions:
            if condition.type in table and condition.status == "True":
                seen = f"{condition.type}: {condition.message}"
                yield DISK.warned(f"node {node.name}", seen, table[condition.type], pool=pool.name, node=node.name)


def _spot(view: View) -> Iterator[Finding]:
    for event in view.snapshot.events:
        if event.reason.startswith("Spot") or "SpotInterruption" in event.message:
            yield SPOT.warned(f"{event.kind} {event.name}", event.message, "spot-interrupted")


def _idle(view: View) -> Iterator[Finding]:
    for pool, node in view.pool_nodes():
        used, shown = view.used(node, pool.resource), node.allocatable.extended.get(pool.resource, 0)
        if used:
            yield IDLE.passed(f"node {node.name}", f"{used} of {shown} slices in use")
        else:
            yield IDLE.warned(f"node {node.name}", f"0 of {shown} slices in use", "idle-node")


def _metrics(view: View) -> Iterator[Finding]:
    for one in view.snapshot.workloads:
        if one.name.endswith("dcgm-exporter") and one.wanted:
            subject = f"DaemonSet {one.namespace}/{one.name}"
            if one.environment.get("KUBERNETES_VIRTUAL_GPUS", "").lower() != "true":
                yield METRICS.warned(subject, "KUBERNETES_VIRTUAL_GPUS is not true", "no-virtual-gpus")
            else:
                yield METRICS.passed(subject, "KUBERNETES_VIRTUAL_GPUS is true")


def _version(view: View) -> Iterator[Finding]:
    tags = [re.search(r":v?(\d+)\.(\d+)\.(\d+)", image) for image in view.plugin.images] if view.plugin else []
    for tag in tags:
        if tag:
            number = tuple(int(part) for part in tag.groups())
            subject, seen = "device plugin", ".".join(tag.groups())
            if number < (0, 18, 0) or (0, 19, 0) <= number <= (0, 19, 2):
                yield VERSION.warned(subject, seen, "avoid-version")
            else:
                yield VERSION.passed(subject, seen)
            return


def _holders(view: View) -> list[Pod]:
    return [pod for pod in view.snapshot.pods if any(name.startswith(_DOMAIN) for name in pod.requests.extended)]


RULES: Final = (
    Rule(check=ADMISSION, judge=_admission),
    Rule(check=MEMORY, judge=_memory),
    Rule(check=BOTTLENECK, judge=_bottleneck),
    Rule(check=DISK, judge=_pressure),
    Rule(check=NETWORK, judge=_network),
    Rule(check=SPOT, judge=_spot),
    Rule(check=VISIBLE, judge=_visible),
    Rule(check=IDLE, judge=_idle),
    Rule(check=METRICS, judge=_metrics),
    Rule(check=VERSION, judge=_version),
)
