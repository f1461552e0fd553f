"""What the picture of a spread says: who brought it where, when, and how much followed.

One row for the source, for every account that carried it far, and for the first post on every further platform, in the
order of time: read from the upper left to the lower right. A solid line is a repost, a dashed one the same words on
another platform. The strip at the foot counts all posts.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from bot.analysis.cascade import key_carriers
from bot.analysis.cascades import Cascade, key_of
from bot.analysis.spread import Spread
from bot.model.seen import Seen
from bot.model.text import Text
from bot.reports.axes import DEFAULT_ZONE, clock_label
from bot.texts import render

MOST_ROWS = 10
MOST_CARRIERS = 5
MOST_SOURCES = 3
LEAST_SHARE = 50  # a carrier brought at least one in so many of a cascade's reposts
_UNITS = {"zh-CN": (10_000, 100_000_000), "en": (1_000, 1_000_000)}  # of spread.many and spread.huge
NAME = 14  # characters of a name that are shown


@dataclass(frozen=True, slots=True)
class Row:
    """``above`` is the row it came from, -1 for none; ``same_words``: not by repost but in the same words. ``times``
    are the posts that followed it here and are not another row's; ``carried`` how many came of it altogether."""

    platform: str
    name: str
    detail: str
    at: int
    carried: int
    above: int = -1
    same_words: bool = False
    times: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Picture:
    """All words are in the reader's language. ``posts`` are time and platform of everything counted."""

    title: str
    subtitle: str
    footnote: str
    summary: str
    rows: tuple[Row, ...]
    posts: tuple[tuple[int, str], ...]
    start: int
    end: int
    language: str
    zone: str = DEFAULT_ZONE


@dataclass(frozen=True, slots=True)
class _Draft:
    row: Row
    key: str
    above: str = ""


def picture_of(
    spread: Spread, seen: Sequence[Seen], title: str, language: str, now: int, zone: str = DEFAULT_ZONE
) -> Picture:
    """Choose the rows and find the words. ``seen`` are the posts that ``spread`` was made of."""
    rows = _ordered(_drafts(spread, seen, language))
    start = min([spread.first_at or now, *(row.at for row in rows)])
    end = max(spread.last_at, start + 10_000)
    params = {
        "title": title, "count": f"{spread.posts:,}", "platforms": len(spread.arrivals),
        "from": clock_label(start, zone, "%m-%d %H:%M"), "to": clock_label(end, zone, "%m-%d %H:%M"),
    }  # fmt: skip
    key = "spread.picture_source" if spread.posts else "spread.picture_empty"
    return Picture(
        title=title,
        subtitle=headline(spread, language),
        footnote=render(Text(key, params), language),
        summary=f"{title}: {headline(spread, language)}",
        rows=tuple(rows),
        posts=tuple((one.at, one.post.platform) for one in seen),
        start=start,
        end=end,
        language=language,
        zone=zone,
    )


def headline(spread: Spread, language: str) -> str:
    """The picture in one line."""
    if not spread.posts:
        return render(Text("spread.nothing"), language)
    parts = [Text("spread.reached", {"posts": f"{spread.posts:,}", "platforms": len(spread.arrivals)})]
    if spread.shape is not None:
        size = spread.cascades[0].tree.size
        parts.append(Text("spread.largest", {"size": f"{size:,}", "depth": spread.shape.depth}))
    if spread.expected is not None and spread.expected.middle > spread.expected.now:
        parts.append(Text("spread.tomorrow", expected_params(spread)))
    return " · ".join(render(part, language) for part in parts)


def expected_params(spread: Spread) -> dict[str, str]:
    """The forecast with as many figures as it is worth."""
    assert spread.expected is not None
    expected = spread.expected
    names = ("now", "middle", "low", "high")
    values = (expected.now, *(_rounded(value) for value in (expected.middle, expected.low, expected.high)))
    return {name: f"{value:,}" for name, value in zip(names, values, strict=True)}


def shown_name(name: str) -> str:
    """A name as a picture or list shows it: plain, short, one line; empty for nobody known."""
    plain = "".join(character for character in name if character.isprintable()).strip().lstrip("@")
    if not plain:
        return ""
    return "@" + (plain if len(plain) <= NAME else plain[: NAME - 1] + "…")


def people(count: int, language: str) -> str:
    """``12.3 万`` in Chinese, ``123k`` in English; exact below ten thousand."""
    if count < 10_000:
        return f"{count:,}"
    many, huge = _UNITS[language]
    name, unit = ("huge", huge) if count >= huge else ("many", many)
    return render(Text(f"spread.{name}", {"count": f"{count / unit:.3g}"}), language)


