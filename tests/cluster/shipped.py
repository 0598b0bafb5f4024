"""What the program ships of a stack, on a control plane, without the engine: its own manifests, values and labels."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from gpu_slices.charts import gpu_stack_releases, releases
from gpu_slices.cloud_refs import CloudRefs
from gpu_slices.manifests import objects
from gpu_slices.plan import Plan, make_plan
from gpu_slices.pool_plan import PoolPlan
from gpu_slices.settings import parse
from rehearsal.cluster.control_plane import ControlPlane
from rehearsal.cluster.releases import karpenter_environment
from rehearsal.project import ROOT, with_setting
from rehearsal.rehearse.instance_facts import instance_facts
from tests.cluster.platform_objects import TAINT
from tests.cluster.waiting import eventually

REFS = CloudRefs(
    instance_profile="gpu-node",
    private_subnet_ids=["subnet-0123456789abcdef0"],
    cluster_security_group_id="sg-0123456789abcdef0",
    interruption_queue="interruptions",
)
KINDS = {
    "Namespace": "/api/v1/namespaces",
    "ConfigMap": "/api/v1/namespaces/{namespace}/configmaps",
    "ResourceQuota": "/api/v1/namespaces/{namespace}/resourcequotas",
    "EC2NodeClass": "/apis/karpenter.k8s.aws/v1/ec2nodeclasses",
    "NodePool": "/apis/karpenter.sh/v1/nodepools",
    "NodeOverlay": "/apis/karpenter.sh/v1alpha1/nodeoverlays",
}


def plan_of(stack: str, **settings: Any) -> Plan:
    """The plan of a stack that ships, with some settings changed (dots as in `pulumi config set --path`)."""
    raw = _edited(stack, settings)["config"]
    known = {key.removeprefix("gpu-slices:"): value for key, value in raw.items()}
    return make_plan(parse(known, stack=stack), stack=stack)


def stack_file(folder: Path, stack: str, **settings: Any) -> Path:
    """The same as a file, for the command line."""
    file = folder / f"Pulumi.{stack}.yaml"
    file.write_text(yaml.safe_dump(_edited(stack, settings)))
    return file


class Shipped:
    """A stack on a control plane."""

    def __init__(self, plane: ControlPlane, plan: Plan) -> None:
        self.plane, self.api, self.plan = plane, plane.api, plan

    def up(self, plan: Plan | None = None, *, values: Mapping[str, Any] | None = None, wait: bool = True) -> None:
        """Ship the plan as `pulumi up` would; `values` are merged over the GPU chart's."""
        self.plan = plan or self.plan
        self.plane.control.set_facts(instance_facts(self.plan))
        kinds = [one for one in objects(self.plan, REFS) if one["kind"] in KINDS]
        for manifest in kinds:
            self.apply(manifest)
        for release in gpu_stack_releases(self.plan):
            daemons = self.plane.control.install_release(
                release.pin.chart,
                name=release.name,
                namespace=release.namespace,
                values=_merged(release.values, values or {}),
            )
            for daemon in daemons if wait else ():
                self.plane.control.wait_rolled_out(daemon, self.api)

    def karpenter(self) -> None:
        """Start the controller with its release's environment."""
        values = next(one.values for one in releases(self.plan, REFS) if one.name == "karpenter")
        self.plane.control.start_karpenter(environment=karpenter_environment(values), batch_idle_seconds=0.2)

    def apply(self, manifest: Mapping[str, Any]) -> None:
        """Server-side apply."""
        self.api.apply(f"{self.path(manifest)}/{manifest['metadata']['name']}", manifest)

    def path(self, manifest: Mapping[str, Any]) -> str:
        """Where objects of its kind and namespace are."""
        return KINDS[manifest["kind"]].format(namespace=manifest["metadata"].get("namespace", ""))

    def pool(self, name: str) -> PoolPlan:
        """One pool of the plan."""
        return next(pool for pool in self.plan.pools if pool.name == name)

    def join(
        self,
        name: str,
        *,
        count: int = 1,
        labels: Mapping[str, str] | None = None,
        shape: int = 0,
        taints: Any = (TAINT,),
    ) -> None:
        """Nodes of a pool, as its node group would bring them; waits until the plugin has shown something there."""
        pool = self.pool(name)
        self.plane.control.join_nodes(
            name,
            instance_type=pool.shapes[shape].instance.name,
            count=count,
            labels=pool.labels if labels is None else labels,
            taints=taints,
        )

    def shows(self, node: str, resource: str, count: int) -> None:
        """Wait until a node advertises that many."""
        path = f"/api/v1/nodes/{node}"
        eventually(lambda: self.api.get(path)["status"].get("allocatable", {}).get(resource) == str(count))

    def relabel(self, node: str, labels: Mapping[str, str | None]) -> None:
        """Set labels of a node, or remove them."""
        self.api.patch(
            f"/api/v1/nodes/{node}", {"metadata": {"labels": dict(labels)}}, content="application/merge-patch+json"
        )


def _edited(stack: str, settings: Mapping[str, Any]) -> dict[str, Any]:
    tree = yaml.safe_load((ROOT / f"Pulumi.{stack}.yaml").read_text())
    for path, value in settings.items():
        tree["config"] = with_setting(tree["config"], path.replace("__", "."), value, "gpu-slices")
    return tree


def _merged(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(base)
    for key, value in over.items():
        old = merged.get(key)
        merged[key] = _merged(old, value) if isinstance(old, Mapping) and isinstance(value, Mapping) else value
    return merged
