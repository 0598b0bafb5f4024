"""What a stack file cannot say beside an adopted cluster: each with its own words, all at once, exit code 2."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from gpu_slices.cli.main import main
from gpu_slices.settings import Mistake, SettingsError, parse
from tests.support.adoption import ADOPTED, config_of


def mistakes(raw: dict[str, Any]) -> list[Mistake]:
    try:
        parse({**ADOPTED, **raw}, stack="test")
    except SettingsError as error:
        return list(error.mistakes)
    return []


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("name", "other", "has its name"),
        ("version", "1.35", "node groups here follow"),
        ("endpoint", {"public": False}, "was decided with it"),
        ("logs", ["api"], "not this stack's to change"),
        ("encryption", {}, "have their key"),
    ],
)
def test_what_the_cluster_decides_is_refused_with_a_sentence_of_its_own(key: str, value: Any, words: str):
    (found,) = mistakes({"cluster": {"adopt": "prod", key: value}})
    assert found.path == f"cluster.{key}"
    assert words in found.problem
    assert found.remedy.startswith("remove it")


@pytest.mark.parametrize(
    ("raw", "path", "words"),
    [
        ({"network": {}}, "network", "lives in a VPC already"),
        ({"network": {"nat": "single"}}, "network", "write vpcId and privateSubnetIds"),
        ({"cluster": {}, "existingGpuNodes": {"a": {"instanceType": "p3.8xlarge", "nodes": 1}}}, "existingGpuNodes.a", "a new cluster"),
        ({"existingGpuNodes": {"t4": {"instanceType": "p3.8xlarge", "nodes": 1}}}, "existingGpuNodes.t4", "used twice"),
        ({"existingGpuNodes": {"a": {"instanceType": "p3.8xlarge", "nodes": 0}}}, "existingGpuNodes.a.nodes", "too small"),
        ({"existingGpuNodes": {"a": {"instanceType": "p3.8xlarge"}}}, "existingGpuNodes.a.nodes", "is missing"),
        ({"monitoring": {"enabled": True}}, "monitoring", "systemNodes"),
        ({"karpenter": {"replicas": 2}}, "karpenter.replicas", "systemNodes"),
        ({"cluster": {"adopt": "prod", "adons": {}}}, "cluster.adons", 'did you mean "addons"?'),
        ({"cluster": {"adopt": "no good"}}, "cluster.adopt", "not an EKS cluster name"),
        ({"security": {"breakGlassRoleArn": "arn:aws:iam::123456789012:role/E"}}, "security.breakGlassRoleArn", "audit log"),
    ],
)  # fmt: skip
def test_what_does_not_go_with_adopting_is_refused(raw: dict[str, Any], path: str, words: str):
    (found,) = [one for one in mistakes(raw) if one.path == path]
    assert words in str(found)


def test_everything_at_once_on_lines_of_their_own_with_exit_code_two(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    raw = {**ADOPTED, "cluster": {"adopt": "prod", "version": "1.35", "logs": []}, "network": {}}
    path = tmp_path / "Pulumi.bad.yaml"
    path.write_text(yaml.safe_dump({"config": config_of(raw)}))
    for command in ("plan", "preflight", "preview"):
        assert main([command, "--file", str(path)]) == 2
        shown = "".join(capsys.readouterr())
        assert all(key in shown for key in ("cluster.version", "cluster.logs", "network")), command
        assert "Traceback" not in shown


def test_an_empty_object_is_as_good_as_none():
    """Pulumi.yaml's default for every object is {}: an adopted cluster gets no system nodes by it."""
    assert parse({**ADOPTED, "systemNodes": {}}, stack="test") == parse(ADOPTED, stack="test")
