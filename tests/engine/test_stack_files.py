"""Every stack file that ships, on the real engine: it comes up, settles, takes a slice edit and goes without a trace."""

from __future__ import annotations

import pytest

from engine.operation import SECRET
from tests.support.lifecycle import LIVES, Life, life

pytestmark = pytest.mark.engine

CONFIG_MAP, RELEASE = "kubernetes:core/v1:ConfigMap", "kubernetes:helm.sh/v3:Release"
QUOTA = "kubernetes:core/v1:ResourceQuota"
OVERLAY, NODE_POOL = "kubernetes:karpenter.sh/v1alpha1:NodeOverlay", "kubernetes:karpenter.sh/v1:NodePool"


@pytest.fixture(scope="module", params=LIVES)
def lived(request: pytest.FixtureRequest) -> Life:
    return life(request.param)


def test_preview_announces_what_up_creates(lived: Life):
    assert set(lived.preview.summary) == {"create"}
    assert {c.urn for c in lived.preview.changes} == {c.urn for c in lived.up.changes}
    assert lived.up.unchanged == 0


def test_a_second_preview_is_empty(lived: Life):
    assert lived.settled.changes == ()
    assert lived.settled.unchanged == len(lived.up.changes)


def test_warnings_of_the_plan_are_diagnostics_of_the_engine(lived: Life):
    assert {found.message for found in lived.preview.warnings} == {str(warning) for warning in lived.plan.warnings}


def test_a_slice_edit_replaces_nothing(lived: Life):
    for operation in (lived.edit_preview, lived.edit_up):
        assert set(operation.summary) <= {"create", "delete", "update"}
        assert not [diff for change in operation.changes for diff in change.diffs if diff.kind.endswith("-replace")]


def test_a_slice_edit_previews_exactly_what_it_does(lived: Life):
    announced = {(c.op, c.urn, tuple(d.path for d in c.diffs)) for c in lived.edit_preview.changes}
    assert announced == {(c.op, c.urn, tuple(d.path for d in c.diffs)) for c in lived.edit_up.changes}


def test_a_slice_edit_changes_the_plugins_config_and_nothing_else_of_the_stack(lived: Life):
    """Under the stand-alone chart one text in its values; under the operator a config map, and its name in the values."""
    (release,) = lived.edit_up.of(RELEASE)
    others = {(c.op, c.type) for c in lived.edit_up.changes if c.type not in (RELEASE, OVERLAY, NODE_POOL, QUOTA)}
    paths = [diff.path for diff in release.diffs]
    if lived.plan.settings.gpu_stack == "gpu-operator":
        assert paths == ["values.devicePlugin.config.name"]
        assert others == {("create", CONFIG_MAP), ("delete", CONFIG_MAP)}
    else:
        assert paths == [f"values.config.map.{pool}" for pool in edited_pools(lived)]
        assert others == set()


def test_a_slice_edit_takes_the_quotas_along_that_state_no_number_of_their_own(lived: Life):
    follow = {
        name
        for name, tenant in lived.plan.settings.tenants.items()
        if tenant.slices is None and set(tenant.pools or edited_pools(lived)) & set(edited_pools(lived))
    }
    changes = lived.edit_up.of(QUOTA)
    assert {c.name for c in changes} == {f"platform-tenant-{name}-quota" for name in follow}
    assert all(c.op == "update" and d.path.startswith("spec.hard") for c in changes for d in c.diffs)


def test_a_slice_edit_moves_overlays_and_limits_of_launched_pools_only(lived: Life):
    launched = {pool.name for pool in lived.plan.pools if pool.launched and pool.name in edited_pools(lived)}
    for type_, paths in ((OVERLAY, "spec.capacity"), (NODE_POOL, "spec.limits")):
        changes = lived.edit_up.of(type_)
        assert {c.op for c in changes} <= {"update"}
        assert bool(changes) == bool(launched)
        assert all(diff.path.startswith(paths) for change in changes for diff in change.diffs)


def test_the_new_config_map_exists_before_the_release_points_at_it_and_the_old_goes_last(lived: Life):
    made = {c.op: c for c in lived.edit_up.of(CONFIG_MAP)}
    if made:
        (release,) = lived.edit_up.of(RELEASE)
        assert made["create"].finished < release.started
        assert release.finished < made["delete"].started


def test_outputs_show_the_new_number_and_hide_the_kubeconfig(lived: Life):
    assert lived.outputs["kubeconfig"] == SECRET
    for pool in lived.plan.pools:
        shown = lived.outputs["pools"][pool.name]
        edited = pool.name in edited_pools(lived)
        assert shown["replicas"] == (lived.edit.after if edited else pool.replicas)


def test_no_secret_is_in_clear_in_what_the_backend_keeps(lived: Life):
    assert lived.secrets >= 1
    assert lived.secrets_in_clear == ()


def test_destroy_leaves_nothing_in_the_state_and_nothing_in_the_account(lived: Life):
    assert set(lived.destroy.summary) == {"delete"}
    assert lived.left == ()


def edited_pools(lived: Life) -> list[str]:
    """The pools whose number the edit changes: one with its own, or all that take the stack's."""
    if lived.edit.path != "replicas":
        return [lived.edit.pool]
    settings = lived.plan.settings
    pools = {**settings.gpu_node_groups, **settings.gpu_node_pools}
    return sorted(name for name, pool in pools.items() if pool.replicas is None)
