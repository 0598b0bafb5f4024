"""The rules for pods on GPU nodes refuse nothing of what the program ships and its tools run."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import replace
from typing import Any, Final

import pytest
import yaml

from gpu_slices.checks.probe_pods import NodeProbe, probe_namespace, probe_pod, starter_pod
from gpu_slices.manifests import objects
from gpu_slices.namespaces import TOOL_LABEL
from gpu_slices.outputs import pod_snippet
from gpu_slices.plan import Plan, make_plan
from gpu_slices.settings import parse, read_stack_file
from rehearsal.cluster.control_plane import ControlPlane
from rehearsal.cluster.http_api import Api
from rehearsal.rehearse import pods as burst
from tests.cluster.gpu_pods import GPU, RULES, TOLERATION, pod
from tests.cluster.shipped import REFS
from tests.cluster.waiting import eventually
from tests.support.objects_on_cluster import apply_all, tried
from tests.support.stacks import ROOT, STACKS, plan_of

pytestmark = pytest.mark.cluster


def _makers(plan: Plan) -> list[dict[str, Any]]:
    """The pods that a stack's Deployments and Jobs would make, in their namespaces."""
    made = []
    for manifest in objects(plan, REFS):
        if manifest["kind"] in ("Deployment", "Job"):
            template = deepcopy(dict(manifest["spec"]["template"]))
            metadata = {"name": manifest["metadata"]["name"], "namespace": manifest["metadata"]["namespace"]}
            made.append({"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": template["spec"]})
    return made


SAMPLES: Final = {
    "gpuNodeGroups": {"a": {"instanceType": "g6e.2xlarge", "replicas": 10}},
    "tenants": {"team": {"pools": ["a"]}},
    "workloads": {
        name: {"pool": "a", "tenant": "team", "pods": 1} for name in ("cifar10", "cuda", "smoke", "tensorflow")
    },
}


def test_every_rule_admits_every_sample_and_everything_that_tools_run(fresh_plane: ControlPlane):
    """The samples' pods, the snippet of every pool, verify's and the rehearsal's pods."""
    held_against_the_rules(fresh_plane.api, [plan_of(SAMPLES)])


@pytest.mark.full
def test_every_rule_admits_everything_that_the_stacks_that_ship_run(fresh_plane: ControlPlane):
    held_against_the_rules(fresh_plane.api, [denying(stack) for stack in STACKS])


def held_against_the_rules(api: Api, plans: list[Plan]) -> None:
    """Asks the API server for every pod of each plan, once the plan's rules are in force."""
    api.create("/api/v1/namespaces", probe_namespace("probing", "run"))
    api.create("/api/v1/namespaces", burst.namespace())
    for plan in plans:
        policies = [one for one in objects(plan, REFS) if one["kind"] not in ("Deployment", "Job", "ConfigMap")]
        apply_all(api, policies)
        _await_policies(api, plan)
        pods = _makers(plan)
        for pool in plan.pools:
            users = [tenant for tenant in plan.tenants if pool.name in tenant.pools]
            snippet = yaml.safe_load(pod_snippet(pool))
            pods += [{**snippet, "metadata": {**snippet["metadata"], "namespace": one.name}} for one in users]
            pods.append(_in("probing", starter_pod(pool, run="run", name="s", image="x", seconds=9)))
            probe = NodeProbe(
                pool=pool.name,
                node="n",
                hostname="n",
                resource=pool.resource,
                slices=4,
                used=0,
                pods=4,
                gpus=1,
                replicas=4,
            )
            pods += [
                _in("probing", probe_pod(probe, run="run", name="x", slices=n, image="x", seconds=9)) for n in (1, 2)
            ]
            pods.append(_in(burst.NAMESPACE, burst.one_slice_pod(pool, "b")))
            pods += [_in(tenant.name, burst.one_slice_pod(pool, "q", gated=True)) for tenant in users]
            as_tenant = replace(probe, pool_label=pool.name, user=pool.run_as_user)
            pods += [
                _in(tenant.name, probe_pod(as_tenant, run="run", name="v", slices=1, image="x", seconds=9))
                for tenant in users
            ]
        assert {
            f"{one['metadata']['namespace']}/{one['metadata']['name']}": said
            for one in pods
            if (said := tried(api, one))
        } == {}
        _forget_policies(api)


def denying(stack: str) -> Plan:
    """The plan of a stack file that ships, denying also where the stack itself would warn."""
    raw = read_stack_file(ROOT / f"Pulumi.{stack}.yaml").raw
    return make_plan(parse({**raw, "admission": {"enforcement": "deny"}}, stack=stack), stack=stack)


def _forget_policies(api: Api) -> None:
    """Until none of them is in force any more."""
    for kind in ("validatingadmissionpolicybindings", "validatingadmissionpolicies"):
        api.delete(
            f"/apis/admissionregistration.k8s.io/v1/{kind}", labelSelector="app.kubernetes.io/managed-by=gpu-slices"
        )
    eventually(lambda: not tried(api, pod("default", {GPU: 1})))
    eventually(lambda: not tried(api, pod("default", tolerations=[TOLERATION])))


def _in(where: str, one: dict[str, Any]) -> dict[str, Any]:
    return {**one, "metadata": {**one["metadata"], "namespace": where}}


def _await_policies(api: Api, plan: Plan) -> None:
    names = {*(tenant.name for tenant in plan.tenants), "probing", burst.NAMESPACE}
    if plan.settings.benchmark:
        names.add(plan.settings.benchmark.namespace)
    for name in names:
        path = f"/api/v1/namespaces/{name}/serviceaccounts/default"
        eventually(lambda path=path: api.find(path))
    eventually(lambda: RULES["asks"] in tried(api, pod("default", tolerations=[TOLERATION])))
    eventually(lambda: RULES["tenants"] in tried(api, pod("default", {GPU: 1})))
    for tenant in plan.tenants:
        eventually(
            lambda tenant=tenant: (
                "PriorityClass" in tried(api, pod(tenant.name, priorityClassName="system-node-critical"))
            )
        )


def test_the_namespaces_that_tools_make_carry_the_label_that_exempts_them():
    assert probe_namespace("n", "run")["metadata"]["labels"][TOOL_LABEL] == "verify"
    assert burst.namespace()["metadata"]["labels"][TOOL_LABEL] == "rehearsal"
