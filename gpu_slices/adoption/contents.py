"""What runs in a cluster that is to be adopted, as far as it would clash with what the stack brings."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from ..checks.cluster_api import ClusterApi
from ..checks.read_objects import node
from ..checks.snapshot import Node
from ..checks.table import Cause, Check, Finding
from ..naming import GPU_TAINT_EFFECT, GPU_TAINT_KEY, GPU_TAINT_VALUE, MANAGED_BY_LABELS
from ..plan import Plan
from .existing_nodes import candidates, in_pool, label_words

#: What eksctl installs with GPU nodes (its pkg/addons/assets/nvidia-device-plugin.yaml); NVIDIA's manifest is the same.
_EKSCTL_PLUGIN: Final = ("kube-system", "nvidia-device-plugin-daemonset")
_PLUGIN_IMAGE: Final = "k8s-device-plugin"
_PLUGIN_NAME: Final = "nvidia-device-plugin"
_OPERATOR_IMAGE: Final = "/gpu-operator"
_KARPENTER_IMAGE: Final = "karpenter/controller"
_DISCOVERY_IMAGE: Final = "/node-feature-discovery"
_DRA_IMAGE: Final = "k8s-dra-driver-gpu"
_KARPENTER_CRD: Final = "nodepools.karpenter.sh"

CONTENTS: Final = Check(
    name="adopted-contents",
    symptom="On an adopted cluster slices flap or never show, or Karpenter's charts do not install",
    looks_at="DaemonSets and Deployments of all namespaces by their images, custom resource definitions, and the nodes "
    "that existingGpuNodes speaks of",
    judged="no other NVIDIA device plugin, GPU operator or DRA driver runs, no other Karpenter where the stack brings one; "
    "a warning where nodes lack labels or the taint",
    causes=(
        Cause(
            name="unreadable",
            text="the cluster cannot be read from here, so nobody has looked for what may clash with the stack",
            remedy="let this identity in (aws eks create-access-entry and associate-access-policy, or whoever may under "
            "cluster.access of a stack), or name a kubeconfig: preflight --kubeconfig FILE; a private endpoint answers "
            "inside the VPC only",
        ),
        Cause(
            name="eksctl-plugin",
            text="eksctl has put its own device plugin there: two would register nvidia.com/gpu, and the last one wins",
            remedy="kubectl delete daemonset nvidia-device-plugin-daemonset -n kube-system (running pods keep their GPUs); "
            "make later node groups with eksctl create nodegroup --install-nvidia-plugin=false",
        ),
        Cause(
            name="other-plugin",
            text="another device plugin runs: two would register nvidia.com/gpu, and the last one wins",
            remedy="helm uninstall its release, or kubectl delete daemonset {name} -n {namespace} (running pods keep their "
            "GPUs); Argo CD or Flux would bring it back: remove it there",
        ),
        Cause(
            name="other-operator",
            text="a GPU operator runs already, with a device plugin of its own",
            remedy="helm uninstall it from {namespace}, then kubectl delete crd clusterpolicies.nvidia.com; or leave the "
            "cluster to it",
        ),
        Cause(
            name="dra-driver",
            text="NVIDIA's DRA driver hands out the same GPUs: it and a device plugin must not share a node",
            remedy="helm uninstall it, or keep it off the nodes of this stack's pools",
        ),
        Cause(
            name="other-karpenter",
            text="Karpenter runs already: two controllers would fight over the same NodePools",
            remedy="remove gpuNodePools, nodePools and karpenter from the stack file and use gpuNodeGroups; or uninstall "
            "that Karpenter once its nodes are gone",
        ),
        Cause(
            name="karpenter-crds",
            text="Karpenter's definitions are there without its controller: the chart that brings them would not own them",
            remedy="kubectl delete crd nodepools.karpenter.sh nodeclaims.karpenter.sh nodeoverlays.karpenter.sh "
            "ec2nodeclasses.karpenter.k8s.aws (this deletes the NodePools in them)",
        ),
        Cause(
            name="second-discovery",
            text="Node Feature Discovery runs already: the stack brings its own, both label the same nodes",
            remedy="helm uninstall the older one once the stack is up; until then labels may follow either",
        ),
        Cause(
            name="nodes-outside",
            text="fewer nodes carry the pool's labels than existingGpuNodes says: the others advertise whole GPUs",
            remedy="kubectl label node {node} {labels}; of a managed group better on the group: aws eks "
            "update-nodegroup-config --labels",
        ),
        Cause(
            name="no-taint",
            text="any pod may be placed on the node and take CPU and memory that slices need",
            remedy="kubectl taint node {node} {taint} (running pods stay; pods of this stack tolerate it)",
        ),
    ),
)


@dataclass(frozen=True, kw_only=True)
class Running:
    """A DaemonSet or Deployment. `app` is its label app.kubernetes.io/name; `ours` where it lies in a namespace that
    this program made."""

    kind: str
    namespace: str
    name: str
    images: tuple[str, ...]
    app: str
    ours: bool

    def __str__(self) -> str:
        return f"{self.kind} {self.namespace}/{self.name}"

    def runs(self, image: str) -> bool:
        """Whether a container's image has this in its name."""
        return any(image in one.partition("@")[0] for one in self.images)

    @property
    def is_plugin(self) -> bool:
        """Whether it is NVIDIA's device plugin or what its chart brings along, by image, label or name."""
        named = _PLUGIN_NAME in (self.app, self.name) or self.name.startswith(f"{_PLUGIN_NAME}-")
        return self.kind == "DaemonSet" and (named or self.runs(_PLUGIN_IMAGE))


