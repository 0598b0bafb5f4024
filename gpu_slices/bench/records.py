"""Raw records on disk: one JSON object per line, gzipped where the name ends in `.gz`.

Kinds: `environment` (machine, GPU, versions, command), `run` (the load client's, see `client.record.run_once`),
`left-out` (a planned run that was not made, and why), `memory` (GPU memory held per number of servers), `probe`
(slice-length probe).
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterable, Iterator
from pathlib import Path

from .metrics import DEFAULT_SLO, Record, RunFigures, Slo, run_figures


class RecordError(ValueError):
    """A record file that cannot be read; the text names file and line."""


def _lines(path: Path) -> Iterator[str]:
    if path.suffix == ".gz":
        with gzip.open(path, "rt") as file:
            yield from file
        return
    with path.open() as file:
        yield from file


def read_records(path: Path) -> list[Record]:
    """All records of a file.

    Raises:
        RecordError: the file is missing, or a line is not a JSON object with a `kind`.
    """
    records: list[Record] = []
    try:
        for number, line in enumerate(_lines(path), start=1):
            if not line.strip():
                continue
            record = json.loads(line)
            if not isinstance(record, dict) or "kind" not in record:
                raise RecordError(f"{path}:{number}: not a benchmark record (an object with a kind)")
            records.append(record)
    except (OSError, EOFError) as problem:
        raise RecordError(f"{path}: {problem}") from None
    except json.JSONDecodeError as problem:
        raise RecordError(f"{path}: a line is not JSON: {problem}") from None
    return records


def write_records(path: Path, records: Iterable[Record]) -> None:
    """Write records; a `.gz` file is written without a time stamp, so that equal records give equal bytes."""
    text = "".join(json.dumps(record, separators=(",", ":")) + "\n" for record in records)
    if path.suffix == ".gz":
        with path.open("wb") as raw, gzip.GzipFile(filename="", fileobj=raw, mode="wb", mtime=0) as file:
            file.write(text.encode())
        return
    path.write_text(text)


def sound_runs(records: Iterable[Record], slo: Slo = DEFAULT_SLO) -> list[RunFigures]:
    """Figures of the runs that ended well; failed ones give none. Every `environment` begins a session."""
    runs: list[RunFigures] = []
    session = 0
    for record in records:
        session += record["kind"] == "environment"
        if record["kind"] == "run" and record["status"] == "ok":
            runs.append(run_figures(record, slo, session))
    return runs


def failed_runs(records: Iterable[Record]) -> list[Record]:
    """The runs no figure may be taken from; each says why in `problems`."""
    return [record for record in records if record["kind"] == "run" and record["status"] != "ok"]
