"""The subjects in force: those of the configuration, with the rules that members put in force from chat over them."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from sqlite_utils import Database

from bot.config import Config
from bot.model.post import KeywordRule, Subject
from bot.store import rules
from bot.warning.assess import Thresholds, thresholds


class Watch:
    """Holds subjects and their thresholds; ``version`` changes whenever the rules do."""

    def __init__(self, config: Config) -> None:
        self._configured = tuple(item.subject() for item in config.subjects)
        self._subjects = self._configured
        self._by_id = _by_id(self._subjects)
        self._grading = config.grading
        self.version = 0

    def load(self, db: Database) -> None:
        """Take over the rules in force."""
        live = rules.live(db)
        subjects = tuple(
            replace(subject, rule=live[subject.id][1]) if subject.id in live else subject
            for subject in self._configured
        )
        if subjects != self._subjects:
            self._subjects = subjects
            self._by_id = _by_id(subjects)
            self.version += 1

    def subjects(self) -> Sequence[Subject]:
        return self._subjects

    def subject(self, words: str) -> Subject | None:
        """A subject by id, name or alias."""
        wanted = words.strip().lower()
        known = self._by_id.get(wanted)
        if known is not None:
            return known
        for item in self._subjects:
            if wanted in (item.id.lower(), item.name.lower(), *(alias.lower() for alias in item.aliases)):
                return item
        return None

    def with_rule(self, subject: Subject, rule: KeywordRule) -> Subject:
        return replace(subject, rule=rule)

    def thresholds(self, subject: Subject) -> Thresholds:
        """The rules of the subject's industry, unless the configuration names one preset for all."""
        return thresholds(self._grading.preset or subject.industry, self._grading.thresholds)

    def watch_words(self) -> Mapping[str, tuple[str, ...]]:
        return {item.id: tuple(word.lower() for word in item.watch) for item in self._subjects if item.watch}

    def sensitive_now(self, now: int) -> bool:
        """Whether a named sensitive period is running: sources are polled faster, thresholds are lower."""
        return any(period.from_ <= now < period.to for period in self._grading.sensitive_periods)


def _by_id(subjects: Sequence[Subject]) -> dict[str, Subject]:
    return {item.id.lower(): item for item in subjects}
