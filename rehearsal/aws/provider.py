"""The aws stand-in: strict checks, AWS's refusals, state in the rehearsal's account."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from typing_extensions import override

from rehearsal.account import Account, Item, Link
from rehearsal.aws.cluster import CLUSTER
from rehearsal.aws.compute import TEMPLATE
from rehearsal.aws.invokes import INVOKES, Place
from rehearsal.aws.machines import NODES, Machines
from rehearsal.aws.mint import DEFAULTS, invent, planned, with_name
from rehearsal.aws.network import GROUP
from rehearsal.aws.table import AwsType
from rehearsal.aws.types import TYPES
from rehearsal.schemas import Problem, load
from rehearsal.stand_in import Diff, Refused, StandIn, parsed
from rehearsal.values import UNKNOWN, Difference, differences, has_unknown

PROVIDER = "pulumi:providers:aws"


class Aws(StandIn):
    """Answers for aws; `version` is the SDK's, which the engine asks for."""

    package = "aws"

    def __init__(self, account: Account, version: str = "", machines: Machines | None = None) -> None:
        """`machines` are told of node groups where a real API server takes part."""
        self.version = version
        self._account = account
        self._machines = machines
        self._schema = load("aws")
        self._region = ""
        self._tags: Mapping[str, str] = {}

    @override
    def check_config(self, config: Mapping[str, Any]) -> tuple[Problem, ...]:
        problems = self._schema.problems(PROVIDER, parsed(config))
        if config.get("region"):
            return problems
        return (*problems, Problem("region", "missing region: set aws:region in the stack file"))

    @override
    def configure(self, config: Mapping[str, Any]) -> None:
        config = parsed(config)
        self._region = config.get("region") or ""
        self._tags = (config.get("defaultTags") or {}).get("tags") or {}

    @override
    def check(
        self, token: str, urn: str, old: Mapping[str, Any], new: Mapping[str, Any]
    ) -> tuple[Mapping[str, Any], tuple[Problem, ...]]:
        problems = self._schema.problems(token, new)
        inputs = with_name(token, urn, new, old, lambda name: self._is_taken(token, urn, name))
        kind = TYPES[token]
        name = inputs.get(kind.named) if kind.named else None
        if isinstance(name, str) and name != UNKNOWN and len(name) > kind.longest:
            words = f"{kind.named} {name} is {len(name)} characters long, {kind.longest} are allowed"
            problems = (*problems, Problem(kind.named, words))
        return inputs, problems

    @override
    def diff(
        self, token: str, urn: str, old: Mapping[str, Any], new: Mapping[str, Any], state: Mapping[str, Any]
    ) -> Diff:
        kind = TYPES[token]
        changes = tuple(differences(_shown(old), _shown(new)))
        tags_all = self._tags_all(token, new)
        stale = tags_all is not None and not has_unknown(tags_all) and tags_all != state.get("tagsAll", {})
        if stale:
            changes = (*changes, Difference("tagsAll", "update"))
        fixed = (
            bool(kind.named) and kind.named not in new.get(DEFAULTS, ()) and old.get(kind.named) == new.get(kind.named)
        )
        outputs = frozenset({"tagsAll"}) if stale else frozenset[str]()
        return Diff(changes=changes, replaces=kind.immutable, delete_first=fixed, of_outputs=outputs)

    @override
    def create(self, token: str, urn: str, inputs: Mapping[str, Any], preview: bool) -> tuple[str, Mapping[str, Any]]:
        if preview:
            return "", planned(token, inputs)
        with self._account.changing():
            self._refuse(token, urn, "", inputs)
            times = self._account.mint(urn)
            id_, state = invent(token, urn, inputs, region=self._region, tags=self._tags, times=times)
            self._put(token, urn, id_, state)
            if token == CLUSTER:
                self._put_cluster_group(urn, state)
            if token == NODES and self._machines:
                self._machines.bring(self._launched_as(state))
        return id_, state

    @override
    def read(self, token: str, urn: str, id_: str, state: Mapping[str, Any]) -> Mapping[str, Any] | None:
        item = self._account.get(token, id_)
        return None if item is None else item.data

    @override
    def inputs_of(self, token: str, state: Mapping[str, Any]) -> Mapping[str, Any]:
        known = self._schema.shape(token).inputs
        given = {name: value for name, value in state.items() if name in known}
        return given if given.get("region") != self._region else {n: v for n, v in given.items() if n != "region"}

    @override
    def update(
        self, token: str, urn: str, id_: str, inputs: Mapping[str, Any], state: Mapping[str, Any], preview: bool
    ) -> Mapping[str, Any]:
        given = {name: value for name, value in inputs.items() if name != DEFAULTS and value is not None}
        outputs = {name: value for name, value in state.items() if name in self._outputs(token)}
        merged = {**outputs, **given} | (
            {"tagsAll": tags} if (tags := self._tags_all(token, inputs)) is not None else {}
        )
        for name, output in TYPES[token].outputs.items():
            if isinstance(given.get(name), Mapping) and isinstance(state.get(name), Mapping) and callable(output):
                merged[name] = {**state[name], **given[name]}  # computed parts of an input, as vpcConfig has
        if token == TEMPLATE:
            merged["latestVersion"] = UNKNOWN if preview else state["latestVersion"] + 1
        if preview:
            return merged
        with self._account.changing():
            if self._account.get(token, id_) is None:
                raise Refused(f"NotFound: {id_} does not exist any more")
            self._refuse(token, urn, id_, inputs)
            self._put(token, urn, id_, merged)
            if token == NODES and self._machines:
                self._machines.bring(self._launched_as(merged))
        return merged

    @override
    def delete(self, token: str, urn: str, id_: str, state: Mapping[str, Any]) -> None:
        with self._account.changing():
            self._remove(token, id_)
            if token == NODES and self._machines:
                self._machines.remove(state)
            if token == CLUSTER:  # what was in it is gone with it
                self._remove(GROUP, state["vpcConfig"]["clusterSecurityGroupId"])
                self._account.remove_inside(f"{state['endpoint']}|")

    @override
    def invoke(self, token: str, arguments: Mapping[str, Any]) -> Mapping[str, Any]:
        if token not in INVOKES:
            raise Refused(f"the aws stand-in answers no {token}; it answers {', '.join(sorted(INVOKES))}")
        return INVOKES[token](arguments, Place(self._region, self._account.all))

    def _remove(self, token: str, id_: str) -> None:
        blocking = [item for item in self._account.blocking(token, id_) if (item.type, item.id) != (token, id_)]
        if blocking:
            users = ", ".join(sorted(f"{_short(item.type)} {item.id}" for item in blocking))
            raise Refused(f"{TYPES[token].in_use}: {_short(token)} {id_} is in use by {users}")
        self._account.remove(token, id_)

    def _put_cluster_group(self, urn: str, cluster: Mapping[str, Any]) -> None:
        """The security group that EKS makes for a cluster, and takes away with it."""
        group = {"name": f"eks-cluster-sg-{cluster['name']}", "description": "EKS created security group"}
        self._account.put(Item(type=GROUP, id=cluster["vpcConfig"]["clusterSecurityGroupId"], urn=urn, data=group))

    def _launched_as(self, group: Mapping[str, Any]) -> Mapping[str, Any]:
        """A node group with its instance types, which its launch template may say instead."""
        if group.get("instanceTypes"):
            return group
        template = self._account.find(TEMPLATE, (group.get("launchTemplate") or {}).get("id", ""))
        return {**group, "instanceTypes": [template.data["instanceType"]]} if template else group

    def _refuse(self, token: str, urn: str, id_: str, inputs: Mapping[str, Any]) -> None:
        """Raises what AWS would answer to these inputs."""
        kind = TYPES[token]
        for path, value in _referring(kind, inputs):
            self._refuse_reference(kind, path, value)
        if kind.unique:
            self._refuse_twin(token, id_, inputs)
        view = _View(self._account, token, id_)
        for rule in kind.rules:
            if words := rule(inputs, view):
                raise Refused(words)

    def _refuse_reference(self, kind: AwsType, path: str, value: str) -> None:
        to = kind.refers[path]
        if to.by == "" and value.startswith("arn:"):
            raise Refused(f"InvalidParameterValue: {path} takes a name, not the ARN {value}")
        if to.by not in ("", "*") and not value.startswith(to.by):
            raise Refused(f"InvalidParameterValue: {path} must start with {to.by}, not be {value}")
        if value.startswith("arn:aws:iam::aws:"):
            return  # AWS's own
        if self._account.find(to.type, value) is None:
            raise Refused(f"NotFound: {path} names {_short(to.type)} {value}, which does not exist in this account")

    def _refuse_twin(self, token: str, id_: str, inputs: Mapping[str, Any]) -> None:
        kind = TYPES[token]
        own = [inputs.get(name) for name in kind.unique]
        for other in self._account.all(token):
            if other.id != id_ and [other.data.get(name) for name in kind.unique] == own:
                words = " ".join(str(value) for value in own if value is not None)
                raise Refused(f"{kind.taken}: {_short(token)} {words} already exists")

    def _put(self, token: str, urn: str, id_: str, state: Mapping[str, Any]) -> None:
        kind = TYPES[token]
        names = (*kind.handles, "arn") if kind.arn else kind.handles
        handles = [state[name] for name in names if isinstance(state.get(name), str)]
        links = [
            Link(type=kind.refers[path].type, handle=value, blocks=kind.refers[path].blocks)
            for path, value in _referring(kind, state)
        ]
        self._account.put(Item(type=token, id=id_, urn=urn, data=state), handles, links)

    def _is_taken(self, token: str, urn: str, name: str) -> bool:
        kind = TYPES[token]
        return any(item.data.get(kind.named) == name for item in self._account.all(token))

    def _outputs(self, token: str) -> frozenset[str]:
        shape = self._schema.shape(token)
        return frozenset({*shape.outputs, *TYPES[token].outputs, "arn", "region"})

    def _tags_all(self, token: str, inputs: Mapping[str, Any]) -> dict[str, Any] | None:
        if "tagsAll" not in self._schema.shape(token).outputs:
            return None
        return {**self._tags, **(inputs.get("tags") or {})}


class _View:
    """What the rules see: everything but the resource itself."""

    def __init__(self, account: Account, token: str, id_: str) -> None:
        self._account, self._token, self._id = account, token, id_

    def find(self, type_: str, handle: str) -> Mapping[str, Any] | None:
        item = self._account.find(type_, handle)
        return None if item is None else {**item.data, "id": item.id}

    def others(self, type_: str) -> tuple[Mapping[str, Any], ...]:
        items = self._account.all(type_)
        return tuple(item.data for item in items if (item.type, item.id) != (self._token, self._id))


def _referring(kind: AwsType, inputs: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Every (property path, handle) by which these inputs refer to something else."""
    for path in kind.refers:
        value: Any = inputs
        for name in path.split("."):
            value = value.get(name) if isinstance(value, Mapping) else None
        for handle in value if isinstance(value, list) else [value]:
            if isinstance(handle, str) and handle:
                yield path, handle


def _shown(inputs: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in inputs.items() if not name.startswith("__")}


def _short(token: str) -> str:
    return token.rsplit(":", 1)[-1]
