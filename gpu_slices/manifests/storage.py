"""The storage class of a stack with the EBS driver: EKS brings none that encrypts, and none that is the default."""

from __future__ import annotations

from typing import Any

from ..naming import MANAGED_BY_LABELS, STORAGE_CLASS
from ..plan import Plan


def storage_objects(plan: Plan) -> list[dict[str, Any]]:
    """Encrypted gp3 as the default, made where the pod is; with a customer's key under that key."""
    if "aws-ebs-csi-driver" not in plan.settings.cluster.optional_addons:
        return []
    parameters = {"type": "gp3", "encrypted": "true"}
    if plan.settings.security.disk_kms_key_arn:
        parameters["kmsKeyId"] = plan.settings.security.disk_kms_key_arn
    return [
        {
            "apiVersion": "storage.k8s.io/v1",
            "kind": "StorageClass",
            "metadata": {
                "name": STORAGE_CLASS,
                "labels": dict(MANAGED_BY_LABELS),
                "annotations": {"storageclass.kubernetes.io/is-default-class": "true"},
            },
            "provisioner": "ebs.csi.aws.com",
            "parameters": parameters,
            "reclaimPolicy": "Delete",
            "volumeBindingMode": "WaitForFirstConsumer",
            "allowVolumeExpansion": True,
        }
    ]
