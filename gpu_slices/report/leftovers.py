"""What a destroyed stack left behind, for people and for programs."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from ..cost.price_table import load_prices
from .terminal import as_text
from .words import UNKNOWN

if TYPE_CHECKING:
    from ..leftovers import Leftover, Outcome, Owner


@dataclass(frozen=True, kw_only=True)
class Sweep:
    """What is left of an owner's things in an account, and what became of those that were to be removed."""

    owner: Owner
    account: str
    left: Sequence[Leftover]
    outcomes: Sequence[Outcome] = ()

    @property
    def where(self) -> str:
        """`stack dev (cluster demo) in account 123456789012, us-west-2`."""
        own = self.owner
        return f"stack {own.stack} (cluster {own.cluster}) in account {self.account}, {own.region}"

    @property
    def usd_per_month(self) -> float:
        """Of everything whose price is known."""
        return round(sum(one.usd_per_month or 0 for one in self.left), 2)


def leftovers_json(sweep: Sweep) -> str:
    """Stack, account, what is left with its price (null where not known), what was removed, what AWS refused."""
    content = {
        **asdict(sweep.owner),
        "account": sweep.account,
        "left": [
            {"kind": one.kind, "id": one.id, "detail": one.detail, "usdPerMonth": one.usd_per_month}
            for one in sweep.left
        ],
        "usdPerMonth": sweep.usd_per_month,
        "removed": [one.leftover.id for one in sweep.outcomes if one.refusal is None],
        "refused": {one.leftover.id: one.refusal for one in sweep.outcomes if one.refusal is not None},
    }
    return json.dumps(content, indent=2, ensure_ascii=False) + "\n"


def leftovers_text(sweep: Sweep, *, plain: bool) -> str:
    """The same as text: one row per thing. `plain` is without colours."""
    return as_text(lambda console: _print(sweep, console), plain=plain)


def _print(sweep: Sweep, console: Console) -> None:
    refused = [one for one in sweep.outcomes if one.refusal is not None]
    if sweep.outcomes:
        console.print(Text(f"{len(sweep.outcomes) - len(refused)} removed"))
    for one in refused:
        console.print(Text(f"AWS keeps {one.leftover.kind} {one.leftover.id}: {one.refusal}"))
    if sweep.left:
        console.print(_table(sweep))
        console.print(_total(sweep))
    else:
        console.print(Text(f"nothing is left of {sweep.where}"))


def _table(sweep: Sweep) -> Table:
    title = f"left of {sweep.where}"
    table = Table(title=title, title_justify="left", header_style="bold", box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
    table.add_column("what", no_wrap=True)
    table.add_column("id", overflow="fold")
    table.add_column("which", overflow="fold")
    table.add_column("$/month", justify="right", no_wrap=True)
    for one in sweep.left:
        price = UNKNOWN if one.usd_per_month is None else f"{one.usd_per_month:.2f}"
        table.add_row(one.kind, one.id, one.detail, price)
    return table


def _total(sweep: Sweep) -> Text:
    unknown = sum(one.usd_per_month is None for one in sweep.left)
    more = f", and {unknown} without a known price" if unknown else ""
    return Text(
        f"{len(sweep.left)} things, ${sweep.usd_per_month:.2f} a month{more} (list prices of {load_prices().region}, without traffic)"
    )
