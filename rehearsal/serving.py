"""A resource provider as a gRPC server that the engine starts: what every stand-in shares.

A stand-in is a subclass of StandIn; `serve` answers the engine for it. Values arrive as plain Python with UNKNOWN in
place of what is not known yet; secrets are opened (the engine keeps track of them itself).
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import wraps
from typing import Any

import grpc
from google.protobuf.empty_pb2 import Empty
from google.protobuf.struct_pb2 import Struct
from pulumi.runtime.proto import plugin_pb2, provider_pb2, provider_pb2_grpc
from typing_extensions import override

from rehearsal.schemas import Problem
from rehearsal.values import Difference, from_struct, plain, to_struct

#: gRPC's own limit of 4 MiB is too small for big states; this is the SDK's.
_OPTIONS = [("grpc.max_receive_message_length", 400 << 20), ("grpc.max_send_message_length", 400 << 20)]

_KINDS = {"add": 0, "add-replace": 1, "delete": 2, "delete-replace": 3, "update": 4, "update-replace": 5}


class Refused(Exception):  # noqa: N818 - what a cloud does, in its own word
    """The pretended cloud refuses, in the words that the user will see."""


@dataclass(frozen=True, kw_only=True)
class Diff:
    """What changed between old and new inputs, and which of it replaces. `by_input` is False for outputs."""

    changes: tuple[Difference, ...] = ()
    replaces: frozenset[str] = frozenset()
    delete_first: bool = False
    of_outputs: frozenset[str] = field(default_factory=frozenset)


class StandIn:
    """A provider without a cloud. Methods get plain values and raise Refused; what a stand-in lacks it does not override.

    `token` is a resource's type, `old` and `new` its inputs, `state` its inputs and outputs as stored. In a preview
    values may be UNKNOWN, and nothing may be changed.
    """

    package = ""
    version = ""
    accepts_references = False

    def configure(self, config: Mapping[str, Any]) -> None:
        """Takes the provider's configuration; called once, before everything but `check_config`."""

    def check_config(self, config: Mapping[str, Any]) -> tuple[Problem, ...]:
        """What is wrong with a configuration."""
        return ()

    def diff_config(self, old: Mapping[str, Any], new: Mapping[str, Any]) -> Diff:
        """What changed in the configuration; a replaced provider replaces all its resources."""
        raise NotImplementedError

    def check(
        self, token: str, urn: str, old: Mapping[str, Any], new: Mapping[str, Any]
    ) -> tuple[Mapping[str, Any], tuple[Problem, ...]]:
        """The inputs with names and defaults filled in, and what is wrong with them; `old` is empty for a new resource."""
        raise NotImplementedError

    def diff(
        self, token: str, urn: str, old: Mapping[str, Any], new: Mapping[str, Any], state: Mapping[str, Any]
    ) -> Diff:
        """What an update would change."""
        raise NotImplementedError

    def create(self, token: str, urn: str, inputs: Mapping[str, Any], preview: bool) -> tuple[str, Mapping[str, Any]]:
        """Makes a resource: its id and state."""
        raise NotImplementedError

    def read(self, token: str, urn: str, id_: str, state: Mapping[str, Any]) -> Mapping[str, Any] | None:
        """The resource's state in the world, or None when it is gone."""
        raise NotImplementedError

    def update(
        self, token: str, urn: str, id_: str, inputs: Mapping[str, Any], state: Mapping[str, Any], preview: bool
    ) -> Mapping[str, Any]:
        """Changes a resource in place: its new state."""
        raise NotImplementedError

    def delete(self, token: str, urn: str, id_: str, state: Mapping[str, Any]) -> None:
        """Takes a resource away."""
        raise NotImplementedError

    def invoke(self, token: str, arguments: Mapping[str, Any]) -> Mapping[str, Any]:
        """Answers a question."""
        raise NotImplementedError

    def construct(self, request: provider_pb2.ConstructRequest) -> provider_pb2.ConstructResponse:
        """Registers a component and its children."""
        raise NotImplementedError


