"""Resources as the shipped stacks declare them, each with one thing changed that a policy rule minds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import yaml

from gpu_slices.naming import CONFIG_LABEL, POOL_LABEL
from policy.rules.exposure import CLUSTER
from policy.rules.nodes import NODE_GROUP, NODE_POOL
from policy.rules.pins import LAUNCH_TEMPLATE, NODE_CLASS, RELEASE
from policy.rules.plugin_configs import CONFIG_MAP
from policy.rules.rule import Resource
from rehearsal.project import with_value
from tests.support.recordings import recording

QUEUE = "aws:sqs/queue:Queue"
TEMPLATE_LABELS = ("spec", "template", "metadata", "labels")
_TAINT, _LABEL = "gpu-nodes-tainted", "gpu-nodes-labelled"


def resources(stack: str) -> tuple[Resource, ...]:
    """Everything that a stack file declares."""
    return tuple(
        Resource(urn=one.urn, type=one.type, name=one.name, inputs=one.inputs) for one in recording(stack).resources
    )


def one(stack: str, type_: str, part: str = "") -> Resource:
    """The resource of a type whose name has a part."""
    (found,) = [resource for resource in resources(stack) if resource.type == type_ and part in resource.name]
    return found


def edited(resource: Resource, *keys: str, to: Any) -> Resource:
    """The resource with one input changed, or taken away where `to` is None."""
    return replace(resource, inputs=with_value(resource.inputs, keys, to))


def group() -> Resource:
    """The node group of stack dev."""
    return one("dev", NODE_GROUP, "l40s")


def pool() -> Resource:
    """The NodePool of stack karpenter."""
    return one("karpenter", NODE_POOL, "burst")


def plugin() -> Resource:
    """The stand-alone device plugin's release, whose values carry its configs."""
    return one("karpenter", RELEASE, "device-plugin")


def configs() -> Resource:
    """The ConfigMap with the plugin's configs under the operator."""
    return one("dev", CONFIG_MAP, "time-slicing")


def control_plane() -> Resource:
    """The EKS cluster of stack dev."""
    return one("dev", CLUSTER)


def _image() -> Resource:
    return one("karpenter", NODE_CLASS, "burst")


def _template() -> Resource:
    return one("dev", LAUNCH_TEMPLATE, "l40s")


def _ami(**term: str) -> Callable[[], Resource]:
    return lambda: edited(_image(), "spec", "amiSelectorTerms", to=[term])


def _taints(*taints: dict[str, str]) -> Callable[[], Resource]:
    return lambda: edited(group(), "taints", to=list(taints))


def _untainted_pool() -> Resource:
    return edited(pool(), "spec", "template", "spec", "taints", to=[])


def _foreign_pool(key: str, operator: str, *values: str) -> Callable[[], Resource]:
    """A NodePool that is not ours: no labels, GPUs only by what it requires."""
    requirements = [{"key": key, "operator": operator, "values": list(values)}]

    def make() -> Resource:
        bare = edited(_untainted_pool(), *TEMPLATE_LABELS, to={})
        return edited(bare, "spec", "template", "spec", "requirements", to=requirements)

    return make


def _shared_by_mps() -> Resource:
    text = yaml.safe_dump({"version": "v1", "sharing": {"mps": {"resources": [{"replicas": 17}]}}})
    return edited(plugin(), "values", "config", "map", "burst", to=text)


def _foreign(type_: str, **inputs: Any) -> Callable[[], Resource]:
    return lambda: Resource(urn="urn", type=type_, name="other", inputs=inputs)


#: (rule, what it says, the resource that makes it say so).
CASES: tuple[tuple[str, str, Callable[[], Resource]], ...] = (
    (_TAINT, "GPU node group platform-l40s-nodes has no taint", _taints()),
    (_TAINT, "has no taint that keeps", _taints({"key": "nvidia.com/gpu", "effect": "PREFER_NO_SCHEDULE"})),
    (_TAINT, "GPU NodePool burst has no taint", _untainted_pool),
    (_TAINT, "add nvidia.com/gpu=true:NoSchedule", _foreign(NODE_GROUP, instanceTypes=["g5.xlarge"])),
    (_TAINT, "GPU node group other", _foreign(NODE_GROUP, amiType="AL2023_x86_64_NVIDIA")),
    (_TAINT, "GPU NodePool burst has", _foreign_pool("karpenter.k8s.aws/instance-family", "In", "g5")),
    (_TAINT, "burst has no taint", _foreign_pool("karpenter.k8s.aws/instance-category", "In", "c", "g")),
    (_TAINT, "has no taint", _foreign_pool("karpenter.k8s.aws/instance-gpu-count", "Gt", "0")),
    (_LABEL, f"lacks the label {CONFIG_LABEL}", lambda: edited(group(), "labels", CONFIG_LABEL, to=None)),
    (_LABEL, f"lacks the label {POOL_LABEL}", lambda: edited(pool(), *TEMPLATE_LABELS, POOL_LABEL, to=None)),
    (_LABEL, "names two pools", lambda: edited(group(), "labels", POOL_LABEL, to="other")),
    ("charts-pinned", "takes whatever version", lambda: edited(plugin(), "version", to=None)),
    (
        "charts-pinned",
        'takes any version of nvidia-device-plugin in "0.20.x"',
        lambda: edited(plugin(), "version", to="0.20.x"),
    ),
    ("charts-pinned", 'in ">=0.20.0"', lambda: edited(plugin(), "version", to=">=0.20.0")),
    ("images-pinned", "takes al2023@latest, which moves", _ami(alias="al2023@latest")),
    ("images-pinned", "selects images by name or tag", _ami(name="eks-gpu-*")),
    (
        "images-pinned",
        "looks its image up at every launch",
        lambda: edited(_template(), "imageId", to="resolve:ssm:/x"),
    ),
    (
        "maximum-replicas",
        "pool l40s has 48 slices per GPU, environment default allows 16: set replicas to 16 or less",
        lambda: edited(configs(), "data", "l40s", to=configs().inputs["data"]["l40s"].replace("10", "48")),
    ),
    ("maximum-replicas", "pool burst has 17 slices per GPU", _shared_by_mps),
    (
        "encrypted-at-rest",
        "leaves the disk /dev/xvda unencrypted",
        lambda: edited(_template(), "blockDeviceMappings", to=[{"deviceName": "/dev/xvda", "ebs": {"volumeSize": 9}}]),
    ),
    (
        "encrypted-at-rest",
        "says nothing of its disks",
        lambda: edited(_image(), "spec", "blockDeviceMappings", to=None),
    ),
    ("encrypted-at-rest", "keeps Kubernetes secrets", lambda: edited(control_plane(), "encryptionConfig", to=None)),
    ("encrypted-at-rest", "is a queue", lambda: edited(one("karpenter", QUEUE), "sqsManagedSseEnabled", to=False)),
    ("encrypted-at-rest", "is a topic without a key", _foreign("aws:sns/topic:Topic")),
    ("encrypted-at-rest", "is a volume without encryption", _foreign("aws:ebs/volume:Volume")),
    (
        "encrypted-at-rest",
        "makes volumes without encryption",
        _foreign("kubernetes:storage.k8s.io/v1:StorageClass", provisioner="ebs.csi.aws.com"),
    ),
)
