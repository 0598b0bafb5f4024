"""The software between the plan and the nodes: releases, the device plugin, its config map, system pods."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from ..charts.karpenter import KARPENTER_NAMESPACE
from .snapshot import Workload
from .table import Cause, Check, Finding
from .view import Plugin, Rule, View, sharing_in

_CRASHES: Final = ("CrashLoopBackOff", "Error", "CreateContainerConfigError", "ErrImagePull", "ImagePullBackOff")
#: What device plugins are called by NVIDIA's charts and manifests, eksctl's copy among them.
_PLUGIN_NAMES: Final = ("device-plugin", "device-plugin-daemonset")

RELEASES: Final = Check(
    name="releases",
    symptom="`pulumi up` says that another operation is in progress, or a chart stays at its old version",
    looks_at="the newest revision of every Helm release",
    judged="its status is deployed",
    causes=(
        Cause(
            name="release-pending",
            text="an earlier install or upgrade was interrupted and left the release locked",
            remedy="helm rollback {release} -n {namespace} (helm uninstall where it was never installed), then pulumi up",
        ),
        Cause(
            name="release-failed",
            text="the last install or upgrade of the release failed; what it had changed is still in force",
            remedy="helm status {release} -n {namespace}; mend what the pods say, then pulumi up",
        ),
    ),
)

PLUGIN: Final = Check(
    name="device-plugin",
    symptom="GPU not detected: nodes advertise no GPU at all",
    looks_at="the device plugin's DaemonSet and its pods' container states",
    judged="it exists, every pod is up to date and available, none crashes",
    causes=(
        Cause(
            name="plugin-missing",
            text="there is no device plugin on the cluster",
            remedy="pulumi up; kubectl get daemonsets -A | grep nvidia shows one that somebody else installed",
        ),
        Cause(
            name="config-key-unknown",
            text="a node's label names a config that the config map does not have",
            remedy="run `pulumi up` so that config map and pools agree; a removed pool belongs in retiredPools for one update",
        ),
        Cause(
            name="config-refused",
            text="the plugin refuses its config: its parser says why",
            remedy="kubectl logs -n {namespace} {pod} --all-containers; run `pulumi up` to put the plan's config back",
        ),
        Cause(
            name="driver-missing",
            text="the node has no NVIDIA driver (could not load NVML library): its AMI is not the NVIDIA one",
            remedy="use AMI family AL2023 NVIDIA; on EKS the operator runs with driver and toolkit disabled, so there is no "
            "nvidia-driver-daemonset to look for",
        ),
        Cause(
            name="plugin-crashing",
            text="a device plugin pod does not run",
            remedy="kubectl logs -n {namespace} {pod} --all-containers --previous",
        ),
        Cause(
            name="rollout-unfinished",
            text="the device plugin is still rolling, or its rollout is stuck on a node",
            remedy="kubectl rollout status daemonset {plugin} -n {namespace}",
        ),
        Cause(
            name="second-plugin",
            text="two device plugins run: both register the same resource and the counts flap",
            remedy="remove the one that is not this stack's (eksctl installs one for GPU node groups): kubectl delete "
            "daemonset {plugin} -n {namespace}",
        ),
    ),
)

PLUGIN_CONFIG: Final = Check(
    name="plugin-config",
    symptom="Time-slicing not working though the config map looks right",
    looks_at="the config map that the plugin mounts and the plugin's default config",
    judged="every config of the plan is there with the plan's sharing, and the default is set",
    causes=(
        Cause(
            name="no-default-config",
            text="the plugin has no default config: a node without config label runs with an empty config under the "
            "operator, and fails under the stand-alone chart",
            remedy="run `pulumi up`: this program sets devicePlugin.config.default; a plugin that was installed by hand "
            "needs it added",
        ),
        Cause(
            name="config-map-missing",
            text="the plugin mounts no config map, or one that does not exist",
            remedy="pulumi up; a release that was installed without config.map or devicePlugin.config.name shares nothing",
        ),
        Cause(
            name="config-key-missing",
            text="the config map lacks the config of a pool",
            remedy="pulumi up",
        ),
        Cause(
            name="config-differs",
            text="the config map's sharing is not the plan's: the stack file was edited and not applied, or the map was "
            "edited by hand",
            remedy="pulumi up",
        ),
    ),
)

SYSTEM: Final = Check(
    name="system",
    symptom="Nothing works: names do not resolve, nodes do not join, no pod gets an address",
    looks_at="Deployments and DaemonSets of kube-system and of the GPU stack",
    judged="every one has all its pods available",
    causes=(
        Cause(
            name="pods-unavailable",
            text="a system component has pods that are not available",
            remedy="kubectl describe pods -n {namespace}; kubectl get events -n {namespace} --sort-by=.lastTimestamp",
        ),
    ),
)


def _releases(view: View) -> Iterator[Finding]:
    for release in view.snapshot.releases:
        subject = f"release {release.namespace}/{release.name}"
        details = {"release": release.name, "namespace": release.namespace}
        if release.status.startswith("pending"):
            yield RELEASES.failed(subject, release.status, "release-pending", **details)
        elif release.status == "failed":
            yield RELEASES.failed(subject, release.status, "release-failed", **details)
        else:
            yield RELEASES.passed(subject, release.status)


def _plugin(view: View) -> Iterator[Finding]:
    for plugin in view.plugins:
        yield from _one_plugin(view, plugin)
    if view.plugin is not None:
        yield from _second_plugins(view)


def _one_plugin(view: View, plugin: Plugin) -> Iterator[Finding]:
    names, daemon = plugin.names, plugin.daemon
    subject = f"DaemonSet {names.namespace}/{names.plugin}"
    details = {"namespace": names.namespace, "plugin": names.plugin}
    if daemon is None:
        yield PLUGIN.failed(subject, "not there", "plugin-missing")
        return
    own = [pod for pod in view.snapshot.pods if view.is_plugin(pod) and pod.name.rpartition("-")[0] == names.plugin]
    crashing = [pod for pod in own if _crashes(pod.waiting)]
    for pod in crashing:
        words = "; ".join(pod.waiting)
        yield PLUGIN.failed(f"node {pod.node}", words, _crash_cause(words), **details, pod=pod.name)
    state = f"{daemon.available} of {daemon.wanted} pods available"
    if daemon.rolled_out:
        yield PLUGIN.passed(subject, state)
    elif not crashing:
        yield PLUGIN.failed(subject, f"{state}, {daemon.updated} up to date", "rollout-unfinished", **details)


def _second_plugins(view: View) -> Iterator[Finding]:
    for one in view.snapshot.workloads:
        mine = (one.namespace, one.name) == (view.names.namespace, view.names.plugin)
        if one.kind == "DaemonSet" and one.wanted and one.name.endswith(_PLUGIN_NAMES) and not mine:
            seen = f"{one.wanted} pods"
            subject = f"DaemonSet {one.namespace}/{one.name}"
            yield PLUGIN.failed(subject, seen, "second-plugin", plugin=one.name, namespace=one.namespace)


def _crashes(waiting: tuple[str, ...]) -> bool:
    return any(reason in one for one in waiting for reason in _CRASHES)


def _crash_cause(words: str) -> str:
    low = words.lower()
    table = (
        ("specified config", "config-key-unknown"),
        ("nvml", "driver-missing"),
        ("unmarshal", "config-refused"),
        ("invalid", "config-refused"),
        ("replicas", "config-refused"),
        ("no config was set", "config-refused"),
    )
    return next((cause for word, cause in table if word in low), "plugin-crashing")


def _plugin_config(view: View) -> Iterator[Finding]:
    for plugin in view.plugins:
        if plugin.daemon is not None:
            yield from _configs(plugin, plugin.daemon)


def _configs(plugin: Plugin, daemon: Workload) -> Iterator[Finding]:
    subject, map_ = f"DaemonSet {daemon.name}", plugin.mounted
    if not daemon.environment.get("DEFAULT_CONFIG"):
        yield PLUGIN_CONFIG.failed(subject, "DEFAULT_CONFIG is not set", "no-default-config")
    if map_ is None:
        mounted = ", ".join(daemon.config_maps) or "none"
        yield PLUGIN_CONFIG.failed(subject, f"mounts {mounted}, wanted {plugin.expected_map}", "config-map-missing")
        return
    for key, wanted in plugin.configs.items():
        subject, found = f"config {key}", map_.data.get(key)
        if found is None:
            yield PLUGIN_CONFIG.failed(subject, f"not in {map_.name}", "config-key-missing")
        elif sharing_in(found) != sharing_in(wanted):
            seen = f"{_replicas(found)} in {map_.name}, {_replicas(wanted)} in the plan"
            yield PLUGIN_CONFIG.failed(subject, seen, "config-differs")
        else:
            yield PLUGIN_CONFIG.passed(subject, _replicas(found))


def _replicas(text: str) -> str:
    sharing = sharing_in(text)
    if not isinstance(sharing, dict):
        return "whole GPUs"
    strategy, block = next(iter(sharing.items()), ("nothing", {}))
    entries = block.get("resources") if isinstance(block, dict) else None
    found = ", ".join(str(one.get("replicas")) for one in entries or () if isinstance(one, dict))
    return f"{strategy} x{found or '?'}"


def _system(view: View) -> Iterator[Finding]:
    for one in view.snapshot.workloads:
        if any(plugin.daemon is one for plugin in view.plugins) or not one.wanted:
            continue
        subject, seen = f"{one.kind} {one.namespace}/{one.name}", f"{one.available} of {one.wanted} pods available"
        if one.available >= one.wanted:
            yield SYSTEM.passed(subject, seen)
        elif one.available == 0 or one.namespace == KARPENTER_NAMESPACE:
            yield SYSTEM.failed(subject, seen, "pods-unavailable", namespace=one.namespace)
        else:
            yield SYSTEM.warned(subject, seen, "pods-unavailable", namespace=one.namespace)


RULES: Final = (
    Rule(check=RELEASES, judge=_releases),
    Rule(check=SYSTEM, judge=_system),
    Rule(check=PLUGIN, judge=_plugin),
    Rule(check=PLUGIN_CONFIG, judge=_plugin_config),
)
