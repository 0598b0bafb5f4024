"""A small program on the real engine: preview, up, edit, destroy, and what goes wrong."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from engine import EngineError
from rehearsal.recorder import record
from rehearsal.stage import Stage, stage
from tests.support.small_program import CONFIG, small_program, write_project

pytestmark = pytest.mark.engine

RELEASE, CONFIG_MAP = "kubernetes:helm.sh/v3:Release", "kubernetes:core/v1:ConfigMap"


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_project(tmp_path_factory.mktemp("project"))


@pytest.fixture
def staged(project: Path) -> Iterator[Stage]:
    with stage("test", project_folder=project, program=small_program, config=CONFIG) as staged:
        yield staged


def failing(project: Path, **settings: Any) -> EngineError:
    """How `up` fails with these settings; whatever it has made by then, destroy finds."""
    config = {**CONFIG, **{f"small:{key}": value for key, value in settings.items()}}
    with stage("test", project_folder=project, program=small_program, config=config) as staged:
        with pytest.raises(EngineError) as failure:
            staged.up()
        if staged.resources():
            staged.destroy()
        assert staged.left() == ()
    return failure.value


@pytest.mark.full
def test_preview_up_edit_and_destroy(staged: Stage):
    preview = staged.preview()
    assert set(preview.summary) == {"create"}
    assert staged.resources() == ()
    assert preview.outputs["endpoint"] == "[known after up]"

    up = staged.up()
    assert up.summary == preview.summary
    assert up.errors == ()
    assert up.outputs["kubeconfig"] == staged.outputs()["kubeconfig"] == "[secret]"
    assert len(staged.resources()) == len(up.changes)

    staged.edit("replicas", 4)
    edit = staged.preview()
    (release,) = edit.of(RELEASE)
    assert release.op == "update"
    (diff,) = release.diffs
    assert (diff.path, diff.old, diff.new) == ("values.config.map.l40s", "replicas: 10", "replicas: 4")
    assert [change.op for change in edit.of(CONFIG_MAP)] == ["create-replacement", "replace", "delete-replaced"]
    assert len(edit.changes) == 4

    assert staged.up().summary == edit.summary
    again = staged.preview()
    assert again.changes == ()
    assert again.unchanged == len(up.changes)
    assert staged.refresh().changes == ()

    assert set(staged.destroy().summary) == {"delete"}
    assert staged.left() == ()


@pytest.mark.full
def test_steps_finish_in_the_order_of_dependencies(staged: Stage):
    up = staged.up()
    order = [(change.type, change.name) for change in up.finished]
    chain = [
        ("aws:ec2/vpc:Vpc", "net"),
        ("aws:ec2/subnet:Subnet", "net-a"),
        ("aws:eks/cluster:Cluster", "demo-eksCluster"),
        ("aws:eks/nodeGroup:NodeGroup", "gpu"),
        (RELEASE, "plugin"),
    ]
    assert [order.index(step) for step in chain] == sorted(order.index(step) for step in chain)
    down = [(change.type, change.name) for change in staged.destroy().finished]
    assert [down.index(step) for step in chain] == sorted((down.index(step) for step in chain), reverse=True)


@pytest.mark.full
def test_the_recording_monitor_declares_what_the_engine_stores(staged: Stage):
    staged.up()
    stored = {resource["urn"]: resource for resource in staged.resources()}
    recorded = record(small_program, project="small", config=CONFIG).by_urn
    assert set(recorded) == {urn for urn in stored if "default" not in urn.rsplit("::", 1)[-1]}
    for urn, declared in recorded.items():
        assert stored[urn]["parent"].rsplit("::", 1)[-1] in (declared.parent.rsplit("::", 1)[-1], "small-test")
        if declared.type.startswith("aws:"):
            assert declared.inputs.items() <= {**stored[urn]["inputs"]}.items()
            assert set(declared.dependencies) == set(stored[urn].get("dependencies", ()))


def test_a_refusal_of_the_cloud_is_one_line_in_its_own_words(project: Path):
    failure = failing(project, subnetCidr="10.9.0.0/24")
    (line,) = str(failure).splitlines()
    assert line == (
        "up of stack test failed: net-b (aws:ec2/subnet:Subnet): "
        "InvalidSubnet.Range: The CIDR '10.9.0.0/24' is invalid."
    )


def test_a_refusal_inside_a_component_names_the_resource(project: Path):
    failure = failing(project, nodesMin=2)
    (line,) = str(failure).splitlines()
    assert "gpu (aws:eks/nodeGroup:NodeGroup): InvalidParameterException: a node group needs minSize" in line


def test_a_failed_check_is_one_line(project: Path):
    failure = failing(project, roleName="x" * 65)
    (line,) = str(failure).splitlines()
    assert "nodes (aws:iam/role:Role)" in line
    assert "65 characters long, 64 are allowed" in line


def test_an_exception_of_the_program_is_one_line_and_the_cause(project: Path):
    failure = failing(project, **{"raise": "too many slices"})
    assert str(failure) == "up of stack test failed: too many slices"
    assert isinstance(failure.__cause__, ValueError)


def test_a_setting_of_the_wrong_type_is_refused_in_the_words_of_the_engine(project: Path):
    failure = failing(project, replicas="four")
    (line,) = str(failure).splitlines()
    assert "configuration key 'replicas' must be of type 'integer'" in line


def test_nothing_is_left_on_the_disk(project: Path):
    with stage("test", project_folder=project, program=small_program, config=CONFIG) as staged:
        folder = staged.folder
        assert folder.exists()
    assert not folder.parent.exists()
