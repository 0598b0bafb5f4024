"""The rules for pods on GPU nodes on a real API server: each refuses what it should, and nothing of the program's own."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import replace
from typing import Any, Final

import pytest
import yaml

from gpu_slices.checks.probe_pods import NodeProbe, probe_namespace, probe_pod, starter_pod
from gpu_slices.manifests import objects
from gpu_slices.manifests.namespace import namespace
from gpu_slices.namespaces import PLATFORM_NAMESPACES, TOOL_LABEL
from gpu_slices.outputs import pod_snippet
from gpu_slices.plan import Plan, make_plan
from gpu_slices.settings import parse, read_stack_file
from rehearsal.cluster.control_plane import ControlPlane
from rehearsal.cluster.errors import ApiError
from rehearsal.cluster.http_api import STRATEGIC, Api
from rehearsal.rehearse import pods as burst
from tests.cluster.shipped import REFS
from tests.cluster.waiting import eventually
from tests.support.objects_on_cluster import apply_all, tried
from tests.support.stacks import ROOT, STACKS, plan_of

pytestmark = pytest.mark.cluster

GPU, SHARED = "nvidia.com/gpu", "nvidia.com/gpu.shared"
PLAN: Final = plan_of(
    {
        "gpuNodeGroups": {
            "cheap": {"instanceType": "g6.2xlarge", "replicas": 4, "max": 2, "sharing": {"renameResource": True}},
            "shared": {"instanceType": "g6e.2xlarge", "replicas": 10},
            "served": {
                "instanceType": "g6.xlarge",
                "replicas": 4,
                "sharing": {"strategy": "mps", "renameResource": True, "mps": {"runAsUser": 4711}},
            },
            "whole": {"instanceType": "g6e.12xlarge"},
        },
        "tenants": {
            "any": {"pools": ["cheap", "served", "shared", "whole"], "priority": {"value": 10}},
            "team": {"pools": ["shared"], "slices": 4},
        },
        "admission": {"platformNamespaces": ["log-agents"]},
    }
)
RULES: Final = {
    "asks": "asks for no GPU",
    "tenants": "only pods in namespaces of tenants may ask for GPUs",
    "privileged": "a privileged container",
    "one": "more than one slice of a shared GPU",
}
TOLERATION: Final = {"key": GPU, "operator": "Exists", "effect": "NoSchedule"}


@pytest.fixture(scope="module")
def api(plane: ControlPlane) -> Api:
    """An API server with the plan's objects, once its policies hold."""
    apply_all(plane.api, objects(PLAN, REFS))
    for name in (*PLATFORM_NAMESPACES, "log-agents", "plain"):
        plane.api.apply(f"/api/v1/namespaces/{name}", namespace(name, "privileged"))
    # GPUs are allowed there, and Pod Security, which would speak first, asks for nothing.
    plane.api.apply("/api/v1/namespaces/open", namespace("open", "privileged", {TOOL_LABEL: "verify"}))
    plane.api.apply("/api/v1/namespaces/probing", probe_namespace("probing", "run"))
    plane.api.apply(f"/api/v1/namespaces/{burst.NAMESPACE}", burst.namespace())
    for where in (*PLATFORM_NAMESPACES, "any", "team", "plain", "open", "probing", "log-agents", burst.NAMESPACE):
        path = f"/api/v1/namespaces/{where}/serviceaccounts/default"
        eventually(lambda path=path: plane.api.find(path))
    # Every policy is in force once the last of each kind refuses.
    eventually(lambda: RULES["asks"] in tried(plane.api, pod("plain", tolerations=[TOLERATION])))
    eventually(lambda: RULES["tenants"] in tried(plane.api, pod("plain", {GPU: 1})))
    eventually(lambda: RULES["privileged"] in tried(plane.api, pod("open", {GPU: 1}, **PRIVILEGED)))
    eventually(lambda: RULES["one"] in tried(plane.api, pod("any", {GPU: 2}, pool="shared")))
    eventually(lambda: "set securityContext.runAsUser" in tried(plane.api, pod("any", {SHARED: 1}, pool="served")))
    eventually(lambda: "which of its pools" in tried(plane.api, pod("team", {GPU: 1})))
    return plane.api


