"""The whole analysis of a batch of posts: pure, no I/O, no clock. What is done once per text is done once."""

from collections.abc import Sequence

from bot.analysis import crisis_types
from bot.analysis.emotions import emotions
from bot.analysis.entities import MAX_ENTITIES, entities
from bot.analysis.influence import carrier, influence
from bot.analysis.irony import weigh_irony
from bot.analysis.keywords import Matcher, Matches
from bot.analysis.kinds import merged, shipped_kinds
from bot.analysis.names import names, organisations
from bot.analysis.noise import Noise, noise
from bot.analysis.sentiment import Engine, engine_named, weigh_types
from bot.analysis.stories import signatures
from bot.analysis.text import clean, fold, fold_and_language
from bot.analysis.whom import LIMIT, shipped_whom
from bot.model.grade import Sentiment
from bot.model.post import Analysis, Post, Subject, TypeHit

BATCH = 1_000
"""A good number of posts per call; more gains nothing, far fewer cost two or three times as much per post."""

NEWS_LENGTH = 20
BAD_NEWS = 1.0
"""Log odds from which a text is looked at for learnt kinds of bad news."""


class Analyser:
    """Analyses posts against ``subjects``. Raises ``bot.analysis.keywords.RuleError`` for a bad rule. ``judging``: only
    what warnings rest on, for replays; the mood, kinds and carriers are the same, entities and stories are missing."""

    def __init__(self, subjects: Sequence[Subject], engine: Engine | None = None, *, judging: bool = False) -> None:
        self.subjects = tuple(subjects)
        self.judging = judging
        self.engine = engine if engine is not None else engine_named("ngrams")
        self._matcher = Matcher(self.subjects)
        self._terms = crisis_types.default_terms()
        self._whom = shipped_whom()
        self._kinds = shipped_kinds()

    def with_subjects(self, subjects: Sequence[Subject]) -> "Analyser":
        """The same analysis with other rules; the engine is shared."""
        return Analyser(subjects, self.engine, judging=self.judging)

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
        watched = [number for number in range(len(folded)) if subjects[number] or not self.subjects]
        labels, scores = weigh_irony(labels, scores, folded, watched)
        types = self._with_learnt_kinds(folded, languages, subjects, types)
        marks = [b""] * len(folded) if self.judging else signatures(folded)
        felt = self._emotions(folded, languages, subjects, labels)
        results = []
        for number, post in enumerate(posts):
            carried_by = carrier(post)
            # Word classes cost more than all the rest, so only what is watched is looked at for names.
            looked_at = bool(subjects[number] or not self.subjects)
            if self.judging:  # names tell whom a bad post is about; nobody reads the others
                looked_at = looked_at and labels[number] is Sentiment.NEGATIVE
            named = names(folded[number]) if looked_at else ()
            kind = noise(folded[number]) if subjects[number] or not self.subjects else Noise.NONE
            if kind:  # it only uses the name: no mood towards it, no crisis of it
                labels[number], scores[number], types[number] = Sentiment.NEUTRAL, 0.0, ()
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
                    () if self.judging else (entities(folded[number]) + named)[:MAX_ENTITIES],
                    marks[number],
                    carried_by,
                    influence(post, carried_by),
                    spared,
                    kind.value,
                    "" if kind else felt.get(number, ""),
                )
            )
        return results

    def _emotions(
        self,
        folded: Sequence[str],
        languages: Sequence[str],
        subjects: Sequence[Matches],
        labels: Sequence[Sentiment],
    ) -> dict[int, str]:
        """The feeling of the negative Chinese posts that are watched, by their place in the batch."""
        negative = [
            number
            for number, label in enumerate(labels)
            if label is Sentiment.NEGATIVE and (subjects[number] or not self.subjects) and languages[number] == "zh"
        ]
        return dict(zip(negative, emotions([folded[number] for number in negative]), strict=True))

    def _with_learnt_kinds(
        self,
        folded: Sequence[str],
        languages: Sequence[str],
        subjects: Sequence[Matches],
        types: list[tuple[TypeHit, ...]],
    ) -> list[tuple[TypeHit, ...]]:
        """What is watched and reads like bad news of a company gets the kinds that were learnt from such news."""
        watched = [
            number
            for number, text in enumerate(folded)
            if (subjects[number] or not self.subjects) and languages[number] == "zh" and len(text) >= NEWS_LENGTH
        ]
        if not watched:
            return types
        odds = self._whom.bad_news([folded[number] for number in watched])
        news = [number for number, odd in zip(watched, odds, strict=True) if odd > BAD_NEWS]
        result = list(types)
        for number, hits in zip(news, self._kinds.types([folded[number] for number in news]), strict=True):
            result[number] = merged(types[number], hits)
        return result

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
