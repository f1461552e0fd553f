"""The whole analysis of a batch of posts: pure, no I/O, no clock. What is done once per text is done once."""

from collections.abc import Sequence

from bot.analysis import crisis_types
from bot.analysis.entities import entities
from bot.analysis.influence import carrier, influence
from bot.analysis.keywords import Matcher
from bot.analysis.sentiment import Engine, engine_named, weigh_types
from bot.analysis.stories import signatures
from bot.analysis.text import clean, fold_and_language
from bot.model.post import Analysis, Post, Subject

BATCH = 1_000
"""A good number of posts per call; more gains nothing, far fewer cost two or three times as much per post."""


class Analyser:
    """Analyses posts against ``subjects``. Raises ``bot.analysis.keywords.RuleError`` for a bad rule."""

    def __init__(self, subjects: Sequence[Subject], engine: Engine | None = None) -> None:
        self.subjects = tuple(subjects)
        self.engine = engine if engine is not None else engine_named("ngrams")
        self._matcher = Matcher(self.subjects)
        self._terms = crisis_types.default_terms()

    def with_subjects(self, subjects: Sequence[Subject]) -> "Analyser":
        """The same analysis with other rules; the engine is shared."""
        return Analyser(subjects, self.engine)

    def analyse(self, posts: Sequence[Post]) -> list[Analysis]:
        """One ``Analysis`` per post, in order; never raises for what a post contains."""
        results: list[Analysis] = []
        for start in range(0, len(posts), BATCH):
            results += self._analyse_batch(posts[start : start + BATCH])
        return results

    def _analyse_batch(self, posts: Sequence[Post]) -> list[Analysis]:
        folded, languages = fold_and_language([clean(post.content) for post in posts])
        subjects = self._matcher.match(folded, [post.platform for post in posts])
        types = self._terms.classify(folded)
        labels, scores = weigh_types(*self.engine.score(folded), types)
        marks = signatures(folded)
        results = []
        for number, post in enumerate(posts):
            carried_by = carrier(post)
            results.append(
                Analysis(
                    languages[number],
                    subjects[number],
                    labels[number],
                    scores[number],
                    types[number],
                    entities(folded[number]),
                    marks[number],
                    carried_by,
                    influence(post, carried_by),
                )
            )
        return results
