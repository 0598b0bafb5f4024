"""Records of the load client made up from known laws, for tests of what is computed from them."""

from __future__ import annotations

from typing import Any

ENVIRONMENT: dict[str, Any] = {"kind": "environment"}


def request(
    target: str, number: int, start: float, tokens: int, gap_s: float, *, status: str = "ok", **more: Any
) -> dict[str, Any]:
    """One request whose first token comes one gap after it was due, and so do the others after each other."""
    return {
        "id": f"0.{target}.{number}",
        "target": target,
        "asked": tokens,
        "status": status,
        "scheduled": start,
        "started": start,
        "sent": start,
        "first": start + gap_s,
        "gaps_us": [round(gap_s * 1e6)] * (tokens - 1),
        "prompt_tokens": 8,
        "completion_tokens": tokens,
        **more,
    }


def back_to_back(target: str, *, gap_s: float, tokens: int = 10, window_s: float = 10.0) -> list[dict[str, Any]]:
    """One stream that begins before the window and goes on past its end."""
    length, start, number, rows = gap_s * tokens, -2.0, 0, []
    while start < window_s + 1:
        rows.append(request(target, number, start, tokens, gap_s))
        start, number = start + length, number + 1
    return rows


def run_record(condition: str, gaps_s: dict[str, float], *, repeat: int = 0, **changes: Any) -> dict[str, Any]:
    """A sound closed-loop run whose targets make one token each `gaps_s` seconds."""
    record: dict[str, Any] = {
        "kind": "run",
        "index": repeat,
        "condition": condition,
        "servers": len(gaps_s),
        "repeat": repeat,
        "drive": list(gaps_s),
        "load": {"closed": 1.0},
        "labels": {"mode": "graph", "load": "closed 1"},
        "prompt_words": 8,
        "output_tokens": 10,
        "warmup_s": 2.0,
        "window_s": 10.0,
        "seed": 1,
        "status": "ok",
        "problems": [],
        "zero": 100.0,
        "client": {"cpu": 0.1, "loop_lag_p99_ms": 1.0},
        "requests": [row for target, gap_s in gaps_s.items() for row in back_to_back(target, gap_s=gap_s)],
    }
    return {**record, **changes}
