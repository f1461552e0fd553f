"""What a part of the judgement table hands in, and how it finds its data."""

import gzip
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from bot.bench.result import Result
from bot.model.text import Text


@dataclass(frozen=True, slots=True)
class Judged:
    """One figure. ``peers`` says what others reach on the same data, if anybody published it."""

    result: Result
    peers: Text | None = None


Part = Callable[[Path], Sequence[Judged]]
"""Takes the data folder; raises ``MissingData`` where a file of it is absent."""


class MissingData(Exception):
    def __init__(self, file: str) -> None:
        super().__init__(file)
        self.file = file


def data_file(folder: Path, name: str) -> Path:
    """The file ``name`` (with its folder) of the data. Raises ``MissingData``."""
    file = folder / name
    if not file.is_file():
        raise MissingData(name)
    return file


def data_rows(folder: Path, name: str) -> Iterator[dict[str, Any]]:
    """The rows of a ``.jsonl.gz`` file. Raises ``MissingData`` at once, not at the first row."""
    file = data_file(folder, name)
    return _read(file)


def _read(file: Path) -> Iterator[dict[str, Any]]:
    with gzip.open(file, "rb") as stream:
        for line in stream:
            yield orjson.loads(line)


def judged(name: str, **params: object) -> Text:
    """The name of a figure: ``judgement.<name>`` of the catalogue."""
    return Text(f"judgement.{name}", params)


def peers(name: str, **params: object) -> Text:
    return Text(f"judgement.peers_{name}", params)