def _rounded(value: int) -> int:
    """Two figures: a forecast knows no more."""
    unit: int = 10 ** max(0, len(str(value)) - 2)
    return round(value / unit) * unit


def _drafts(spread: Spread, seen: Sequence[Seen], language: str) -> list[_Draft]:
    drafts: dict[str, _Draft] = {}
    for cascade in spread.cascades[:MOST_SOURCES]:
        if not drafts or cascade.tree.size * 10 >= spread.cascades[0].tree.size:
            drafts.update(_cascade_rows(cascade, MOST_CARRIERS if not drafts else 1, language))
    drawn = {key for cascade in spread.cascades[:MOST_SOURCES] if cascade.root.id in drafts for key in cascade.seen}
    by_platform: dict[str, list[int]] = {}
    for one in seen:
        if key_of(one.post, one.post.id) not in drawn:
            by_platform.setdefault(one.post.platform, []).append(one.at)
    first_row = {draft.row.platform: draft.key for draft in reversed(_by_time(drafts.values()))}
    for number, arrival in enumerate(spread.arrivals):
        key = f"first\x1f{arrival.platform}"
        post = arrival.first.post
        # Who said it first has a row, and so has whoever brought it to a platform that has none yet.
        if key_of(post, post.id) in drawn or (number and arrival.platform in first_row):
            continue
        what = "first_of_all" if not number else "posts_here"
        detail = _detail(post.author.followers, arrival.posts, what, language)
        row = Row(
            arrival.platform, shown_name(post.author.name or ""), detail, arrival.first.at, arrival.posts,
            same_words=bool(arrival.words_from), times=tuple(by_platform.get(arrival.platform, ())),
        )  # fmt: skip
        drafts[key] = _Draft(row, key, first_row.get(arrival.words_from, ""))
        first_row[arrival.platform] = key
    first = _by_time(drafts.values())[:1]
    ranked = sorted(
        drafts.values(), key=lambda draft: (draft not in first, -draft.row.carried, draft.row.at, draft.key)
    )
    kept = {draft.key for draft in ranked[:MOST_ROWS]}
    return [draft for draft in drafts.values() if draft.key in kept]


def _cascade_rows(cascade: Cascade, most: int, language: str) -> dict[str, _Draft]:
    """The source and its carriers; each repost counts for the nearest of them above it."""
    tree = cascade.tree
    least = max(3, tree.size // LEAST_SHARE)
    chosen = [0, *key_carriers(tree, most, least)]
    owner = list(range(len(tree.items)))
    times: dict[int, list[int]] = {index: [] for index in chosen}
    for index in sorted(range(1, len(tree.items)), key=lambda number: tree.depths[number]):
        above = owner[tree.parents[index]]
        times[above].append(tree.items[index].at)
        owner[index] = index if index in times else above
    rows = {}
    for index in chosen:
        item = tree.items[index]
        carried = tree.size if index == 0 else tree.descendants[index]
        what = "carried_on" if index else "source_carried" if cascade.collected_root else "unseen_carried"
        detail = _detail(item.followers, carried, what, language)
        row = Row(item.platform, shown_name(item.name), detail, item.at, carried, times=tuple(sorted(times[index])))
        rows[item.id] = _Draft(row, item.id, tree.items[owner[tree.parents[index]]].id if index else "")
    return rows


def _detail(followers: int, count: int, key: str, language: str) -> str:
    parts = [Text("spread.followers", {"count": people(followers, language)})] if followers else []
    return " · ".join(render(part, language) for part in [*parts, Text(f"spread.{key}", {"count": f"{count:,}"})])


def _by_time(drafts: Iterable[_Draft]) -> list[_Draft]:
    return sorted(drafts, key=lambda draft: (draft.row.at, draft.key))


def _ordered(drafts: list[_Draft]) -> list[Row]:
    """By time, a row never above the one it came from (clocks differ), with places instead of keys."""
    waiting = _by_time(drafts)
    keys = {draft.key for draft in drafts}
    place: dict[str, int] = {}
    rows: list[Row] = []
    while waiting:
        following = next(
            (draft for draft in waiting if draft.above not in keys or draft.above in place), waiting[0]
        )  # fmt: skip
        waiting.remove(following)
        place[following.key] = len(rows)
        rows.append(replace(following.row, above=place.get(following.above, -1)))
    return rows
