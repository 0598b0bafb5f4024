"""Which resource types the stand-ins know, and the SDK class each is read from."""

from __future__ import annotations


def _aws(module: str, *names: str) -> dict[str, str]:
    return {f"aws:{module}/{n[0].lower()}{n[1:]}:{n}": f"pulumi_aws.{module}.{n}" for n in names}


def _kubernetes(group: str, version: str, *kinds: str) -> dict[str, str]:
    module, api = group.split(".")[0], "" if group == "core" else f"{group}/"
    return {
        f"kubernetes:{api or 'core/'}{version}:{kind}": f"pulumi_kubernetes.{module}.{version}.{kind}" for kind in kinds
    }


TYPES: dict[str, dict[str, str]] = {
    "aws": {
        "pulumi:providers:aws": "pulumi_aws.Provider",
        **_aws("ec2", "Vpc", "Subnet", "InternetGateway", "Eip", "NatGateway", "RouteTable", "Route"),
        **_aws("ec2", "RouteTableAssociation", "SecurityGroup", "DefaultSecurityGroup", "LaunchTemplate", "FlowLog"),
        **_aws("ec2", "VpcEndpoint", "CapacityReservation"),
        "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule": "pulumi_aws.vpc.SecurityGroupIngressRule",
        "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule": "pulumi_aws.vpc.SecurityGroupEgressRule",
        **_aws("kms", "Key", "Alias", "Grant"),
        **_aws("cloudwatch", "LogGroup", "LogResourcePolicy", "EventRule", "EventTarget"),
        **_aws("iam", "Role", "Policy", "RolePolicy", "RolePolicyAttachment", "InstanceProfile", "ServiceLinkedRole"),
        **_aws("eks", "Cluster", "NodeGroup", "Addon", "AccessEntry", "AccessPolicyAssociation"),
        **_aws("eks", "PodIdentityAssociation"),
        **_aws("sqs", "Queue", "QueuePolicy"),
        **_aws("budgets", "Budget"),
        **_aws("costexplorer", "CostAllocationTag"),
        **_aws("guardduty", "Detector", "DetectorFeature"),
        **_aws("securityhub", "Account"),
        **_aws("s3", "Bucket", "BucketLifecycleConfiguration", "BucketOwnershipControls", "BucketPolicy"),
        **_aws("s3", "BucketPublicAccessBlock", "BucketServerSideEncryptionConfiguration", "BucketVersioning"),
        **_aws("iam", "OpenIdConnectProvider"),
    },
    "eks": {
        "eks:index:Cluster": "pulumi_eks.Cluster",
        "eks:index:ManagedNodeGroup": "pulumi_eks.ManagedNodeGroup",
    },
    "kubernetes": {
        "pulumi:providers:kubernetes": "pulumi_kubernetes.Provider",
        **_kubernetes("core", "v1", "Namespace", "ConfigMap", "Secret", "ServiceAccount", "Service", "Pod"),
        **_kubernetes("core", "v1", "ResourceQuota", "LimitRange", "PersistentVolumeClaim"),
        **_kubernetes("apps", "v1", "Deployment", "DaemonSet", "StatefulSet"),
        **_kubernetes("batch", "v1", "Job", "CronJob"),
        **_kubernetes("rbac.authorization.k8s.io", "v1", "Role", "RoleBinding", "ClusterRole", "ClusterRoleBinding"),
        **_kubernetes("networking.k8s.io", "v1", "NetworkPolicy", "Ingress"),
        **_kubernetes("policy", "v1", "PodDisruptionBudget"),
        **_kubernetes("scheduling.k8s.io", "v1", "PriorityClass"),
        **_kubernetes("node.k8s.io", "v1", "RuntimeClass"),
        **_kubernetes("storage.k8s.io", "v1", "StorageClass"),
        **_kubernetes("autoscaling", "v2", "HorizontalPodAutoscaler"),
        **_kubernetes("admissionregistration.k8s.io", "v1", "ValidatingAdmissionPolicy"),
        **_kubernetes("admissionregistration.k8s.io", "v1", "ValidatingAdmissionPolicyBinding"),
        **_kubernetes("apiextensions.k8s.io", "v1", "CustomResourceDefinition"),
        "kubernetes:helm.sh/v3:Release": "pulumi_kubernetes.helm.v3.Release",
    },
}
