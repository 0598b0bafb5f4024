"""The sharing benchmark: model servers on one GPU, and the Jobs that load them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi

from gpu_slices.manifests.benchmark import Step

from .component import Component
from .objects import declare


@dataclass(frozen=True, kw_only=True)
class BenchmarkArgs:
    """The steps in their order, and what must be there first and go last: nodes, GPU stack, DNS."""

    steps: Sequence[Step]
    after: Sequence[pulumi.Resource] = ()


class Benchmark(Component):
    """One step after the other. Jobs are awaited: an `up` ends when everything is measured.

    Whatever changes in the experiment, all of it goes before any of it comes again: the first server must find the
    GPU empty, and runs of one server alone must find no other. (`replace_with` needs Pulumi 3.207.)
    """

    def __init__(self, name: str, args: BenchmarkArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, opts)
        made: list[pulumi.Resource] = []
        experiment: list[pulumi.Resource] = []
        for step in args.steps:
            options = self.child(
                depends_on=[*args.after, *made[-1:]],
                replace_with=list(experiment) if step.experiment else None,
                delete_before_replace=True if step.experiment else None,
                custom_timeouts=pulumi.CustomTimeouts(create=f"{step.minutes}m", update=f"{step.minutes}m"),
            )
            resource = declare(f"{name}-{step.word}", step.manifest, options)
            made.append(resource)
            if step.experiment:
                experiment.append(resource)
        self.register_outputs({})
