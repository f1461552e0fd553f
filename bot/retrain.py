"""Training on labels from files and from chat: compared first, put in force only when somebody says so."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import orjson
from rich.console import Console
from rich.table import Table

from bot.analysis.adapting import Adapted, adapt
from bot.analysis.training import Sample, TrainingError
from bot.model.grade import Sentiment
from bot.model.text import Text
from bot.models import Models
from bot.store.database import Store
from bot.store.labels import SENTIMENT_OF_VERDICT, Label, labels
from bot.texts import render
from bot.warning.proposals import proposals

MAX_TEXT = 100_000
_SHAPE = '{"text": "…", "sentiment": "negative" | "neutral" | "positive"}'


def retrain(files: list[Path], store: Path, models: Models, apply_: bool, language: str) -> int:
    """Returns the exit code of ``fengbo train``."""
    samples = [sample for file in files for sample in read_samples(file, language)]
    pressed, suggested = _from_chat(store)
    _say(Text("train.begin", {"files": len(samples), "chat": len(pressed)}), language)
    for text in suggested:
        _say(text, language)
    old = models.weights()
    try:
        with click.progressbar(length=1, file=sys.stderr) as bar:

            def progress(done: int, total: int) -> None:
                bar.length = total
                bar.update(done - bar.pos)

            adapted = adapt(old, [*samples, *pressed], progress)
    except TrainingError as error:
        _say(Text("train.too_few", {"problem": str(error)}), language)
        return 1
    except ModuleNotFoundError as error:
        if error.name not in {"sklearn", "scipy"}:
            raise
        _say(Text("train.no_library"), language)
        return 2
    _show(adapted, language)
    if adapted.after.macro_f1 < adapted.before.macro_f1:
        _say(Text("train.worse"), language)
        return 1
    asked = sys.stdin.isatty()
    if not apply_ and not (asked and click.confirm(render(Text("train.ask"), language), err=True)):
        _say(Text("train.not_applied"), language)
        return 0
    version = models.apply(adapted.weights)
    _say(Text("train.applied", {"version": version, "folder": os.fspath(models.folder)}), language)
    return 0


def read_samples(file: Path, language: str) -> Iterator[Sample]:
    """The good rows of a file; each bad one is named by its line and left out."""
    with file.open("rb") as stream:
        for number, line in enumerate(stream, 1):
            if not line.strip():
                continue
            try:
                row = orjson.loads(line)
                text, label = row["text"], row.get("sentiment", row.get("label"))
                if not isinstance(text, str) or not text.strip() or len(text) > MAX_TEXT:
                    raise ValueError("text")
                yield Sample(text, Sentiment(label))
            except (orjson.JSONDecodeError, KeyError, AttributeError, TypeError, ValueError):
                _say(Text("train.bad_row", {"file": file.name, "line": number, "shape": _SHAPE}), language)


def _from_chat(store: Path) -> tuple[list[Sample], list[Text]]:
    """What people pressed about the mood of posts, and what all their verdicts suggest."""
    if not store.is_file():
        return [], []
    opened = Store(store)
    try:
        found: list[Label] = opened.read_now(labels)
    finally:
        opened.close()
    samples = [
        Sample(item.text, SENTIMENT_OF_VERDICT[item.verdict]) for item in found if item.verdict in SENTIMENT_OF_VERDICT
    ]
    return samples, proposals((item.subject, item.verdict.value, item.incident) for item in found)


def _show(adapted: Adapted, language: str) -> None:
    def word(key: str, **params: object) -> str:
        return render(Text(key, params), language)

    table = Table(title=word("train.compared", held=adapted.held, trained=adapted.trained), show_edge=False)
    for column in ("figure", "before", "after"):
        table.add_column(word(f"train.column_{column}"), justify="left" if column == "figure" else "right")

    def row(name: str, before: float, after: float) -> None:
        table.add_row(name, f"{100 * before:.1f} %", f"{100 * after:.1f} %")

    row(word("train.macro_f1"), adapted.before.macro_f1, adapted.after.macro_f1)
    recall_after = dict(adapted.after.recall)
    for label, before in adapted.before.recall:
        row(word("train.recall", label=Text(f"train.label.{label.value}")), before, recall_after[label])
    Console().print(table)


def _say(text: Text, language: str) -> None:
    click.echo(render(text, language), err=True)
