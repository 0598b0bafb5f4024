"""What goes wrong while slices work: memory, neighbours, CPU, network, spot, idle nodes, metrics."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from ..quantities import mebibytes, millicores
from .snapshot import Pod
from .table import Finding
from .view import Rule, View
from .workload_rows import ADMISSION, BOTTLENECK, DISK, IDLE, MEMORY, METRICS, NETWORK, SPOT, VERSION, VISIBLE

_DOMAIN: Final = "nvidia.com/"
_ADMISSION: Final = "UnexpectedAdmissionError"


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
        free = view.shown(node, pool) - view.held(node, pool)
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
        used, shown = view.held(node, pool), view.shown(node, pool)
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
