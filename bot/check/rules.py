"""Keyword rules that match too much, and what each rule matched in the last day."""

import sqlite3
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from functools import cache
from importlib import resources
from pathlib import Path

from bot import quick_yaml
from bot.analysis.keywords import Matcher, RuleError
from bot.analysis.text import clean, fold
from bot.check.findings import Finding, error, note, ok, warn
from bot.clock import DAY
from bot.config import Config
from bot.model.post import Subject
from bot.model.text import Text
from bot.store.files import read_only
from bot.texts import has

# A rule alone with such a word collects the whole internet: one Chinese character, two Latin letters.
SHORTEST_CHINESE = 2
SHORTEST_LATIN = 3
# From this share of everyday sentences on, a rule says nothing any more.
EVERYTHING = 0.5
# As many of the newest posts as are tried; a day of a busy organisation is more, its newest part says enough.
TRIAL_POSTS = 20_000


def check(config: Config, now: int) -> list[Finding]:
    found: list[Finding] = []
    sound: list[Subject] = []
    for item in config.subjects:
        subject = item.subject()
        try:
            matcher = Matcher([subject])
        except RuleError as problem:
            found.append(_refused(subject, problem))
            continue
        if _share_of_everything(matcher) >= EVERYTHING:
            found.append(error("rule_everything", subject=subject.name))
            continue
        sound.append(subject)
        found.extend(_short_words(subject))
    if sound and len(sound) == len(config.subjects):
        found.append(ok("rules", count=len(sound)))
    if sound:
        found.extend(_last_day(config, sound, now))
    return found


def _refused(subject: Subject, problem: RuleError) -> Finding:
    name = f"rule_{problem.code}"
    name = name if has(f"check.{name}") else "rule_bad"
    return "error", Text(
        f"check.{name}",
        {"subject": subject.name, "place": f"match.{problem.place}", "detail": problem.detail or problem.code},
    )


def _short_words(subject: Subject) -> Iterator[Finding]:
    """Short words are fine beside an ``all`` word, which narrows them down; alone they are not."""
    if subject.rule.all:
        return
    short = [word for word in subject.rule.any if _too_short(fold(clean(word)))]
    if short:
        yield warn("rule_short", subject=subject.name, words=short)


def _too_short(word: str) -> bool:
    return len(word) < (SHORTEST_LATIN if word.isascii() else SHORTEST_CHINESE)


@cache
def _probes() -> tuple[str, ...]:
    text = resources.files(__package__).joinpath("probes.yaml").read_text(encoding="utf-8")
    return tuple(quick_yaml.load(text))


def _share_of_everything(matcher: Matcher) -> float:
    probes = _probes()
    return sum(1 for matches in matcher.explain(probes) if matches) / len(probes)


def _last_day(config: Config, subjects: list[Subject], now: int) -> list[Finding]:
    """Try today's rules on the posts of the last 24 hours, if there is a store already."""
    rows = _recent_posts(Path(config.store), now - DAY)
    if rows is None:
        return [note("no_history")]
    if not rows:
        return [note("no_posts")]
    counts: Counter[str] = Counter()
    matcher = Matcher(subjects)
    texts = [fold(clean(text)) for _, text in rows]
    for matches in matcher.match(texts, [platform for platform, _ in rows]):
        counts.update(subject for subject, _ in matches)
    found: list[Finding] = []
    for subject in subjects:
        params = {"subject": subject.name, "count": counts[subject.id], "posts": len(rows)}
        if counts[subject.id] * 2 > len(rows) and len(subjects) > 1 and len(rows) >= 200:
            found.append(note("rule_matched_much", **params))
        else:
            found.append((note if counts[subject.id] else warn)("rule_matched", **params))
    return found


def _recent_posts(path: Path, since: int) -> list[tuple[str, str]] | None:
    """``(platform, text)`` of the newest posts; None where there is no store to read yet."""
    if not path.is_file():
        return None
    try:
        with closing(read_only(path)) as connection:
            return connection.execute(
                "SELECT platform, COALESCE(title, '') || ' ' || text FROM post WHERE drill = '' AND seq >"
                " (SELECT COALESCE(MAX(seq), 0) - ? FROM post) AND collected_at >= ? ORDER BY seq DESC",
                (TRIAL_POSTS, since),
            ).fetchall()
    except sqlite3.Error:  # not a store, or one of another version: the machine check says so
        return None
