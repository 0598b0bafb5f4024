"""The sample workloads: Deployments and Jobs whose pods take one slice each."""

from __future__ import annotations

from copy import deepcopy
from typing import Any, Final

from ..images import pinned
from ..naming import GPU_TOLERATION, MANAGED_BY_LABELS, POOL_LABEL
from ..plan import Plan
from ..pod_security import CONTAINER_SECURITY, pod_security
from ..quantities import cores
from ..workloads.plan import WorkloadPlan

WORKLOAD_LABEL: Final = "gpu-slices/workload"
#: A sample that finds no slice, or whose image does not come, must not hold up an `up`.
_UNAWAITED: Final = {"pulumi.com/skipAwait": "true"}
#: `sleep` as the first process ignores the signal to stop: no use in waiting the usual 30 s.
_GRACE_SECONDS: Final = 5


def workload_objects(plan: Plan) -> list[dict[str, Any]]:
    """The stack's sample workloads with their disruption budgets."""
    digests = plan.settings.security.digests
    return [pinned(manifest, digests) for workload in plan.workloads for manifest in _objects(workload)]


def _objects(workload: WorkloadPlan) -> list[dict[str, Any]]:
    if workload.sample.kind == "Job":
        return [_job(workload)]
    return [_deployment(workload), *([_budget(workload)] if workload.pods > 1 else [])]


def _deployment(workload: WorkloadPlan) -> dict[str, Any]:
    """No surge: a pod more than the tenant's quota or the pool's slices would never start."""
    spec = {
        "replicas": workload.pods,
        "selector": {"matchLabels": _selector(workload)},
        "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 0, "maxUnavailable": 1}},
        "template": _template(workload, "Always"),
    }
    return _object("apps/v1", "Deployment", workload, spec, _UNAWAITED)


def _job(workload: WorkloadPlan) -> dict[str, Any]:
    spec = {
        "completions": workload.pods,
        "parallelism": workload.pods,
        "backoffLimit": 2,
        "template": _template(workload, "Never"),
    }
    return _object("batch/v1", "Job", workload, spec, _UNAWAITED)


def _budget(workload: WorkloadPlan) -> dict[str, Any]:
    spec = {"maxUnavailable": 1, "selector": {"matchLabels": _selector(workload)}}
    return _object("policy/v1", "PodDisruptionBudget", workload, spec, {})


def _template(workload: WorkloadPlan, restart: str) -> dict[str, Any]:
    volumes = [{"name": f"writable-{index}", "mountPath": path} for index, path in enumerate(workload.sample.writable)]
    spec = {
        "nodeSelector": {POOL_LABEL: workload.pool},
        "tolerations": [dict(GPU_TOLERATION)],
        "automountServiceAccountToken": False,
        "restartPolicy": restart,
        "terminationGracePeriodSeconds": _GRACE_SECONDS,
        "securityContext": pod_security(workload.user),
        "containers": [_container(workload, volumes)],
    }
    if volumes:
        spec["volumes"] = [{"name": volume["name"], "emptyDir": {"sizeLimit": "1Gi"}} for volume in volumes]
    return {"metadata": {"labels": {**MANAGED_BY_LABELS, **_selector(workload)}}, "spec": spec}


def _container(workload: WorkloadPlan, volumes: list[dict[str, str]]) -> dict[str, Any]:
    sample = workload.sample
    container: dict[str, Any] = {
        "name": workload.name,
        "image": sample.image,
        "imagePullPolicy": "IfNotPresent",
        "resources": {
            "requests": {"cpu": cores(workload.millicpu), "memory": f"{workload.mebibytes}Mi"},
            "limits": {workload.resource: "1"},
        },
        "securityContext": deepcopy(dict(CONTAINER_SECURITY)),
    }
    optional = {
        "command": list(sample.command),
        "env": [{"name": name, "value": value} for name, value in sorted(sample.env.items())],
        "volumeMounts": volumes,
    }
    return {**container, **{key: value for key, value in optional.items() if value}}


def _selector(workload: WorkloadPlan) -> dict[str, str]:
    return {WORKLOAD_LABEL: workload.name}


def _object(
    api_version: str, kind: str, workload: WorkloadPlan, spec: dict[str, Any], annotations: dict[str, str]
) -> dict[str, Any]:
    metadata: dict[str, Any] = {
        "name": workload.name,
        "namespace": workload.tenant,
        "labels": {**MANAGED_BY_LABELS, **_selector(workload)},
    }
    if annotations:
        metadata["annotations"] = dict(annotations)
    return {"apiVersion": api_version, "kind": kind, "metadata": metadata, "spec": spec}
