"""What the client and the campaign are told to do: wrong input is refused by place; order and prompts are seeded."""

from __future__ import annotations

import ast
import json
import sys
from itertools import islice
from pathlib import Path

import pytest

from gpu_slices.bench.campaign import CampaignError, read_campaign, run_of, stages
from gpu_slices.bench.client.drive import arrival_times, prompt_of
from gpu_slices.bench.client.plan import PlanError, read_plan
from gpu_slices.bench.cluster_plan import client_files, cluster_plan

CAMPAIGNS = sorted((Path(__file__).parents[3] / "benchmarks" / "campaigns").glob("*.json"))
TARGETS = {"a": {"url": "http://a:8000/v1/completions"}}
RUN = {"condition": "exclusive", "drive": ["a"], "load": {"closed": 8}}


def test_a_target_without_a_path_gets_the_completions_path():
    plan = read_plan({"targets": {"a": {"url": "http://svc:80"}}, "runs": [RUN]})
    assert plan.targets["a"].path == "/v1/completions"
    assert str(plan.runs[0].load) == "closed 8"


@pytest.mark.parametrize(
    ("plan", "words"),
    [
        ({}, "a plan is"),
        ({"targets": {"a": {"url": "https://a"}}, "runs": [RUN]}, "targets.a.url"),
        ({"targets": TARGETS, "runs": [{"load": {"closed": 1}}]}, r"runs\[0\]"),
        ({"targets": TARGETS, "runs": [{**RUN, "drive": ["b"]}]}, "'b' is no target"),
        ({"targets": TARGETS, "runs": [{**RUN, "drive": []}]}, "at least one"),
        ({"targets": TARGETS, "runs": [{**RUN, "load": {"closed": 1.5}}]}, "whole number"),
        ({"targets": TARGETS, "runs": [{**RUN, "load": {"open": -1}}]}, r"runs\[0\]\.load"),
        ({"targets": TARGETS, "runs": [{**RUN, "window": 3}]}, "unknown key 'window'"),
        ({"targets": TARGETS, "runs": [{**RUN, "window_s": 0}]}, "window_s: must be above 0"),
    ],
)
def test_a_wrong_plan_is_refused_by_place_and_reason(plan: object, words: str):
    with pytest.raises(PlanError, match=words):
        read_plan(plan)


def test_no_two_requests_share_a_first_word_and_the_same_seed_gives_the_same_prompt():
    prompts = [prompt_of(f"0.a.{number}", 16, 1) for number in range(200)]
    assert len({prompt.split()[0] for prompt in prompts}) == 200
    assert prompts[7] == prompt_of("0.a.7", 16, 1) != prompt_of("0.a.7", 16, 2)
    assert all(len(prompt.split()) == 16 for prompt in prompts)


def test_arrivals_come_at_the_asked_rate_and_are_the_same_again():
    times = list(islice(arrival_times(1, 0, "a", 4.0, 10.0), 4000))
    assert times[-1] - 10 == pytest.approx(1000, rel=0.05)
    assert times[:5] == list(islice(arrival_times(1, 0, "a", 4.0, 10.0), 5))
    assert times[:5] != list(islice(arrival_times(1, 0, "b", 4.0, 10.0), 5))


def write(tmp_path: Path, **changes: object) -> Path:
    cell = {"condition": "exclusive", "servers": 1, "load": {"closed": 8}, "repeats": 2}
    path = tmp_path / "campaign.json"
    path.write_text(json.dumps({"cells": [cell], **changes}))
    return path


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"cells": []}, "at least one"),
        ({"speed": 3}, "unknown key 'speed'"),
        ({"models": "3b"}, "models"),
        ({"cells": [{"condition": "alone", "servers": 1, "load": {"closed": 1}}]}, "'alone' is none of"),
        ({"cells": [{"condition": "shared", "servers": 1, "load": {"closed": 1}}]}, "two servers"),
        ({"cells": [{"condition": "exclusive", "servers": 2, "load": {"closed": 1}}]}, "one server"),
        ({"cells": [{"condition": "shared", "servers": 2, "load": {"open_share": 0.5}}]}, "open_share needs"),
        ({"cells": [{"condition": "shared", "servers": 2, "load": {"closed": 1}, "first": 2}]}, "first"),
    ],
)
def test_a_wrong_campaign_is_refused_by_place_and_reason(tmp_path: Path, changes: dict, words: str):
    with pytest.raises(CampaignError, match=words):
        read_campaign(write(tmp_path, **changes))


@pytest.mark.parametrize("path", CAMPAIGNS, ids=lambda path: path.stem)
def test_a_shipped_campaign_makes_every_repeat_of_every_cell_once_and_grows_the_number_of_servers(path: Path):
    campaign = read_campaign(path)
    planned = stages(campaign, range(5))
    made = [run for stage in planned for run in stage.runs]
    assert len(made) == len({repr(run) for run in made}) == sum(cell.repeats for cell in campaign.cells)
    assert [stage.servers for stage in planned] == sorted(stage.servers for stage in planned)
    fresh = [stage.fresh for stage in planned]
    assert fresh == sorted(fresh, reverse=True)
    targets = [f"m-{number}" for number in range(10)]
    runs = [run_of(campaign, cell, repeat, targets, 20.0) for cell, repeat in made]
    read_plan({"targets": {name: {"url": "http://h:1"} for name in targets}, "runs": runs})


def test_an_offered_share_needs_a_measured_capacity_and_becomes_a_rate(tmp_path: Path):
    alone = {"condition": "exclusive", "servers": 1, "load": {"closed": 8}}
    path = write(tmp_path, cells=[alone, {"condition": "shared", "servers": 2, "load": {"open_share": 0.3}}])
    campaign = read_campaign(path)
    cell = campaign.cells[1]
    assert run_of(campaign, cell, 0, ["a", "b"], 20.0)["load"] == {"open": 6.0}
    with pytest.raises(CampaignError, match="capacity"):
        run_of(campaign, cell, 0, ["a", "b"], None)


def test_a_cluster_plan_loads_each_server_alone_and_all_together_in_every_repeat():
    targets = {name: {"url": f"http://{name}:8000/v1/completions"} for name in ("phi-0", "phi-1", "llama")}
    plan = read_plan(cluster_plan(targets, repeats=3))
    for repeat in range(3):
        runs = [run for run in plan.runs if run.repeat == repeat]
        assert sorted((run.condition, run.drive) for run in runs) == [
            *[("idle-neighbour", (name,)) for name in sorted(targets)],
            ("shared", tuple(sorted(targets))),
        ]
    assert cluster_plan(targets) == cluster_plan(targets) != cluster_plan(targets, seed=2)


def test_a_cluster_plan_for_one_server_compares_with_nothing():
    runs = read_plan(cluster_plan({"a": {"url": "http://a:1"}}, repeats=2)).runs
    assert [run.condition for run in runs] == ["exclusive"] * 2


def test_the_clients_files_fit_a_config_map_and_import_nothing_but_the_standard_library():
    found = client_files()
    assert "__main__.py" in found
    assert sum(len(text.encode()) for text in found.values()) < 500_000
    imported = {
        name.split(".")[0]
        for text in found.values()
        for node in ast.walk(ast.parse(text))
        for name in (
            [alias.name for alias in node.names]
            if isinstance(node, ast.Import)
            else [node.module or ""]
            if isinstance(node, ast.ImportFrom) and node.level == 0
            else []
        )
    }
    assert imported <= set(sys.stdlib_module_names)
