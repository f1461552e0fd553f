"""``fengbo bench``: what this machine does, measured on the real process over HTTP, beside the targets."""

import asyncio
import sys
from collections.abc import Callable
from pathlib import Path

from rich.console import Console
from rich.table import Table

from bot.bench import analysis, flow, intake, judgement, matching, memory, review
from bot.bench.result import Result
from bot.model.text import Text
from bot.texts import render

DEFAULT_PARTS = ("analysis", "intake", "flow")
MILLION = 1_000_000


def run_benchmarks(what: str = "", *, data: str = "", posts: int = 0, part: str = "", language: str = "en") -> int:
    """Run one part or the quick ones (``DEFAULT_PARTS``); print a table; 1 when a target is missed.

    ``data`` is a folder of recorded posts (``cascades/weibo_reposts.jsonl.gz``); without it texts are made up.
    ``posts`` is how many the memory part stores, a million if not said. ``judgement`` has a table of its own, of
    which ``part`` names one part.
    """
    folder = _data_folder(data)
    if what == "judgement":
        return _run_judgement(folder, part, language)
    parts: dict[str, Callable[[], list[Result]]] = {
        "analysis": lambda: analysis.run(folder),
        "intake": lambda: asyncio.run(intake.run()),
        "flow": lambda: asyncio.run(flow.run()),
        "memory": lambda: asyncio.run(memory.run(posts or MILLION)),
        "matching": matching.run,
        "review": review.run,
    }
    if what and what not in parts:
        print(render(Text("bench.unknown", {"what": what, "known": [*parts, "judgement"]}), language), file=sys.stderr)
        return 2
    results: list[Result] = []
    for name in [what] if what else DEFAULT_PARTS:
        print(render(Text(f"bench.begin_{name}"), language), file=sys.stderr)
        results += parts[name]()
    _print(results, language)
    return int(any(result.met is False for result in results))


def _run_judgement(folder: Path | None, part: str, language: str) -> int:
    if part and part not in judgement.PARTS:
        unknown = Text("judgement.unknown", {"part": part, "known": list(judgement.PARTS)})
        print(render(unknown, language), file=sys.stderr)
        return 2
    outcomes = judgement.run(folder, part, lambda text: print(render(text, language), file=sys.stderr))
    judgement.show(outcomes, language)
    return int(judgement.missed(outcomes))


def _data_folder(data: str) -> Path | None:
    wanted = [Path(data)] if data else [Path("../shared/data")]
    return next((folder for folder in wanted if folder.is_dir()), None)


def _print(results: list[Result], language: str) -> None:
    table = Table(show_edge=False)
    for column in ("name", "value", "target", "verdict"):
        table.add_column(
            render(Text(f"bench.column_{column}"), language), justify="left" if column == "name" else "right"
        )
    for result in results:
        verdict = "" if result.met is None else render(Text("bench.met" if result.met else "bench.missed"), language)
        colour = {True: "green", False: "red", None: ""}[result.met]
        table.add_row(render(result.name, language), result.shown, result.target_shown, verdict, style=colour or None)
    Console().print(table)
