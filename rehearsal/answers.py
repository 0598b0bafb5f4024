"""How the recording monitor answers a program: with the stand-ins' tables, and without state."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pulumi
from google.protobuf.empty_pb2 import Empty
from pulumi.runtime.mocks import MockMonitor
from pulumi.runtime.proto import provider_pb2, resource_pb2
from typing_extensions import override

from rehearsal.account import Item
from rehearsal.aws.invokes import INVOKES, Place
from rehearsal.aws.mint import invent, planned, with_name
from rehearsal.eks.building import Registered, build, opened
from rehearsal.eks.children import expand
from rehearsal.eks.expansion import Child
from rehearsal.kubernetes import helm, objects
from rehearsal.schemas import Problem, load
from rehearsal.stand_in import Refused, parsed
from rehearsal.values import SECRET, UNKNOWN, from_struct, is_special, plain, secret, to_struct

STACK = "pulumi:pulumi:Stack"
_PROVIDERS = "pulumi:providers:"


@dataclass(frozen=True, kw_only=True)
class Declared:
    """One registration. `inputs` are plain values; `secrets` are the top-level inputs that hold a secret.

    `provider` is `urn::id`, or "" for the default provider. `closed` says that the program registered its outputs.
    """

    urn: str
    type: str
    name: str
    parent: str
    provider: str
    dependencies: tuple[str, ...]
    custom: bool
    remote: bool
    protect: bool
    ignore_changes: tuple[str, ...]
    inputs: Mapping[str, Any]
    secrets: tuple[str, ...] = ()
    closed: bool = False


class Answer(pulumi.runtime.Mocks):
    """The mocks that the SDK insists on; Monitor answers everything itself."""

    @override
    def new_resource(self, args: pulumi.runtime.MockResourceArgs) -> tuple[str | None, dict[Any, Any]]:
        raise AssertionError("the monitor answers registrations itself")

    @override
    def call(self, args: pulumi.runtime.MockCallArgs) -> Any:
        raise AssertionError("the monitor answers calls itself")


class Monitor(MockMonitor):
    """Records declarations; registrations come from several threads at once."""

    def __init__(self, *, preview: bool, existing: Sequence[Item] = ()) -> None:
        """`existing` is what the account holds beforehand, for questions about it."""
        super().__init__(Answer())
        self._existing = tuple(existing)
        self._preview = preview
        self._lock = threading.Lock()
        self._declared: dict[str, Declared] = {}
        self._states: dict[str, tuple[str | None, Mapping[str, Any]]] = {}
        self._closed: set[str] = set()

    def recorded(self) -> tuple[Declared, ...]:
        """Everything declared, by URN: registrations race, so their order would say nothing."""
        return tuple(replace(self._declared[urn], closed=urn in self._closed) for urn in sorted(self._declared))

    @override
    def make_urn(self, parent: str, type_: str, name: str) -> str:
        """As the engine makes it: with the types of all parents but the stack (the SDK's mocks keep only the last)."""
        chain = parent.split("::")[2] if parent else STACK
        qualified = type_ if chain == STACK else f"{chain}${type_}"
        return "::".join((f"urn:pulumi:{pulumi.get_stack()}", pulumi.get_project(), qualified, name))

    @override
    def RegisterResource(self, request: Any) -> Any:
        if request.type == STACK:
            return resource_pb2.RegisterResourceResponse(urn=self.make_urn("", request.type, request.name))
        received = from_struct(request.object)
        secrets = tuple(sorted(name for name, value in received.items() if _holds_secret(value)))
        declared = Declared(
            urn=self.make_urn(request.parent, request.type, request.name),
            type=request.type,
            name=request.name,
            parent=request.parent,
            provider=request.provider,
            dependencies=tuple(request.dependencies),
            custom=request.custom,
            remote=request.remote,
            protect=request.protect,
            ignore_changes=tuple(request.ignoreChanges),
            inputs=plain(received),
            secrets=secrets,
        )
        state = self._expand(declared, request) if request.remote else self._answer(declared)
        shown = {name: secret(value) if name in secrets else value for name, value in state.items()}
        id_ = self._states[declared.urn][0] or ""
        return resource_pb2.RegisterResourceResponse(urn=declared.urn, id=id_, object=to_struct(shown))

    @override
    def RegisterResourceOutputs(self, request: Any) -> Empty:
        with self._lock:
            self._closed.add(request.urn)
        return Empty()

    @override
    def Invoke(self, request: Any) -> Any:
        arguments = plain(from_struct(request.args))
        if request.tok == "pulumi:pulumi:getResource":
            id_, state = self._states[arguments["urn"]]
            result: Mapping[str, Any] = {"urn": arguments["urn"], "id": id_ or "", "state": dict(state)}
        elif request.tok in INVOKES:
            place = Place(self._region(request.provider), self._existing_of)
            try:
                result = INVOKES[request.tok](arguments, place)
            except Refused as refused:
                return resource_pb2.ResourceInvokeResponse(failures=[provider_pb2.CheckFailure(reason=str(refused))])
        else:
            raise Refused(f"the recording monitor answers no {request.tok}; it answers {', '.join(sorted(INVOKES))}")
        response = resource_pb2.ResourceInvokeResponse()
        getattr(response, "return").CopyFrom(to_struct(result))  # a keyword in Python, not in protobuf
        return response

    def _answer(self, declared: Declared) -> Mapping[str, Any]:
        """Records one resource; the answer is its state."""
        id_, state = self._invent(declared) if declared.custom else (None, {})
        self._record(declared, id_, state)
        return state

    def _record(self, declared: Declared, id_: str | None, state: Mapping[str, Any]) -> None:
        with self._lock:
            if declared.urn in self._declared:
                raise Refused(f"Duplicate resource URN {declared.urn}; try giving it a unique name")
            self._declared[declared.urn] = declared
            self._states[declared.urn] = (id_, state)

    def _invent(self, declared: Declared) -> tuple[str, Mapping[str, Any]]:
        token, urn, inputs = declared.type, declared.urn, declared.inputs
        if token.startswith(_PROVIDERS):
            return UNKNOWN if self._preview else f"id-of-{declared.name}", inputs
        package = token.split(":")[0]
        if package == "aws":
            _refuse(declared, load("aws").problems(token, inputs))
            named = with_name(token, urn, inputs)
            if self._preview:
                return "", planned(token, named)
            provider = self._provider(declared.provider)
            tags = (provider.get("defaultTags") or {}).get("tags")
            return invent(token, urn, named, region=self._region(declared.provider), tags=tags)
        if package == "kubernetes":
            return self._invent_object(declared)
        raise Refused(f"the stand-ins know no package {package} ({token} {declared.name})")

    def _invent_object(self, declared: Declared) -> tuple[str, Mapping[str, Any]]:
        token, urn, inputs = declared.type, declared.urn, declared.inputs
        if token == helm.TOKEN:
            _refuse(declared, helm.problems(inputs))
            release = helm.completed(urn, inputs)
            if self._preview:
                return "", {**release, "status": UNKNOWN, "resourceNames": UNKNOWN}
            return objects.identifier(helm.manifest(release)), helm.state(release)
        _refuse(declared, objects.problems(token, inputs))
        manifest = objects.completed(token, urn, inputs)
        if self._preview:
            return "", {"status": UNKNOWN, **manifest}
        return objects.identifier(manifest), objects.state(manifest, urn)

    def _expand(self, declared: Declared, request: Any) -> Mapping[str, Any]:
        """Records a remote component and its children, as its provider would register them."""
        inputs = opened(declared.inputs, lambda urn: self._states[urn][1])
        expansion = expand(declared.type, declared.name, inputs)
        self._record(declared, None, {})
        uses = {name: tuple(found.urns) for name, found in request.propertyDependencies.items()}
        providers = dict(request.providers)

        def register(child: Child, given: Mapping[str, Any], parent: str, after: tuple[str, ...]) -> Registered:
            own = child.custom and not child.type.startswith(_PROVIDERS)
            made = Declared(
                urn=self.make_urn(parent or declared.urn, child.type, child.name),
                type=child.type,
                name=child.name,
                parent=parent or declared.urn,
                provider=providers.get(child.type.split(":")[0], "") if own else "",
                dependencies=after,
                custom=child.custom,
                remote=False,
                protect=declared.protect,
                ignore_changes=child.ignore_changes,
                inputs=given,
                closed=not child.custom,
            )
            state = self._answer(made)
            if not child.custom:
                self._closed.add(made.urn)
            return Registered(urn=made.urn, id=self._states[made.urn][0], state=state)

        state = build(expansion, uses, register)
        with self._lock:
            self._states[declared.urn] = (None, state)
            self._closed.add(declared.urn)
        return state

    def _existing_of(self, type_: str) -> tuple[Item, ...]:
        return tuple(item for item in self._existing if item.type == type_)

    def _provider(self, reference: str) -> Mapping[str, Any]:
        """The configuration of the provider that a resource names."""
        declared = self._declared.get(reference.rpartition("::")[0])
        return parsed(declared.inputs) if declared else {}

    def _region(self, provider: str) -> str:
        region = self._provider(provider).get("region") or pulumi.Config("aws").get("region")
        if not region:
            raise Refused("missing region: set aws:region in the stack file")
        return region


def _refuse(declared: Declared, problems: tuple[Problem, ...]) -> None:
    if problems:
        words = "; ".join(problem.words for problem in problems)
        raise Refused(f"{declared.name} ({declared.type}): {words}")


def _holds_secret(value: Any) -> bool:
    if isinstance(value, dict):
        return is_special(value, SECRET) or any(_holds_secret(inner) for inner in value.values())
    return isinstance(value, list) and any(_holds_secret(inner) for inner in value)
