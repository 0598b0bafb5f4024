"""`verify`: the platform's rules, then a full node's worth of pods on every node of the pools."""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from ..plan import Plan
from ..pool_plan import PoolPlan
from .cluster_api import ClusterApi
from .observe import observe
from .probe_pods import PROBE_IMAGE, NodeProbe, node_probes
from .probe_rules import ProbeResult, judge_probes
from .probe_run import Place, ProbeOptions, ProbeRun, Progress, probing, with_two
from .rules import PLATFORM, judge
from .snapshot import Pod
from .table import Finding, any_failed
from .view import View

_POLL_SECONDS: Final = 1.0
#: Rows that are right a few seconds after a rollout, after a node joined or after Karpenter started.
_SETTLING: Final = frozenset({"gpu-model", "node-pools", "overlays", "slices", "system"})


@dataclass(frozen=True, kw_only=True)
class VerifyOptions:
    """What is verified, and how patiently (seconds)."""

    pools: tuple[str, ...]
    namespace: str | None = None
    image: str = PROBE_IMAGE
    #: How long a rolling plugin is waited for.
    wait: int = 300
    #: How long bad news is looked at again: a node shows its slices a few seconds after its plugin is available,
    #: and a node that has just joined runs its DaemonSets' pods a few seconds later.
    settle: int = 6
    #: How long pods may take to be Running.
    timeout: int = 300
    scale_from_zero: bool = False
    dry_run: bool = False


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What came out: findings in the table's order, and the probes that were (or would be) started."""

    findings: tuple[Finding, ...]
    probes: tuple[NodeProbe, ...] = ()
    seconds: dict[str, float] = field(default_factory=dict)

    @property
    def failed(self) -> bool:
        """Whether something is wrong."""
        return any_failed(self.findings)


def verify(api: ClusterApi, plan: Plan, options: VerifyOptions, progress: Progress) -> Verdict:
    """Judge the platform, then probe. Nothing is created in a dry run. Raises ClusterError."""
    started = time.monotonic()
    view = settled(api, plan, options, progress)
    platform = tuple(judge(view, PLATFORM))
    observed = time.monotonic()
    probes = node_probes(view, options.pools)
    starting = _empty_pools(view, options) if options.scale_from_zero else ()
    if options.dry_run or not (starting or any(probe.pods for probe in probes)):
        found = (*platform, *_full(probes, options))
        return Verdict(findings=found, probes=probes, seconds={"platform": observed - started})
    run = ProbeOptions(
        run=f"gpu-slices-verify-{secrets.token_hex(3)}",
        image=options.image,
        namespace=options.namespace,
        timeout=options.timeout,
    )
    with probing(api, run, progress) as pods:
        for pool in starting:
            pods.start_node(pool)
        if starting:
            view = settled(api, plan, options, progress)
            platform, probes = tuple(judge(view, PLATFORM)), node_probes(view, options.pools)
        two = _two_slices(pods, probes)
        results = [with_two(one, two) for one in pods.fill(probes)]
    sharing = judge_probes(results, plugin=view.names.plugin, namespace=options.namespace or view.names.namespace)
    seconds = {"platform": observed - started, "probes": time.monotonic() - observed}
    return Verdict(findings=(*platform, *sharing), probes=probes, seconds=seconds)


def settled(api: ClusterApi, plan: Plan, options: VerifyOptions, progress: Progress) -> View:
    """The cluster once its plugin has rolled out; as it is when that takes too long or cannot end well."""
    started = time.monotonic()
    while True:
        view = View(plan, observe(api))
        waited = time.monotonic() - started
        if waited > options.wait or not (_rolling(view) or (waited < options.settle and _may_settle(view))):
            return view
        progress("waiting for the device plugin to roll", int(waited), options.wait)
        time.sleep(_POLL_SECONDS)


def _rolling(view: View) -> bool:
    daemons = [
        one
        for names in (plugin.names for plugin in view.plugins)
        for name in (names.plugin, names.feature_discovery)
        if (one := view.snapshot.workload(names.namespace, name)) is not None
    ]
    stuck = any(pod.waiting and view.is_plugin(pod) for pod in view.snapshot.pods)
    return not stuck and any(not one.rolled_out for one in daemons)


def _may_settle(view: View) -> bool:
    return any(one.outcome == "failed" and one.check.name in _SETTLING for one in judge(view, PLATFORM))


def _empty_pools(view: View, options: VerifyOptions) -> tuple[PoolPlan, ...]:
    return tuple(
        pool for pool in view.plan.pools if pool.name in options.pools and pool.node_pools and not view.nodes[pool.name]
    )


def _two_slices(pods: ProbeRun, probes: tuple[NodeProbe, ...]) -> dict[Place, Pod]:
    """Place → the pod that asked for two slices there; one node of each pool is enough."""
    first = {probe.pool: probe for probe in reversed(probes) if probe.two_refused}
    found = {probe.place: pods.ask_for_two(probe) for _, probe in sorted(first.items())}
    return {place: pod for place, pod in found.items() if pod is not None}


def _full(probes: Iterable[NodeProbe], options: VerifyOptions) -> tuple[Finding, ...]:
    """Nodes without a free slice have nothing to be asked; in a dry run nobody is asked."""
    full = [ProbeResult(probe=probe) for probe in probes if not probe.pods and not options.dry_run]
    return tuple(judge_probes(full, plugin="", namespace=""))
