"""What is in an API server: everything that somebody put there, so that a destroy can be held to it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from rehearsal.cluster.errors import ApiError
from rehearsal.cluster.http_api import Api
from rehearsal.kubernetes.discovery import Discovery, Resource

#: Kinds that the API server and its controllers make and remove by themselves.
_OWN_KINDS: Final = frozenset(
    {
        "APIService", "ComponentStatus", "CSINode", "Endpoints", "EndpointSlice", "Event", "FlowSchema", "IPAddress",
        "Lease", "PriorityLevelConfiguration", "ServiceCIDR",
    }
)  # fmt: skip
#: Controllers' own accounts and maps, made when they first act.
_OWN_OBJECTS: Final = (
    ("ServiceAccount", "kube-system"), ("ServiceAccount", "default"), ("ServiceAccount", "kube-public"),
    ("ServiceAccount", "kube-node-lease"), ("ConfigMap", "kube-public"),
)  # fmt: skip
_ROOT_CERTIFICATE: Final = "kube-root-ca.crt"


def contents(api: Api) -> frozenset[str]:
    """`Kind name` or `Kind namespace/name` of every object."""
    discovery = Discovery(api)
    resources = [one for version in discovery.versions() for one in discovery.served(version) if _counts(one)]
    resources += [one for one in discovery.served("karpenter.sh/v1alpha1") if _counts(one)]
    return frozenset(name for resource in resources for name in _names(api, resource))


def _counts(resource: Resource) -> bool:
    return resource.listable and resource.kind not in _OWN_KINDS


def _names(api: Api, resource: Resource) -> Iterator[str]:
    try:
        items = api.get(resource.collection())["items"]
    except ApiError:  # its CRD went meanwhile
        return
    for item in items:
        namespace, name = item["metadata"].get("namespace", ""), item["metadata"]["name"]
        if (resource.kind, namespace) in _OWN_OBJECTS or name == _ROOT_CERTIFICATE:
            continue
        yield f"{resource.kind} {namespace}/{name}" if namespace else f"{resource.kind} {name}"
