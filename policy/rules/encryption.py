"""What holds data is encrypted: disks, volumes, queues, topics, log groups, Kubernetes secrets."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from .exposure import CLUSTER
from .pins import LAUNCH_TEMPLATE, NODE_CLASS
from .rule import Resource, ResourceRule, Scope

Inputs = Mapping[str, Any]
#: Words for what is not encrypted, from a resource's inputs; nothing where all is.
Finder = Callable[[Inputs], Iterator[str]]
_YES: Final = (True, "true")


def says(inputs: Inputs, name: str) -> bool:
    """Whether an input is there, also where a preview can't know its value yet: asking for that would raise."""
    return name in tuple(inputs)


def _node_disks(inputs: Inputs) -> Iterator[str]:
    mappings = inputs.get("blockDeviceMappings") or (inputs.get("spec") or {}).get("blockDeviceMappings") or ()
    if not mappings:
        yield "says nothing of its disks, which are then not encrypted: map the root device with encrypted: true"
    for mapping in mappings:
        if (mapping.get("ebs") or {}).get("encrypted") not in _YES:
            yield f"leaves the disk {mapping.get('deviceName')} unencrypted: set encrypted: true"


def _flag(name: str, what: str) -> Finder:
    def find(inputs: Inputs) -> Iterator[str]:
        if inputs.get(name) not in _YES:
            yield f"is {what} without encryption: set {name}: true"

    return find


def _queue(inputs: Inputs) -> Iterator[str]:
    if not says(inputs, "kmsMasterKeyId") and inputs.get("sqsManagedSseEnabled") not in _YES:
        yield "is a queue without encryption: set sqsManagedSseEnabled: true, or kmsMasterKeyId"


def _key(name: str, what: str) -> Finder:
    def find(inputs: Inputs) -> Iterator[str]:
        if not says(inputs, name):
            yield f"is {what} without a key of yours: set {name}"

    return find


def _kubernetes_secrets(inputs: Inputs) -> Iterator[str]:
    if not says(inputs, "encryptionConfig"):
        yield "keeps Kubernetes secrets without a key of yours: set encryptionConfig for resources [secrets]"


def _storage_class(inputs: Inputs) -> Iterator[str]:
    by_ebs = "ebs" in (inputs.get("provisioner") or "")
    if by_ebs and (inputs.get("parameters") or {}).get("encrypted") not in _YES:
        yield 'makes volumes without encryption: set parameters.encrypted: "true"'


#: Never without encryption. SNS encrypts only with a key that is named; the rest has a switch.
ALWAYS: Final[Mapping[str, Finder]] = {
    LAUNCH_TEMPLATE: _node_disks,
    NODE_CLASS: _node_disks,
    CLUSTER: _kubernetes_secrets,
    "aws:ebs/volume:Volume": _flag("encrypted", "a volume"),
    "aws:efs/fileSystem:FileSystem": _flag("encrypted", "a file system"),
    "aws:sqs/queue:Queue": _queue,
    "aws:sns/topic:Topic": _key("kmsMasterKeyId", "a topic"),
    "kubernetes:storage.k8s.io/v1:StorageClass": _storage_class,
}
#: Encrypted by AWS in any case; an organisation may ask for a key of its own.
WITH_OWN_KEY: Final[Mapping[str, Mapping[str, Finder]]] = {
    "logs": {"aws:cloudwatch/logGroup:LogGroup": _key("kmsKeyId", "a log group")},
    "queues": {"aws:sqs/queue:Queue": _key("kmsMasterKeyId", "a queue")},
    "volumes": {
        "aws:ebs/volume:Volume": _key("kmsKeyId", "a volume"),
        "aws:efs/fileSystem:FileSystem": _key("kmsKeyId", "a file system"),
    },
    "secrets": {"aws:secretsmanager/secret:Secret": _key("kmsKeyId", "a secret")},
}


def encrypted(resource: Resource, scope: Scope) -> Iterator[str]:
    """Everything that could be left unencrypted is not, and what is configured has a key of the account's own."""
    finders = [ALWAYS.get(resource.type)]
    finders += [WITH_OWN_KEY[kind].get(resource.type) for kind in scope.config["ownKeyFor"]]
    for find in finders:
        for words in find(resource.inputs) if find else ():
            yield f"{resource.name} {words}"


RULES = (
    ResourceRule(
        name="encrypted-at-rest",
        description="Disks, volumes, queues, topics and secrets are encrypted; logs with a key of yours where asked.",
        check=encrypted,
        config={
            "ownKeyFor": {
                "type": "array",
                "description": "What needs a KMS key of the account's own, beyond the encryption that AWS always does.",
                "items": {"type": "string", "enum": sorted(WITH_OWN_KEY)},
                "default": [],
            }
        },
    ),
)
