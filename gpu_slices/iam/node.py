"""The role of EC2 nodes."""

from __future__ import annotations

from typing import Any, Final

#: AWS managed policies of a node: join, pod networking, pull images, Session Manager instead of SSH.
NODE_POLICIES: Final = {
    "cni": "AmazonEKS_CNI_Policy",
    "ecr": "AmazonEC2ContainerRegistryPullOnly",
    "ssm": "AmazonSSMManagedInstanceCore",
    "worker": "AmazonEKSWorkerNodePolicy",
}


def service_trust(service: str, *actions: str) -> dict[str, Any]:
    """Who may take the role: an AWS service such as ec2.amazonaws.com. `actions` defaults to sts:AssumeRole."""
    return {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Principal": {"Service": service}, "Action": sorted(actions) or ["sts:AssumeRole"]}
        ],
    }


def managed_policy_arn(partition: str, name: str) -> str:
    """ARN of an AWS managed policy; `partition` is aws, aws-cn or aws-us-gov."""
    return f"arn:{partition}:iam::aws:policy/{name}"
