"""The kubernetes stand-in: names, namespaces, replacements, releases."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from rehearsal.account import Item
from rehearsal.kubernetes.store import CLUSTER as CLUSTER_TYPE
from rehearsal.stand_in import Refused
from tests.support.world import World, kubernetes_world

ENDPOINT = "https://cluster"
NAMESPACE, CONFIG_MAP = "kubernetes:core/v1:Namespace", "kubernetes:core/v1:ConfigMap"
DEPLOYMENT, RELEASE = "kubernetes:apps/v1:Deployment", "kubernetes:helm.sh/v3:Release"
NODE_POOL = "kubernetes:karpenter.sh/v1:NodePool"
CRDS = {"chart": "oci://public.ecr.aws/karpenter/karpenter-crd", "version": "1.14.1", "namespace": "kube-system"}


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    world = kubernetes_world(tmp_path, ENDPOINT)
    world.account.put(Item(type=CLUSTER_TYPE, id="demo", urn="existing", data={"endpoint": ENDPOINT}), [ENDPOINT])
    yield world
    world.account.close()


def node_pool(name: str) -> dict[str, object]:
    reference = {"group": "karpenter.k8s.aws", "kind": "EC2NodeClass", "name": "default"}
    return {
        "metadata": {"name": name},
        "spec": {"template": {"spec": {"requirements": [], "nodeClassRef": reference}}},
    }


def deployment(**labels: str) -> dict[str, object]:
    pod = {"metadata": {"labels": labels}, "spec": {"containers": [{"name": "a", "image": "a"}]}}
    return {"metadata": {"name": "a"}, "spec": {"selector": {"matchLabels": labels}, "template": pod}}


def test_an_unknown_kind_and_an_unknown_field_are_refused(world: World):
    with pytest.raises(LookupError, match="no resource type kubernetes:core/v1:ConfigMaps"):
        world.create("kubernetes:core/v1:ConfigMaps", "a", {})
    _, _, problems = world.check(CONFIG_MAP, "a", {"metadata": {"lables": {}}})
    assert problems == ["there is no property metadata.lables; did you mean metadata.labels?"]


def test_what_the_api_server_requires_is_required(world: World):
    _, _, problems = world.check(DEPLOYMENT, "a", {"spec": {"template": {"spec": {"containers": []}}}})
    assert problems == ["missing required property spec.selector"]
    _, _, problems = world.check(NODE_POOL, "a", {"spec": {"template": {"spec": {"requirements": []}}}})
    assert problems == [
        f"missing required property spec.template.spec.nodeClassRef.{name}" for name in ("group", "kind", "name")
    ]


@pytest.mark.parametrize(
    ("metadata", "words"),
    [
        ({"name": "Upper"}, "RFC 1123"),
        ({"labels": {"replicas": 4}}, "not a label value"),
        ({"labels": {"a": "x" * 64}}, "not a label value"),
        ({"annotations": {"replicas": 4}}, "not a text"),
    ],
)
def test_metadata_follows_the_rules_of_kubernetes(world: World, metadata: dict[str, object], words: str):
    _, _, problems = world.check(CONFIG_MAP, "a", {"metadata": metadata})
    assert len(problems) == 1
    assert words in problems[0]


def test_a_namespace_must_exist_before_what_lies_in_it(world: World):
    inputs = {"metadata": {"name": "a", "namespace": "nvidia"}}
    assert world.refusal(CONFIG_MAP, "a", inputs) == 'namespaces "nvidia" not found'
    world.create(NAMESPACE, "nvidia", {"metadata": {"name": "nvidia"}})
    assert world.create(CONFIG_MAP, "a", inputs).id == "nvidia/a"


def test_a_name_exists_once_per_namespace_and_kind(world: World):
    inputs = {"metadata": {"name": "a"}}
    world.create(CONFIG_MAP, "a", inputs)
    assert world.refusal(CONFIG_MAP, "b", inputs) == 'configmaps "a" already exists'
    world.create("kubernetes:core/v1:ServiceAccount", "a", inputs)


def test_a_deleted_namespace_takes_its_objects_along(world: World):
    namespace = world.create(NAMESPACE, "nvidia", {"metadata": {"name": "nvidia"}})
    world.create(CONFIG_MAP, "a", {"metadata": {"name": "a", "namespace": "nvidia"}})
    other = world.create(CONFIG_MAP, "b", {"metadata": {"name": "b"}})
    world.delete(namespace)
    assert [item.urn for item in world.account.all() if item.urn != "existing"] == [other.urn]


def test_config_map_data_replaces_created_first_when_the_provider_chose_the_name(world: World):
    named = world.create(CONFIG_MAP, "named", {"metadata": {"name": "a"}, "data": {"replicas": "10"}})
    unnamed = world.create(CONFIG_MAP, "unnamed", {"data": {"replicas": "10"}})
    edit = {"data": {"replicas": "4"}}
    assert world.replaced(named, {"metadata": {"name": "a"}, **edit}) == {"data.replicas"}
    assert world.diff(named, {"metadata": {"name": "a"}, **edit}).delete_first
    assert not world.diff(unnamed, edit).delete_first
    assert world.create(CONFIG_MAP, "unnamed", edit)["metadata"]["name"] != unnamed["metadata"]["name"]


def test_config_map_data_changes_in_place_where_the_provider_may(world: World):
    world.stand_in.configure({"enableConfigMapMutable": "true"})
    made = {"metadata": {"name": "a"}, "data": {"replicas": "10"}}
    urn, old, _ = world.check(CONFIG_MAP, "a", made)
    _, new, _ = world.check(CONFIG_MAP, "a", {**made, "data": {"replicas": "4"}}, old)
    diff = world.stand_in.diff(CONFIG_MAP, urn, old, new, old)
    assert [change.path for change in diff.changes] == ["data.replicas"]
    assert not diff.is_replacing("data.replicas")


def test_a_selector_replaces_and_a_label_does_not(world: World):
    made = world.create(DEPLOYMENT, "a", deployment(app="a"))
    assert world.replaced(made, deployment(app="b")) == {"spec.selector.matchLabels.app"}
    labelled = {**deployment(app="a"), "metadata": {"name": "a", "labels": {"team": "ml"}}}
    assert world.replaced(made, labelled) == set()
    assert world.update(made, labelled)["metadata"]["generation"] == 2


def test_nothing_is_made_in_a_cluster_that_is_gone(world: World):
    made = world.create(CONFIG_MAP, "a", {})
    world.account.remove(CLUSTER_TYPE, "demo")
    assert "cluster is unreachable" in world.refusal(CONFIG_MAP, "b", {})
    with pytest.raises(Refused, match="unreachable"):
        world.delete(made)


def test_a_custom_kind_needs_its_crd_and_holds_it(world: World):
    assert 'no matches for kind "NodePool"' in world.refusal(NODE_POOL, "burst", node_pool("burst"))
    crds = world.create(RELEASE, "crds", CRDS)
    pool = world.create(NODE_POOL, "burst", node_pool("burst"))
    with pytest.raises(Refused, match="burst still exists"):
        world.delete(crds)
    world.delete(pool)
    world.delete(crds)


@pytest.mark.parametrize("version", [None, "1.x", "^1.2.3", "1.2"])
def test_a_release_needs_an_exact_version(world: World, version: str | None):
    _, _, problems = world.check(RELEASE, "a", {**CRDS, "version": version})
    assert len(problems) == 1
    assert problems[0].startswith("version must be exact")


def test_a_release_says_where_its_chart_is(world: World):
    _, _, problems = world.check(RELEASE, "a", {"chart": "gpu-operator", "version": "v26.7.0"})
    assert "has no repository" in problems[0]


def test_values_upgrade_a_release_and_its_name_replaces_it(world: World):
    values = {"config": {"map": {"l40s": "replicas: 10"}}}
    made = world.create(RELEASE, "a", {**CRDS, "name": "a", "values": values})
    assert made["status"]["revision"] == 1
    edited = {**CRDS, "name": "a", "values": {"config": {"map": {"l40s": "replicas: 4"}}}}
    assert [change.path for change in world.diff(made, edited).changes] == ["values.config.map.l40s"]
    assert world.replaced(made, edited) == set()
    assert world.update(made, edited)["status"] == {**made["status"], "revision": 2}
    assert world.replaced(made, {**edited, "namespace": "default"}) == {"namespace"}


def test_a_release_name_is_used_once(world: World):
    world.create(RELEASE, "a", {**CRDS, "name": "karpenter-crd"})
    assert world.refusal(RELEASE, "b", {**CRDS, "name": "karpenter-crd"}).startswith("cannot re-use a name")


def test_a_release_needs_its_namespace_or_leave_to_make_it(world: World):
    inputs = {**CRDS, "namespace": "karpenter"}
    assert world.refusal(RELEASE, "a", inputs) == 'namespaces "karpenter" not found'
    world.create(RELEASE, "a", {**inputs, "createNamespace": True})
