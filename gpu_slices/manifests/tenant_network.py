"""The walls around a tenant's pods: nothing in or out but what is allowed here (enforced by EKS's VPC CNI add-on)."""

from __future__ import annotations

from typing import Any, Final

from ..naming import MANAGED_BY_LABELS
from ..settings.tenants import Egress
from ..tenant_plan import TenantPlan

_NAMESPACE_NAME: Final = "kubernetes.io/metadata.name"
#: CoreDNS as the EKS add-on labels it.
_DNS: Final = {
    "namespaceSelector": {"matchLabels": {_NAMESPACE_NAME: "kube-system"}},
    "podSelector": {"matchLabels": {"k8s-app": "kube-dns"}},
}
_OWN_PODS: Final[dict[str, Any]] = {"podSelector": {}}


def tenant_network_policies(tenant: TenantPlan) -> list[dict[str, Any]]:
    """Deny everything; then let through names, the tenant's own pods, and what its settings declare."""
    dns = [{"port": 53, "protocol": protocol} for protocol in ("UDP", "TCP")]
    inside = {"ingress": [{"from": [_OWN_PODS]}], "egress": [{"to": [_OWN_PODS]}]}
    policies = [
        _policy(tenant, "default-deny", {}),
        _policy(tenant, "allow-dns", {"egress": [{"to": [_DNS], "ports": dns}]}),
        _policy(tenant, "allow-same-namespace", inside),
    ]
    if tenant.egress:
        policies.append(_policy(tenant, "allow-egress", {"egress": [_egress(one) for one in tenant.egress]}))
    if tenant.ingress_from:
        peers = [{"namespaceSelector": {"matchLabels": {_NAMESPACE_NAME: name}}} for name in tenant.ingress_from]
        policies.append(_policy(tenant, "allow-ingress", {"ingress": [{"from": peers}]}))
    return policies


def _egress(allowed: Egress) -> dict[str, Any]:
    rule: dict[str, Any] = {"to": [{"ipBlock": {"cidr": allowed.cidr}}]}
    if allowed.ports:
        rule["ports"] = [{"port": port, "protocol": "TCP"} for port in allowed.ports]
    return rule


def _policy(tenant: TenantPlan, name: str, rules: dict[str, Any]) -> dict[str, Any]:
    """A policy for all pods of the namespace. One without rules closes both ways."""
    types = [kind for kind, key in (("Ingress", "ingress"), ("Egress", "egress")) if key in rules or not rules]
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": name, "namespace": tenant.name, "labels": dict(MANAGED_BY_LABELS)},
        "spec": {"podSelector": {}, "policyTypes": types, **rules},
    }