def serve(stand_in: StandIn) -> None:
    """Serves until the engine ends or kills us: prints the port, as the engine expects."""
    server = grpc.server(ThreadPoolExecutor(max_workers=64), options=_OPTIONS)
    provider_pb2_grpc.add_ResourceProviderServicer_to_server(_Servicer(stand_in), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    print(port, flush=True)
    _exit_with_parent()
    # The engine interrupts its plugins when it has ended, or after it has waited for what they were doing.
    signal.signal(signal.SIGINT, lambda _number, _frame: server.stop(1))
    server.wait_for_termination()


def _exit_with_parent() -> None:
    """A killed engine can't stop its plugins: they notice that they have another parent."""
    parent = os.getppid()

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(0.5)
        os._exit(0)

    threading.Thread(target=watch, daemon=True).start()


def _answers(method: Callable[..., Any]) -> Callable[..., Any]:
    """Refusals reach the user as they are; anything else says that the stand-in is at fault, and where."""

    @wraps(method)
    def answer(self: _Servicer, request: Any, context: grpc.ServicerContext) -> Any:
        try:
            return method(self, request)
        except NotImplementedError:
            context.abort(
                grpc.StatusCode.UNIMPLEMENTED, f"the {self.stand_in.package} stand-in has no {method.__name__}"
            )
        except (Refused, LookupError) as problem:
            context.abort(grpc.StatusCode.FAILED_PRECONDITION, str(problem.args[0] if problem.args else problem))
        except Exception as problem:
            traceback.print_exc(file=sys.stderr)
            where = traceback.extract_tb(problem.__traceback__)[-1]
            words = f"the {self.stand_in.package} stand-in failed: {type(problem).__name__}: {problem}"
            context.abort(grpc.StatusCode.INTERNAL, f"{words} ({os.path.basename(where.filename)}:{where.lineno})")

    return answer


class _Servicer(provider_pb2_grpc.ResourceProviderServicer):
    def __init__(self, stand_in: StandIn) -> None:
        self.stand_in = stand_in

    @override
    @_answers
    def GetPluginInfo(self, _request: Empty) -> plugin_pb2.PluginInfo:
        return plugin_pb2.PluginInfo(version=self.stand_in.version)

    @override
    @_answers
    def Configure(self, request: provider_pb2.ConfigureRequest) -> provider_pb2.ConfigureResponse:
        self.stand_in.configure(plain(from_struct(request.args)))
        components = self.stand_in.accepts_references
        return provider_pb2.ConfigureResponse(
            acceptSecrets=components, acceptResources=components, acceptOutputs=False, supportsPreview=True
        )

    @override
    @_answers
    def CheckConfig(self, request: provider_pb2.CheckRequest) -> provider_pb2.CheckResponse:
        problems = self.stand_in.check_config(plain(from_struct(request.news)))
        return _checked(request.news, problems)

    @override
    @_answers
    def DiffConfig(self, request: provider_pb2.DiffRequest) -> provider_pb2.DiffResponse:
        old, new = (plain(from_struct(part)) for part in (request.old_inputs, request.news))
        return _diff(self.stand_in.diff_config(old, new))

    @override
    @_answers
    def Check(self, request: provider_pb2.CheckRequest) -> provider_pb2.CheckResponse:
        inputs, problems = self.stand_in.check(
            _token(request.urn), request.urn, from_struct(request.olds), from_struct(request.news)
        )
        return _checked(to_struct(inputs), problems)

    @override
    @_answers
    def Diff(self, request: provider_pb2.DiffRequest) -> provider_pb2.DiffResponse:
        old, new, state = (from_struct(part) for part in (request.old_inputs, request.news, request.olds))
        return _diff(self.stand_in.diff(_token(request.urn), request.urn, old, new, state))

    @override
    @_answers
    def Create(self, request: provider_pb2.CreateRequest) -> provider_pb2.CreateResponse:
        id_, state = self.stand_in.create(
            _token(request.urn), request.urn, from_struct(request.properties), request.preview
        )
        return provider_pb2.CreateResponse(id=id_, properties=to_struct(state))

    @override
    @_answers
    def Read(self, request: provider_pb2.ReadRequest) -> provider_pb2.ReadResponse:
        state = self.stand_in.read(_token(request.urn), request.urn, request.id, from_struct(request.properties))
        if state is None:
            return provider_pb2.ReadResponse()
        return provider_pb2.ReadResponse(id=request.id, properties=to_struct(state), inputs=request.inputs)

    @override
    @_answers
    def Update(self, request: provider_pb2.UpdateRequest) -> provider_pb2.UpdateResponse:
        inputs, state = from_struct(request.news), from_struct(request.olds)
        updated = self.stand_in.update(_token(request.urn), request.urn, request.id, inputs, state, request.preview)
        return provider_pb2.UpdateResponse(properties=to_struct(updated))

    @override
    @_answers
    def Delete(self, request: provider_pb2.DeleteRequest) -> Empty:
        self.stand_in.delete(_token(request.urn), request.urn, request.id, from_struct(request.properties))
        return Empty()

    @override
    @_answers
    def Invoke(self, request: provider_pb2.InvokeRequest) -> provider_pb2.InvokeResponse:
        result = self.stand_in.invoke(request.tok, from_struct(request.args))
        response = provider_pb2.InvokeResponse()
        getattr(response, "return").CopyFrom(to_struct(result))  # a keyword in Python, not in protobuf
        return response

    @override
    @_answers
    def Construct(self, request: provider_pb2.ConstructRequest) -> provider_pb2.ConstructResponse:
        return self.stand_in.construct(request)

    @override
    @_answers
    def Cancel(self, _request: Empty) -> Empty:
        return Empty()


def parsed(config: Mapping[str, Any]) -> dict[str, Any]:
    """A provider's configuration with its nested values: the engine sends everything but texts as JSON text."""

    def value(text: Any) -> Any:
        if not isinstance(text, str) or (text[:1] not in ("{", "[") and text not in ("true", "false")):
            return text
        try:
            return json.loads(text)
        except ValueError:
            return text

    return {name: value(text) for name, text in config.items() if name != "version"}


def _token(urn: str) -> str:
    return urn.split("::")[2].rsplit("$", 1)[-1]


def _checked(inputs: Struct, problems: tuple[Problem, ...]) -> provider_pb2.CheckResponse:
    failures = [provider_pb2.CheckFailure(property=problem.path, reason=problem.words) for problem in problems]
    return provider_pb2.CheckResponse(inputs=inputs, failures=failures)


def _diff(diff: Diff) -> provider_pb2.DiffResponse:
    def detail(change: Difference) -> provider_pb2.PropertyDiff:
        kind = f"{change.kind}-replace" if _within(change.path, diff.replaces) else change.kind
        return provider_pb2.PropertyDiff(kind=_KINDS[kind], inputDiff=change.path not in diff.of_outputs)  # type: ignore[arg-type]

    tops = sorted({_top(change.path) for change in diff.changes})
    some = provider_pb2.DiffResponse.DIFF_SOME if diff.changes else provider_pb2.DiffResponse.DIFF_NONE
    return provider_pb2.DiffResponse(
        changes=some,
        diffs=tops,
        replaces=sorted({c.path for c in diff.changes if _within(c.path, diff.replaces)}),
        deleteBeforeReplace=diff.delete_first,
        detailedDiff={change.path: detail(change) for change in diff.changes},
        hasDetailedDiff=True,
    )


def _within(path: str, parents: frozenset[str]) -> bool:
    """Whether a property is one of `parents`, inside one, or around one that was added or deleted with it."""
    return any(path == p or path.startswith((f"{p}.", f"{p}[")) or p.startswith(f"{path}.") for p in parents)


def _top(path: str) -> str:
    return path.split(".")[0].split("[")[0]
