"""The eks stand-in: answers the engine's Construct by registering the children that the real component would."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import grpc
from pulumi.runtime.proto import provider_pb2, resource_pb2, resource_pb2_grpc
from typing_extensions import override

from rehearsal.eks.building import Registered, build, opened
from rehearsal.eks.children import expand
from rehearsal.eks.expansion import Child
from rehearsal.stand_in import Refused, StandIn
from rehearsal.values import UNKNOWN, from_struct, plain, to_struct

_STATE = "pulumi:pulumi:getResource"


class Eks(StandIn):
    """Answers for eks: only components."""

    package = "eks"
    accepts_references = True

    def __init__(self, versions: Mapping[str, str], version: str = "") -> None:
        """`versions` are the plugin versions of the aws and kubernetes packages."""
        self.version = version
        self._versions = versions

    @override
    def configure(self, config: Mapping[str, Any]) -> None:
        pass

    @override
    def construct(self, request: provider_pb2.ConstructRequest) -> provider_pb2.ConstructResponse:
        with grpc.insecure_channel(request.monitorEndpoint) as channel:
            return _Construction(request, resource_pb2_grpc.ResourceMonitorStub(channel), self._versions).run()


class _Construction:
    """One component being made."""

    def __init__(
        self,
        request: provider_pb2.ConstructRequest,
        monitor: resource_pb2_grpc.ResourceMonitorStub,
        versions: Mapping[str, str],
    ) -> None:
        self._request = request
        self._monitor = monitor
        self._versions = versions
        self._urn = ""

    def run(self) -> provider_pb2.ConstructResponse:
        request = self._request
        inputs = plain(from_struct(request.inputs))
        expansion = expand(request.type, request.name, opened(inputs, self._state))
        self._urn = self._register_component()
        uses = {name: tuple(found.urns) for name, found in request.inputDependencies.items()}
        outputs = build(expansion, uses, self._register)
        self._close(self._urn, outputs)
        return provider_pb2.ConstructResponse(urn=self._urn, state=to_struct(outputs))

    def _register_component(self) -> str:
        request = self._request
        answer = self._call(
            resource_pb2.RegisterResourceRequest(
                type=request.type,
                name=request.name,
                parent=request.parent,
                dependencies=request.dependencies,
                aliases=request.aliases,
                protect=request.protect,
                retainOnDelete=request.retainOnDelete,
                providers=request.providers,
            )
        )
        return answer.urn

    def _register(
        self, child: Child, inputs: Mapping[str, Any], parent: str, depends_on: tuple[str, ...]
    ) -> Registered:
        package = child.type.split(":")[2] if child.type.startswith("pulumi:providers:") else child.type.split(":")[0]
        own = child.custom and not child.type.startswith("pulumi:providers:")
        answer = self._call(
            resource_pb2.RegisterResourceRequest(
                type=child.type,
                name=child.name,
                parent=parent or self._urn,
                custom=child.custom,
                object=to_struct(inputs),
                dependencies=depends_on,
                provider=self._request.providers.get(package, "") if own else "",
                version=self._versions.get(package, "") if child.custom else "",
                ignoreChanges=child.ignore_changes,
                protect=self._request.protect,
                retainOnDelete=self._request.retainOnDelete,
            )
        )
        if not child.custom:
            self._close(answer.urn, {})
            return Registered(urn=answer.urn, state={})
        # In a preview the engine leaves out what it does not know.
        return Registered(urn=answer.urn, id=answer.id or "", state=_Unknowns(plain(from_struct(answer.object))))

    def _call(self, request: resource_pb2.RegisterResourceRequest) -> resource_pb2.RegisterResourceResponse:
        request.acceptSecrets = request.acceptResources = request.supportsPartialValues = True
        try:
            return self._monitor.RegisterResource(request)
        except grpc.RpcError as problem:
            raise Refused(problem.details()) from None

    def _close(self, urn: str, outputs: Mapping[str, Any]) -> None:
        request = resource_pb2.RegisterResourceOutputsRequest(urn=urn, outputs=to_struct(outputs))
        self._monitor.RegisterResourceOutputs(request)

    def _state(self, urn: str) -> Mapping[str, Any]:
        """The outputs of a resource that an input refers to."""
        request = resource_pb2.ResourceInvokeRequest(tok=_STATE, args=to_struct({"urn": urn}), acceptResources=True)
        answer = from_struct(getattr(self._monitor.Invoke(request), "return"))
        return _Unknowns(plain(answer.get("state") or {}))


class _Unknowns(dict[str, Any]):
    """A state in which what is missing is not known yet."""

    def get(self, name: str, default: Any = UNKNOWN) -> Any:
        return super().get(name, default)