PRIVILEGED: Final[dict[str, Any]] = {"security": {"privileged": True}}
SAFE: Final = {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}


def pod(
    where: str,
    limits: dict[str, int] | None = None,
    *,
    pool: str = "",
    security: dict[str, Any] | None = None,
    **spec: Any,
) -> dict[str, Any]:
    """A pod that Pod Security would take anywhere, with these limits, in a namespace."""
    container = {
        "name": "main",
        "image": "x",
        "resources": {"limits": {name: str(count) for name, count in (limits or {}).items()}},
        "securityContext": security or SAFE,
    }
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "p", "namespace": where},
        "spec": {
            "containers": [container],
            "securityContext": {"runAsNonRoot": True, "runAsUser": 1000, "seccompProfile": {"type": "RuntimeDefault"}},
            **({"nodeSelector": {"gpu-slices/pool": pool}} if pool else {}),
            **spec,
        },
    }


def affinity(*terms: dict[str, Any]) -> dict[str, Any]:
    required = {"nodeSelectorTerms": [{"matchExpressions": [term]} for term in terms]}
    return {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": required}}


def among(*pools: str) -> dict[str, Any]:
    return {"key": "gpu-slices/pool", "operator": "In", "values": list(pools)}


def init(limits: dict[str, int]) -> list[dict[str, Any]]:
    resources = {"limits": {name: str(count) for name, count in limits.items()}}
    return [{"name": "first", "image": "x", "resources": resources, "securityContext": SAFE}]


@pytest.mark.parametrize(
    "toleration",
    [
        TOLERATION,
        {"operator": "Exists"},
        {"operator": "Exists", "effect": "NoSchedule"},
        {"key": GPU, "operator": "Exists"},
        {"key": GPU, "operator": "Equal", "value": "true", "effect": "NoSchedule"},
        {"key": GPU, "value": "true"},
    ],
    ids=["ours", "everything", "every key", "every effect", "equal", "no operator"],
)
def test_a_pod_that_tolerates_the_gpu_taint_in_any_form_must_ask_for_a_gpu(api: Api, toleration: dict[str, Any]):
    assert RULES["asks"] in tried(api, pod("plain", tolerations=[toleration]))
    assert RULES["asks"] in tried(api, pod("team", tolerations=[toleration]))
    assert tried(api, pod("any", {GPU: 1}, pool="whole", tolerations=[toleration])) == ""


@pytest.mark.parametrize(
    "spec",
    [
        {"pool": "shared"},
        {"affinity": affinity(among("shared"))},
        {"affinity": affinity({"key": "gpu-slices/pool", "operator": "Exists"})},
        {"nodeName": "a-gpu-node"},
        {"tolerations": [TOLERATION], "limits": {GPU: 0}},
    ],
    ids=["selector", "affinity", "any pool", "by name", "none of it"],
)
def test_a_pod_that_gets_onto_a_gpu_node_otherwise_must_ask_for_a_gpu(api: Api, spec: dict[str, Any]):
    limits = spec.pop("limits", None) if "limits" in spec else None
    assert RULES["asks"] in tried(api, pod("plain", limits, **spec))


@pytest.mark.parametrize(
    "spec",
    [
        {},
        {"tolerations": [{"key": GPU, "operator": "Equal", "value": "other", "effect": "NoSchedule"}]},
        {"tolerations": [{"key": GPU, "operator": "Exists", "effect": "NoExecute"}]},
        {"tolerations": [{"key": "dedicated", "operator": "Exists"}]},
        {"affinity": affinity({"key": "gpu-slices/pool", "operator": "DoesNotExist"})},
        {"nodeSelector": {"kubernetes.io/os": "linux"}},
    ],
    ids=["plain", "another value", "another effect", "another taint", "away from GPUs", "a selector"],
)
def test_pods_that_have_nothing_to_do_with_gpus_are_left_alone(api: Api, spec: dict[str, Any]):
    assert tried(api, pod("plain", **spec)) == ""
    assert tried(api, pod("team", **spec)) == ""


@pytest.mark.parametrize("resource", [GPU, SHARED])
def test_gpus_are_for_tenants(api: Api, resource: str):
    assert RULES["tenants"] in tried(api, pod("plain", {resource: 1}))
    assert RULES["tenants"] in tried(api, pod("default", initContainers=init({resource: 1})))
    assert "use any, team, or declare one" in tried(api, pod("plain", {resource: 1}))


@pytest.mark.parametrize(
    "container",
    [{"privileged": True}, {"capabilities": {"add": ["SYS_ADMIN"]}}, {"capabilities": {"add": ["ALL"]}}],
    ids=["privileged", "SYS_ADMIN", "ALL"],
)
def test_nobody_is_privileged_on_a_gpu_node(api: Api, container: dict[str, Any]):
    assert RULES["privileged"] in tried(api, pod("open", {GPU: 1}, security=container))
    hidden = [{**init({})[0], "securityContext": container}]
    assert RULES["privileged"] in tried(api, pod("open", {GPU: 1}, initContainers=hidden))
    assert tried(api, pod("plain", security=container)) == ""


def test_two_slices_of_a_shared_gpu_are_refused_with_the_reason(api: Api):
    for refused in (
        pod("any", {SHARED: 2}, pool="cheap"),
        pod("any", {GPU: 2}, pool="shared"),
        pod("any", {GPU: 2}, affinity=affinity(among("shared", "whole"))),
        pod("any", {GPU: 1}, pool="shared", initContainers=init({GPU: 2})),
    ):
        assert "two shares of time, possibly of the same GPU" in tried(api, refused)
    assert tried(api, pod("any", {GPU: 2}, pool="whole")) == ""
    assert tried(api, pod("any", {GPU: 1}, pool="shared", initContainers=init({GPU: 1}))) == ""


def test_pods_of_an_mps_pool_run_as_the_one_user_that_its_daemon_serves(api: Api):
    words = "pool served is shared by MPS, which serves one user at a time: set securityContext.runAsUser: 4711"
    assert words in tried(api, pod("any", {SHARED: 1}, pool="served"))
    own = {**SAFE, "runAsUser": 4711}
    assert tried(api, pod("any", {SHARED: 1}, pool="served", security=own)) == ""
    assert tried(api, pod("any", {SHARED: 1}, pool="served", security=own, initContainers=init({}))) == ""
    assert words in tried(api, pod("any", {SHARED: 1}, pool="served", security=own, initContainers=init({SHARED: 1})))
    assert tried(api, pod("any", {SHARED: 1}, pool="cheap")) == ""


def test_where_the_stack_allows_several_slices_nobody_refuses_them():
    allowed = plan_of(
        {
            "sharing": {"failRequestsGreaterThanOne": False},
            "gpuNodeGroups": {"a": {"instanceType": "g6.2xlarge", "replicas": 4}},
        }
    )
    assert "gpu-slices-gpu-one-slice" not in [one["metadata"]["name"] for one in objects(allowed, REFS)]


def test_a_tenants_gpu_pods_say_which_of_its_pools_they_want(api: Api):
    words = "must say which of its pools it wants (shared): add nodeSelector: {gpu-slices/pool: shared}"
    assert words in tried(api, pod("team", {GPU: 1}))
    assert words in tried(api, pod("team", {GPU: 1}, pool="whole"))
    assert words in tried(api, pod("team", {GPU: 1}, affinity=affinity(among("shared"), among("whole"))))
    assert words in tried(api, pod("team", {GPU: 1}, affinity=affinity(among("shared", "whole"))))
    assert tried(api, pod("team", {GPU: 1}, pool="shared")) == ""
    assert tried(api, pod("team", {GPU: 1}, affinity=affinity(among("shared")))) == ""


def test_no_pod_of_a_tenant_borrows_a_priority(api: Api):
    assert "may name no PriorityClass" in tried(api, pod("team", priorityClassName="gpu-slices-any"))
    assert "may name no PriorityClass" in tried(api, pod("team", priorityClassName="system-cluster-critical"))
    assert "PriorityClass gpu-slices-any or none" in tried(api, pod("any", priorityClassName="system-node-critical"))
    made = api.create("/api/v1/namespaces/any/pods?dryRun=All", pod("any", priorityClassName="gpu-slices-any"))
    assert (made["spec"]["priority"], made["spec"]["preemptionPolicy"]) == (10, "Never")


@pytest.mark.parametrize("where", [*PLATFORM_NAMESPACES, "log-agents"])
def test_the_platforms_own_daemons_are_exempt_from_all_of_it(api: Api, where: str):
    daemon = pod(where, {GPU: 2}, tolerations=[{"operator": "Exists"}], pool="shared", **PRIVILEGED)
    assert tried(api, daemon) == ""
    assert tried(api, pod(where, tolerations=[{"operator": "Exists"}], **PRIVILEGED)) == ""


def test_tools_may_ask_for_gpus_and_for_two_but_not_sneak_in_or_be_privileged(api: Api):
    assert tried(api, pod("probing", {GPU: 2}, pool="shared")) == ""
    assert tried(api, pod(burst.NAMESPACE, {GPU: 1})) == ""
    assert RULES["asks"] in tried(api, pod("probing", tolerations=[TOLERATION]))


def test_a_running_pod_takes_no_toleration_and_no_privileged_guest(api: Api):
    made = api.create("/api/v1/namespaces/plain/pods", pod("plain"))
    more = {"spec": {"tolerations": [*made["spec"]["tolerations"], {"operator": "Exists"}]}}
    with pytest.raises(ApiError, match=RULES["asks"]):
        api.patch("/api/v1/namespaces/plain/pods/p", more, content=STRATEGIC)
    api.patch("/api/v1/namespaces/plain/pods/p", {"metadata": {"labels": {"a": "b"}}}, content=STRATEGIC)
    api.create("/api/v1/namespaces/open/pods", pod("open", {GPU: 1}, pool="shared"))
    guest = {"name": "guest", "image": "x", "securityContext": {"capabilities": {"add": ["SYS_ADMIN"]}}}
    for where, words in (("open", RULES["privileged"]), ("plain", "")):
        path = f"/api/v1/namespaces/{where}/pods/p/ephemeralcontainers?dryRun=All"
        said = ""
        try:
            api.patch(path, {"spec": {"ephemeralContainers": [guest]}}, content=STRATEGIC)
        except ApiError as error:
            said = error.message
        assert words in said
        assert bool(words) == bool(said), said
        api.delete(f"/api/v1/namespaces/{where}/pods/p", gracePeriodSeconds="0")


def test_what_makes_pods_is_let_through_with_the_rules_words_as_a_warning(api: Api):
    template = {"metadata": {"labels": {"a": "b"}}, "spec": pod("plain", {GPU: 1})["spec"]}
    job = {"template": {"spec": {**template["spec"], "restartPolicy": "Never"}}}
    for group, kind, spec in (
        (
            "apps/v1/namespaces/plain/deployments",
            "Deployment",
            {"selector": {"matchLabels": {"a": "b"}}, "template": template},
        ),
        ("batch/v1/namespaces/plain/jobs", "Job", job),
        ("batch/v1/namespaces/plain/cronjobs", "CronJob", {"schedule": "@daily", "jobTemplate": {"spec": job}}),
    ):
        body = {"apiVersion": "/".join(group.split("/")[:2]), "kind": kind, "metadata": {"name": "maker"}, "spec": spec}
        assert any(RULES["tenants"] in warning for warning in warnings_of(api, f"/apis/{group}?dryRun=All", body)), kind


def warnings_of(api: Api, path: str, body: dict[str, Any]) -> list[str]:
    """The warnings that an answer carries, which kubectl and Pulumi show."""
    import json

    answer = api._pool.request(
        "POST", f"{api.server}{path}", body=json.dumps(body).encode(), headers=api._headers("application/json")
    )
    assert answer.status < 300, answer.data
    return answer.headers.getlist("Warning")


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
