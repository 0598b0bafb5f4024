"""A stand-in as a gRPC server that the engine starts.

Values arrive as plain Python with UNKNOWN in place of what is not known yet; secrets are opened (the engine keeps track
of them itself).
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import wraps
from typing import Any

import grpc
from google.protobuf.empty_pb2 import Empty
from google.protobuf.struct_pb2 import Struct
from pulumi.runtime.proto import plugin_pb2, provider_pb2, provider_pb2_grpc
from typing_extensions import override

from rehearsal.faults import Faults, Operation
from rehearsal.schemas import Problem
from rehearsal.stand_in import Diff, Refused, StandIn
from rehearsal.values import Difference, from_struct, plain, to_struct

#: gRPC's own limit of 4 MiB is too small for big states; this is the SDK's.
_OPTIONS = [("grpc.max_receive_message_length", 400 << 20), ("grpc.max_send_message_length", 400 << 20)]

_KINDS = {"add": 0, "add-replace": 1, "delete": 2, "delete-replace": 3, "update": 4, "update-replace": 5}


def serve(stand_in: StandIn, faults: Faults | None = None) -> None:
    """Serves until the engine ends or kills us: prints the port, as the engine expects. `faults` are met first."""
    server = grpc.server(ThreadPoolExecutor(max_workers=64), options=_OPTIONS)
    provider_pb2_grpc.add_ResourceProviderServicer_to_server(_Servicer(stand_in, faults), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    print(port, flush=True)
    _exit_with_parent()
    # The engine interrupts its plugins when it has ended, or after it has waited for what they were doing.
    signal.signal(signal.SIGINT, lambda _number, _frame: server.stop(0.5))
    server.wait_for_termination()
    os._exit(0)  # a thread may still wait for an engine that has gone; Python would wait for the thread


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
    def __init__(self, stand_in: StandIn, faults: Faults | None) -> None:
        self.stand_in = stand_in
        self._faults = faults

    def _meet(self, operation: Operation, urn: str) -> None:
        if self._faults:
            self._faults.meet(operation, urn)

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
        diff = self.stand_in.diff(_token(request.urn), request.urn, old, new, state)
        return _diff(diff.without(request.ignoreChanges))

    @override
    @_answers
    def Create(self, request: provider_pb2.CreateRequest) -> provider_pb2.CreateResponse:
        if not request.preview:
            self._meet("create", request.urn)
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
        inputs = request.inputs
        if not request.HasField("inputs"):  # an import: nobody has said anything of it yet
            inputs = to_struct(self.stand_in.inputs_of(_token(request.urn), state))
        return provider_pb2.ReadResponse(id=request.id, properties=to_struct(state), inputs=inputs)

    @override
    @_answers
    def Update(self, request: provider_pb2.UpdateRequest) -> provider_pb2.UpdateResponse:
        if not request.preview:
            self._meet("update", request.urn)
        inputs, state = from_struct(request.news), from_struct(request.olds)
        updated = self.stand_in.update(_token(request.urn), request.urn, request.id, inputs, state, request.preview)
        return provider_pb2.UpdateResponse(properties=to_struct(updated))

    @override
    @_answers
    def Delete(self, request: provider_pb2.DeleteRequest) -> Empty:
        self._meet("delete", request.urn)
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


def _token(urn: str) -> str:
    return urn.split("::")[2].rsplit("$", 1)[-1]


def _checked(inputs: Struct, problems: tuple[Problem, ...]) -> provider_pb2.CheckResponse:
    failures = [provider_pb2.CheckFailure(property=problem.path, reason=problem.words) for problem in problems]
    return provider_pb2.CheckResponse(inputs=inputs, failures=failures)


def _diff(diff: Diff) -> provider_pb2.DiffResponse:
    def detail(change: Difference) -> provider_pb2.PropertyDiff:
        kind = f"{change.kind}-replace" if diff.is_replacing(change.path) else change.kind
        return provider_pb2.PropertyDiff(kind=_KINDS[kind], inputDiff=change.path not in diff.of_outputs)  # type: ignore[arg-type]

    tops = sorted({_top(change.path) for change in diff.changes})
    some = provider_pb2.DiffResponse.DIFF_SOME if diff.changes else provider_pb2.DiffResponse.DIFF_NONE
    return provider_pb2.DiffResponse(
        changes=some,
        diffs=tops,
        replaces=sorted({c.path for c in diff.changes if diff.is_replacing(c.path)}),
        deleteBeforeReplace=diff.delete_first,
        detailedDiff={change.path: detail(change) for change in diff.changes},
        hasDetailedDiff=True,
    )


def _top(path: str) -> str:
    return path.split(".")[0].split("[")[0]