@dataclass(frozen=True, kw_only=True)
class Contents:
    """What was read: workloads sorted by namespace and name, names of definitions, nodes; `own_karpenter` where
    NodePools of this program are there."""

    running: tuple[Running, ...]
    definitions: frozenset[str]
    nodes: tuple[Node, ...]
    own_karpenter: bool


def read_contents(api: ClusterApi) -> Contents:
    """Reads the cluster, page by page. Raises ClusterError."""
    selector = ",".join(f"{key}={value}" for key, value in sorted(MANAGED_BY_LABELS.items()))
    own = {one["metadata"]["name"] for one in api.pages("/api/v1/namespaces", labelSelector=selector)}
    found = [
        _running(kind, raw, own)
        for kind in ("DaemonSet", "Deployment")
        for raw in api.pages(f"/apis/apps/v1/{kind.lower()}s")
    ]
    definitions = api.pages("/apis/apiextensions.k8s.io/v1/customresourcedefinitions")
    pools = api.pages("/apis/karpenter.sh/v1/nodepools", labelSelector=selector)
    return Contents(
        running=tuple(sorted(found, key=lambda one: (one.namespace, one.name, one.kind))),
        definitions=frozenset(one["metadata"]["name"] for one in definitions),
        nodes=tuple(sorted((node(raw) for raw in api.pages("/api/v1/nodes")), key=lambda one: one.name)),
        own_karpenter=any(True for _ in pools),
    )


def _running(kind: str, raw: Mapping[str, Any], own: set[str]) -> Running:
    meta, template = raw["metadata"], raw["spec"]["template"]["spec"]
    containers = [*(template.get("initContainers") or ()), *template["containers"]]
    return Running(
        kind=kind,
        namespace=meta["namespace"],
        name=meta["name"],
        images=tuple(dict.fromkeys(str(one.get("image") or "") for one in containers)),
        app=(meta.get("labels") or {}).get("app.kubernetes.io/name", ""),
        ours=meta["namespace"] in own,
    )


Rule = Callable[[Contents, Plan], Iterator[Finding]]


