"""What the stand-in must know of a kind beyond its schema.

Immutable paths: the fields that the API server refuses to change and pulumi-kubernetes therefore replaces.
"""

from __future__ import annotations

from dataclasses import dataclass

CLUSTER_WIDE = frozenset(
    {
        "Namespace", "ClusterRole", "ClusterRoleBinding", "PriorityClass", "RuntimeClass", "StorageClass",
        "ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding", "CustomResourceDefinition",
    }
)  # fmt: skip

#: Kind -> paths whose change replaces; metadata.name and metadata.namespace do so for every kind.
IMMUTABLE: dict[str, frozenset[str]] = {
    "ConfigMap": frozenset({"data", "binaryData"}),
    "Secret": frozenset({"data", "stringData", "type"}),
    "Deployment": frozenset({"spec.selector"}),
    "DaemonSet": frozenset({"spec.selector"}),
    "StatefulSet": frozenset(
        {"spec.selector", "spec.serviceName", "spec.podManagementPolicy", "spec.volumeClaimTemplates"}
    ),
    "Job": frozenset({"spec.completions", "spec.selector", "spec.template"}),
    "Pod": frozenset({"spec"}),
    "PersistentVolumeClaim": frozenset({"spec.accessModes", "spec.storageClassName", "spec.selector"}),
    "RoleBinding": frozenset({"roleRef"}),
    "ClusterRoleBinding": frozenset({"roleRef"}),
    "StorageClass": frozenset({"parameters", "provisioner", "reclaimPolicy", "volumeBindingMode"}),
    "PriorityClass": frozenset({"value", "preemptionPolicy"}),
    "RuntimeClass": frozenset({"handler"}),
}

#: Paths that the API server requires although the SDK does not.
REQUIRED: dict[str, tuple[str, ...]] = {
    "Deployment": ("spec.selector", "spec.template.spec.containers"),
    "DaemonSet": ("spec.selector", "spec.template.spec.containers"),
    "StatefulSet": ("spec.selector", "spec.serviceName", "spec.template.spec.containers"),
    "Job": ("spec.template.spec.containers", "spec.template.spec.restartPolicy"),
    "CronJob": ("spec.schedule", "spec.jobTemplate.spec.template.spec.containers"),
    "Pod": ("spec.containers",),
    "NetworkPolicy": ("spec",),
    "ResourceQuota": ("spec",),
    "PodDisruptionBudget": ("spec.selector",),
}


@dataclass(frozen=True, kw_only=True)
class CustomKind:
    """A kind that exists only once its CRD does."""

    namespaced: bool
    required: tuple[str, ...] = ()


#: group -> kind -> what it needs (from the CRDs of Karpenter 1.14, kube-prometheus-stack and the GPU operator).
CUSTOM: dict[str, dict[str, CustomKind]] = {
    "karpenter.sh": {
        "NodePool": CustomKind(
            namespaced=False,
            required=(
                "spec.template.spec.requirements",
                "spec.template.spec.nodeClassRef.group",
                "spec.template.spec.nodeClassRef.kind",
                "spec.template.spec.nodeClassRef.name",
            ),
        ),
        "NodeOverlay": CustomKind(namespaced=False, required=("spec.requirements",)),
    },
    "karpenter.k8s.aws": {
        "EC2NodeClass": CustomKind(
            namespaced=False,
            required=("spec.amiSelectorTerms", "spec.subnetSelectorTerms", "spec.securityGroupSelectorTerms"),
        ),
    },
    "karpenter.kwok.sh": {"KWOKNodeClass": CustomKind(namespaced=False)},
    "monitoring.coreos.com": {
        "PodMonitor": CustomKind(namespaced=True, required=("spec.selector", "spec.podMetricsEndpoints")),
        "PrometheusRule": CustomKind(namespaced=True, required=("spec",)),
        "ServiceMonitor": CustomKind(namespaced=True, required=("spec.selector", "spec.endpoints")),
    },
    "nvidia.com": {"ClusterPolicy": CustomKind(namespaced=False, required=("spec",))},
}

#: Chart -> the groups whose CRDs it brings.
CHART_GROUPS: dict[str, tuple[str, ...]] = {
    "karpenter-crd": ("karpenter.sh", "karpenter.k8s.aws"),
    "karpenter": ("karpenter.sh", "karpenter.k8s.aws"),
    "kube-prometheus-stack": ("monitoring.coreos.com",),
    "prometheus-operator-crds": ("monitoring.coreos.com",),
    "gpu-operator": ("nvidia.com",),
}
