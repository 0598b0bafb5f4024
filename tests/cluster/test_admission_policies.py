"""The rules for pods on GPU nodes on a real API server: each refuses what it should, and nothing of the program's own."""

from __future__ import annotations

from typing import Any, Final

import pytest

from gpu_slices.checks.probe_pods import probe_namespace
from gpu_slices.manifests import objects
from gpu_slices.manifests.namespace import namespace
from gpu_slices.namespaces import PLATFORM_NAMESPACES, TOOL_LABEL
from rehearsal.cluster.control_plane import ControlPlane
from rehearsal.cluster.errors import ApiError
from rehearsal.cluster.http_api import STRATEGIC, Api
from rehearsal.rehearse import pods as burst
from tests.cluster.gpu_pods import GPU, RULES, SAFE, SHARED, TOLERATION, pod
from tests.cluster.shipped import REFS
from tests.cluster.waiting import eventually
from tests.support.objects_on_cluster import apply_all, tried
from tests.support.stacks import plan_of

pytestmark = pytest.mark.cluster

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
