"""The whole analysis of a batch of posts: pure, no I/O, no clock. What is done once per text is done once."""

from collections.abc import Sequence

from bot.analysis import crisis_types
from bot.analysis.entities import MAX_ENTITIES, entities
from bot.analysis.influence import carrier, influence
from bot.analysis.keywords import Matcher, Matches
from bot.analysis.names import names, organisations
from bot.analysis.sentiment import Engine, engine_named, weigh_types
from bot.analysis.stories import signatures
from bot.analysis.text import clean, fold, fold_and_language
from bot.analysis.whom import LIMIT, shipped_whom
from bot.model.grade import Sentiment
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
        self._whom = shipped_whom()

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
            # Word classes cost more than all the rest, so only what is watched is looked at for names.
            named = names(folded[number]) if subjects[number] or not self.subjects else ()
            spared: tuple[str, ...] = ()
            if labels[number] is Sentiment.NEGATIVE and subjects[number]:
                spared = self._spared(folded[number], subjects[number], organisations(named))
            results.append(
                Analysis(
                    languages[number],
                    subjects[number],
                    labels[number],
                    scores[number],
                    types[number],
                    (entities(folded[number]) + named)[:MAX_ENTITIES],
                    marks[number],
                    carried_by,
                    influence(post, carried_by),
                    spared,
                )
            )
        return results

    def _spared(self, text: str, subjects: Matches, others: Sequence[str]) -> tuple[str, ...]:
        """The subjects that a negative text names without being negative about them."""
        if len(subjects) < 2 and not others:
            return ()
        start = text[:LIMIT]
        parties = [[word for word in map(fold, words) if word in start] for _, words in subjects]
        own = [word for party in parties for word in party]
        # A name that holds one of ours, or a part of it, is our own under its longer or shorter name.
        strangers = [[name] for name in others if not any(name in word or word in name for word in own)]
        if any(not party for party in parties) or len(parties) + len(strangers) < 2:
            return ()  # matched by a pattern, or far below: nothing to look around
        numbers = self._whom.spared(start, parties + strangers, len(subjects))
        return tuple(subjects[number][0] for number in numbers)
