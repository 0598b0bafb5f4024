"""The `benchmark` key: model servers that share one GPU, and the load they are measured under."""

from __future__ import annotations

import re
from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, BeforeValidator, Field

from ..bench.metrics import model_of
from .base import Count, DnsLabel, Model, Positive, Text, refused
from .mistakes import shown
from .tenants import TenantName

Engine = Literal["vllm", "tgi"]
Condition = Literal["fresh", "exclusive", "idle-neighbour", "shared", "one-server"]

#: Conditions with one server on the GPU after a second process has come and gone, which needs a slice of its own.
AFTER_A_VISIT: Final = frozenset({"exclusive", "one-server"})

_MODEL: Final = re.compile(r"[\w.-]+/[\w.-]+")
_REVISION: Final = re.compile(r"[0-9a-f]{40}")
_NAME: Final = re.compile(r"[a-z]([-a-z0-9]{0,38}[a-z0-9])?")


def _amount(value: Any) -> float:
    """2.5 and "2.5" (`pulumi config set` stores text)."""
    try:
        number = float("nan") if isinstance(value, bool) else float(value)
    except (TypeError, ValueError, OverflowError):
        number = float("nan")
    if not 0 < number < float("inf"):
        raise refused(f"{shown(value)} is not a number above 0", "write it like 2 or 2.5")
    return number


def _model(value: str) -> str:
    if not _MODEL.fullmatch(value):
        raise refused(f"{shown(value)} is not a Hugging Face model", "write it like microsoft/Phi-3.5-mini-instruct")
    return value


def _revision(value: str) -> str:
    if not _REVISION.fullmatch(value):
        raise refused(f"{shown(value)} is not a commit of a model", "write its 40 hexadecimal digits; branches move")
    return value


def _name(value: str) -> str:
    if not _NAME.fullmatch(value):
        raise refused(
            f"{shown(value)} cannot name a Service",
            "start with a letter; lower-case letters, digits, dashes; at most 40",
        )
    return value


def _distinct(value: tuple[Any, ...]) -> tuple[Any, ...]:
    for one in value:
        if value.count(one) > 1:
            raise refused(f"{one} stands there twice", "write each once")
    return value


def _absent_when_empty(value: Any) -> Any:
    """`{}` is what Pulumi.yaml declares as the default: the same as no key at all."""
    return None if value == {} else value


Amount = Annotated[float, BeforeValidator(_amount)]


class BenchmarkModel(Model):
    """One model server. Copies of one model have names that differ only in a trailing number: `phi-1`, `phi-2`."""

    name: Annotated[Text, AfterValidator(_name)] = Field(description="Name of its Deployment and Service.")
    model: Annotated[Text, AfterValidator(_model)] = Field(description="Hugging Face model, ORGANISATION/NAME.")
    revision: Annotated[Text, AfterValidator(_revision)] | None = Field(
        default=None, description="Commit of the model; without it whatever its main branch is at the time."
    )
    memory_gib: Amount = Field(
        alias="memoryGiB", description="GPU memory of the whole server in GiB: weights, KV cache, activations, context."
    )
    kv_cache_gib: Amount | None = Field(
        default=None, alias="kvCacheGiB", description="KV cache in GiB, the same under every condition (vLLM only)."
    )


class Load(Model):
    """What every driven server is offered; each entry is a run of its own."""

    closed: Annotated[tuple[Positive, ...], AfterValidator(_distinct)] = Field(
        default=(1, 8), description="Streams per server; each sends its next request when the last has ended."
    )
    open: Annotated[tuple[Amount, ...], AfterValidator(_distinct)] = Field(
        default=(), description="Requests per second and server, Poisson."
    )


class Benchmark(Model):
    """Model servers on one shared GPU, driven by a load client from a node without GPUs."""

    pool: Text = Field(description="GPU pool whose nodes have one GPU each.")
    engine: Engine = Field(default="vllm", description="vllm or tgi.")
    models: Annotated[tuple[BenchmarkModel, ...], Field(min_length=1, max_length=20)] = Field(
        description="The servers, in the order they start."
    )
    prompt_words: Positive = Field(default=128, description="Words of every prompt; no two prompts are alike.")
    output_tokens: Annotated[Positive, Field(ge=2)] = Field(default=128, description="Tokens of every reply.")
    load: Load = Field(default=Load(), description="closed, open.")
    conditions: Annotated[tuple[Condition, ...], AfterValidator(_distinct)] = Field(
        default=(),
        description="fresh, exclusive, idle-neighbour, shared, one-server; none named: all that fit the models.",
    )
    repeats: Annotated[Positive, Field(le=20)] = Field(
        default=5, description="Blocks of every run; intervals need two."
    )
    warmup_seconds: Count = Field(default=10, description="Load before each measurement.")
    window_seconds: Annotated[Positive, Field(ge=5)] = Field(default=60, description="Length of each measurement.")
    drain_seconds: Positive = Field(default=60, description="Most that requests in flight get to end after it.")
    seed: Count = Field(default=1, description="Of prompts, arrivals and the order of runs.")
    hugging_face_token_secret: DnsLabel | None = Field(
        default=None, description="Secret in the namespace whose key `token` opens gated models; you make it yourself."
    )
    namespace: TenantName = Field(default="gpu-benchmark", description="Namespace of servers and client.")


OptionalBenchmark = Annotated[Benchmark | None, BeforeValidator(_absent_when_empty)]


def slices_needed(benchmark: Benchmark) -> int:
    """One for each server; a second one also for a single server when it is measured after a visit."""
    visited = AFTER_A_VISIT & set(conditions_of(benchmark))
    return max(len(benchmark.models), 2 if visited else 1)


def conditions_of(benchmark: Benchmark) -> tuple[str, ...]:
    """The conditions to measure: those named, else all that fit the models."""
    if benchmark.conditions:
        return benchmark.conditions
    if len(benchmark.models) == 1:
        return ("fresh",)
    shared = ("exclusive", "idle-neighbour", "shared")
    return (*shared, "one-server") if are_copies(benchmark) else shared


def are_copies(benchmark: Benchmark) -> bool:
    """Whether all servers serve one model."""
    return len({model_of(model.name) for model in benchmark.models}) == 1