def judge_contents(found: Contents, plan: Plan) -> tuple[Finding, ...]:
    """Everything that would clash, and what existing nodes lack; one line that it passed where there is nothing."""
    findings = tuple(finding for rule in _RULES for finding in rule(found, plan))
    seen = f"{len(found.running)} workloads, {len(found.nodes)} nodes"
    return findings or (CONTENTS.passed(f"cluster {plan.settings.cluster.name}", seen),)


def _operators(found: Contents, _: Plan) -> Iterator[Finding]:
    for one in _foreign(found, _OPERATOR_IMAGE):
        if one.kind == "Deployment":
            yield CONTENTS.failed(str(one), "runs", "other-operator", namespace=one.namespace)


def _plugins(found: Contents, _: Plan) -> Iterator[Finding]:
    """One sentence a namespace: a chart brings several. What an operator runs goes with it, which is said already."""
    operators = {one.namespace for one in _foreign(found, _OPERATOR_IMAGE)}
    plugins = [one for one in found.running if one.is_plugin and not one.ours and one.namespace not in operators]
    for namespace in dict.fromkeys(one.namespace for one in plugins):
        one = min((one for one in plugins if one.namespace == namespace), key=lambda plugin: len(plugin.name))
        cause = "eksctl-plugin" if (one.namespace, one.name) == _EKSCTL_PLUGIN else "other-plugin"
        yield CONTENTS.failed(str(one), "runs", cause, namespace=one.namespace, name=one.name)


def _dra_drivers(found: Contents, _: Plan) -> Iterator[Finding]:
    for one in _foreign(found, _DRA_IMAGE):
        if one.kind == "DaemonSet":
            yield CONTENTS.failed(str(one), "runs", "dra-driver")


def _karpenters(found: Contents, plan: Plan) -> Iterator[Finding]:
    if not plan.karpenter or found.own_karpenter:
        return
    controllers = [one for one in found.running if one.kind == "Deployment" and one.runs(_KARPENTER_IMAGE)]
    for one in controllers:
        yield CONTENTS.failed(str(one), "runs", "other-karpenter")
    if not controllers and _KARPENTER_CRD in found.definitions:
        yield CONTENTS.failed(f"definition {_KARPENTER_CRD}", "is there", "karpenter-crds")


def _discoveries(found: Contents, _: Plan) -> Iterator[Finding]:
    operators = {one.namespace for one in _foreign(found, _OPERATOR_IMAGE)}
    for one in _foreign(found, _DISCOVERY_IMAGE):
        if one.kind == "DaemonSet" and one.namespace not in operators:
            yield CONTENTS.warned(str(one), "runs", "second-discovery")


def _existing_nodes(found: Contents, plan: Plan) -> Iterator[Finding]:
    for pool in plan.pools:
        if pool.existing is None:
            continue
        inside = in_pool(pool, found.nodes)
        if len(inside) < pool.existing.nodes:
            outside = " ".join(one.name for one in candidates(pool, found.nodes)) or "NODE"
            seen = f"{len(inside)} of {pool.existing.nodes} nodes"
            details = {"node": outside, "labels": label_words(pool.labels)}
            yield CONTENTS.warned(f"pool {pool.name}", seen, "nodes-outside", **details)
        for one in inside:
            if not any(taint.key == GPU_TAINT_KEY for taint in one.taints):
                taint = f"{GPU_TAINT_KEY}={GPU_TAINT_VALUE}:{GPU_TAINT_EFFECT}"
                yield CONTENTS.warned(
                    f"node {one.name}", f"no taint {GPU_TAINT_KEY}", "no-taint", node=one.name, taint=taint
                )


def _foreign(found: Contents, image: str) -> list[Running]:
    return [one for one in found.running if one.runs(image) and not one.ours]


_RULES: Final[tuple[Rule, ...]] = (
    _operators,
    _plugins,
    _dra_drivers,
    _karpenters,
    _discoveries,
    _existing_nodes,
)
