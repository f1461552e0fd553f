"""How well Fengbo judges, in one table: ours, the target, and what others reach on the same data.

Every figure is measured here and now on recorded data; nothing is quoted from a page. A part that learns trains
without the texts that it is scored on. Data that is not there is named in the table, and so is a missing library.

Adding a part: a function that takes the data folder and returns rows, listed in ``PARTS``. It raises
``MissingData`` (through ``data_file``) for a file that is absent.
"""

import importlib.util
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

from bot.bench import (
    judgement_bursts,
    judgement_finance,
    judgement_forecast,
    judgement_hotsearch,
    judgement_spread,
    judgement_stories,
    judgement_text,
)
from bot.bench.judged import Judged, MissingData, Part
from bot.model.text import Text
from bot.texts import render

PARTS: Mapping[str, Part] = {
    "sentiment": judgement_text.sentiment,
    "whom": judgement_finance.whom,
    "kinds": judgement_finance.kinds,
    "spread": judgement_spread.spread,
    "stories": judgement_stories.stories,
    "bursts": judgement_bursts.bursts,
    "forecast": judgement_forecast.forecasts,
    "hotsearch": judgement_hotsearch.hotsearch,
}

_COLUMNS = ("name", "value", "target", "peers", "verdict")


@dataclass(frozen=True, slots=True)
class Outcome:
    """The rows of one part, or why it has none."""

    part: str
    rows: tuple[Judged, ...] = ()
    absent: Text | None = None


def run(folder: Path | None, only: str = "", say: Callable[[Text], None] = lambda text: None) -> list[Outcome]:
    """Every part, or the one named ``only``. ``KeyError`` for a name that is not one of ``PARTS``."""
    chosen = {only: PARTS[only]} if only else PARTS
    outcomes = []
    for name, part in chosen.items():
        say(Text("judgement.begin", {"part": _part_name(name)}))
        outcomes.append(_outcome(name, part, folder))
    return outcomes


def _outcome(name: str, part: Part, folder: Path | None) -> Outcome:
    if folder is None:
        return Outcome(name, absent=Text("judgement.no_folder"))
    try:
        return Outcome(name, tuple(part(folder)))
    except MissingData as missing:
        return Outcome(name, absent=Text("judgement.no_data", {"file": missing.file}))
    except ModuleNotFoundError as missing:
        # scikit-learn is an extra; a module of our own that cannot be found is a mistake and shows as one.
        if missing.name is None or importlib.util.find_spec(missing.name.partition(".")[0]) is not None:
            raise
        return Outcome(name, absent=Text("judgement.no_module", {"module": missing.name}))


def missed(outcomes: list[Outcome]) -> bool:
    return any(row.result.met is False for outcome in outcomes for row in outcome.rows)


def show(outcomes: list[Outcome], language: str) -> None:
    """The table on stdout."""

    def word(key: str) -> str:
        return render(Text(key), language)

    table = Table(show_edge=False)
    for column in _COLUMNS:
        key = f"judgement.column_{column}" if column in {"value", "peers"} else f"bench.column_{column}"
        table.add_column(word(key), justify="right" if column in {"value", "target"} else "left")
    for outcome in outcomes:
        table.add_section()
        if outcome.absent is not None:
            table.add_row(render(_part_name(outcome.part), language), "—", "", "", render(outcome.absent, language))
        for row in outcome.rows:
            met = row.result.met
            verdict = "" if met is None else word("bench.met" if met else "bench.missed")
            cells = (row.result.shown, row.result.target_shown, render(row.peers, language) if row.peers else "")
            style = {True: "green", False: "red", None: None}[met]
            table.add_row(render(row.result.name, language), *cells, verdict, style=style)
    # A figure is worth nothing cut: outside a terminal the table takes the room that it needs.
    Console(width=None if sys.stdout.isatty() else 200).print(table)


def _part_name(name: str) -> Text:
    return Text(f"judgement.part_{name}")
