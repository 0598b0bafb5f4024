"""What admission policies ask about a pod, as CEL variables (Kubernetes: ValidatingAdmissionPolicy `spec.variables`).

`variables.pod` is the spec of a pod, or of the pods that a Deployment or Job would make, so that one rule serves both.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Final

from ..naming import GPU_TAINT_EFFECT, GPU_TAINT_KEY, GPU_TAINT_VALUE, POOL_LABEL

_POD: Final = (
    "request.kind.kind == 'Pod' ? object.spec : request.kind.kind == 'CronJob' "
    "? object.spec.jobTemplate.spec.template.spec : object.spec.template.spec"
)
#: Init containers may take a slice before the others do; ephemeral ones join a pod that runs.
_CONTAINERS: Final = (
    "variables.pod.containers + variables.pod.?initContainers.orValue([]) "
    "+ variables.pod.?ephemeralContainers.orValue([])"
)
#: `key: ""` with Exists tolerates every taint, `effect: ""` every effect; an absent operator is Equal.
_TOLERATES: Final = (
    "variables.pod.?tolerations.orValue([]).exists(t, t.?effect.orValue('') in ['', '{effect}'] && ("
    "(t.?operator.orValue('Equal') == 'Exists' && t.?key.orValue('') in ['', '{key}']) || "
    "(t.?operator.orValue('Equal') == 'Equal' && t.?key.orValue('') == '{key}' && t.?value.orValue('') == '{value}')))"
)
_TERMS: Final = (
    "variables.pod.?affinity.?nodeAffinity.?requiredDuringSchedulingIgnoredDuringExecution"
    ".?nodeSelectorTerms.orValue([])"
)
_SELECTS: Final = (
    "'{label}' in variables.selector || variables.terms.exists(t, t.?matchExpressions.orValue([])"
    ".exists(e, e.key == '{label}' && e.operator in ['In', 'Exists']))"
)


def pod_variables(resources: Sequence[str]) -> list[dict[str, str]]:
    """Variables of every policy, in the order in which each may use those before it. `resources` count as GPUs."""
    taint = {"effect": GPU_TAINT_EFFECT, "key": GPU_TAINT_KEY, "value": GPU_TAINT_VALUE}
    expressions = {
        "pod": _POD,
        "containers": _CONTAINERS,
        "asksForGpu": counts(resources, least=1),
        "selector": "variables.pod.?nodeSelector.orValue({})",
        "terms": _TERMS,
        "tolerates": _filled(_TOLERATES, taint),
        "selectsPool": _filled(_SELECTS, {"label": POOL_LABEL}),
        # A pod made with the name of its node is bound without the scheduler, which would have looked at taints.
        "namesNode": "request.operation == 'CREATE' && has(variables.pod.nodeName)",
        "reachesGpuNode": "variables.tolerates || variables.selectsPool || variables.namesNode",
    }
    return [{"name": name, "expression": text} for name, text in expressions.items()]


def counts(resources: Sequence[str], *, least: int) -> str:
    """CEL: whether a container asks for `least` of one of the resources. Of such resources limits are requests."""
    return (
        "variables.containers.exists(c, c.?resources.?limits.orValue({})"
        f".exists(r, r in {cel_list(resources)} && "
        f"quantity(string(c.resources.limits[r])).compareTo(quantity('{least}')) >= 0))"
    )


def gpu_containers_run_as(user: int, resources: Sequence[str]) -> str:
    """CEL: whether every container that asks for one of the resources has this user id, of its own or of the pod's."""
    own = "c.?securityContext.?runAsUser.orValue(variables.pod.?securityContext.?runAsUser.orValue(-1))"
    asks = f"c.?resources.?limits.orValue({{}}).exists(r, r in {cel_list(resources)})"
    return f"variables.containers.all(c, !{asks} || {own} == {user})"


def selects_any(pools: Sequence[str]) -> str:
    """CEL: whether the pod may land in one of the pools because it selects it."""
    among = cel_list(pools)
    return (
        f"(('{POOL_LABEL}' in variables.selector && variables.selector['{POOL_LABEL}'] in {among}) || "
        f"variables.terms.exists(t, t.?matchExpressions.orValue([]).exists(e, e.key == '{POOL_LABEL}' && "
        f"e.operator == 'In' && e.values.exists(v, v in {among}))))"
    )


def selects_only(pools: Sequence[str]) -> str:
    """CEL: whether the pod can land in no pool but these. Selector terms are alternatives: each must say so."""
    among = cel_list(pools)
    return (
        f"(('{POOL_LABEL}' in variables.selector && variables.selector['{POOL_LABEL}'] in {among}) || "
        "(size(variables.terms) > 0 && variables.terms.all(t, t.?matchExpressions.orValue([])"
        f".exists(e, e.key == '{POOL_LABEL}' && e.operator == 'In' && e.values.all(v, v in {among})))))"
    )


def cel_list(words: Sequence[str]) -> str:
    """A CEL list of texts."""
    return json.dumps(list(words)).replace('"', "'")


def _filled(text: str, words: dict[str, str]) -> str:
    for name, word in words.items():
        text = text.replace(f"{{{name}}}", word)
    return text
