"""Trained weights as numbered files beside the store, and which of them is in force. 0 is what comes with Fengbo."""

import logging
from pathlib import Path

from bot.analysis.sentiment import Engine, HashedNgrams, Weights, engine_named, shipped_weights
from bot.config import Config

log = logging.getLogger(__name__)

_CURRENT = "sentiment.current"


class Models:
    """The weights in one folder. A version's file is never changed; going back is a change of one number."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @property
    def current(self) -> int:
        """The version in force; 0 where none was trained, or where the note of it cannot be read."""
        try:
            return max(0, int((self.folder / _CURRENT).read_text(encoding="ascii")))
        except FileNotFoundError:
            return 0
        except (OSError, ValueError) as error:
            log.error("which weights are in force cannot be read, the shipped ones are used: %s", error)
            return 0

    def weights(self) -> Weights:
        """Of the version in force. A missing or broken file is logged and the shipped weights serve instead."""
        version = self.current
        if not version:
            return shipped_weights()
        try:
            return Weights.load(self.file(version))
        except (OSError, ValueError) as error:
            log.error("weights %d cannot be used, the shipped ones are: %s", version, error)
            return shipped_weights()

    def apply(self, weights: Weights) -> int:
        """Keep the weights as a new version and put them in force; returns its number."""
        self.folder.mkdir(parents=True, exist_ok=True)
        numbers = [int(file.stem.removeprefix("sentiment-")) for file in self.folder.glob("sentiment-[0-9]*.npz")]
        version = max(numbers, default=0) + 1
        part = self.folder / f"part-{version}.npz"
        weights.save(part)
        part.replace(self.file(version))
        (self.folder / f"sentiment-{version:04}.before").write_text(str(self.current), encoding="ascii")
        self._put_in_force(version)
        return version

    def roll_back(self) -> int | None:
        """Put the version before the current one in force; None where the shipped weights are in force already."""
        version = self.current
        if not version:
            return None
        try:
            before = int((self.folder / f"sentiment-{version:04}.before").read_text(encoding="ascii"))
        except (OSError, ValueError) as error:
            log.warning("what was in force before %d is not known, the shipped weights are: %s", version, error)
            before = 0
        self._put_in_force(before)
        return before

    def file(self, version: int) -> Path:
        return self.folder / f"sentiment-{version:04}.npz"

    def _put_in_force(self, version: int) -> None:
        part = self.folder / f"{_CURRENT}.part"
        part.write_text(str(version), encoding="ascii")
        part.replace(self.folder / _CURRENT)


def models_of(config: Config) -> Models:
    return Models(Path(config.store).parent / "models")


def engine_of(config: Config) -> Engine:
    """The sentiment engine that the configuration names, with the weights in force."""
    if config.grading.engine != "ngrams":
        return engine_named(config.grading.engine)
    return HashedNgrams(models_of(config).weights())
