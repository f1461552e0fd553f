"""Posts and mentions: stored once, analysed once, counted by the minute."""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import astuple, dataclass, replace
from typing import Any

import orjson
from sqlite_utils import Database

from bot.model.grade import FAMILY_OF_TYPE, Carrier, CrisisType, Sentiment
from bot.model.post import Analysis, Author, Engagement, Post

MINUTE = 60_000
HOUR = 3_600_000
SENTIMENT_NUMBER = {Sentiment.NEGATIVE: -1, Sentiment.NEUTRAL: 0, Sentiment.POSITIVE: 1}
SENTIMENT_OF_NUMBER = {number: sentiment for sentiment, number in SENTIMENT_NUMBER.items()}
_CHUNK = 500

_INSERT_POST = (
    "INSERT INTO post (digest, id, source, platform, kind, url, title, text, author_key, author_name, followers,"
    " verified, published_at, collected_at, parent_id, root_id, views, likes, reposts, comments, location, drill)"
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
)
_POST_COLUMNS = (
    "seq, id, source, platform, kind, url, title, text, author_key, author_name, followers, verified, published_at,"
    " parent_id, root_id, views, likes, reposts, comments, location, drill"
)


@dataclass(frozen=True, slots=True)
class Stored:
    """What became of a batch: posts taken, posts seen before."""

    accepted: int
    duplicates: int


@dataclass(frozen=True, slots=True)
class Mention:
    """A stored mention with what a person wants to see of its post."""

    post: int
    platform: str
    text: str
    url: str
    author_name: str
    published_at: int
    sentiment: Sentiment
    types: tuple[tuple[str, tuple[str, ...]], ...]
    words: tuple[str, ...]
    influence: int
    carrier: Carrier
    engagement: int
    story: int


def digest_of(post: Post) -> bytes:
    """The identity under which a post is stored once: drill, source and id."""
    material = f"{post.drill}\x1f{post.source}\x1f{post.id}".encode("utf-8", "replace")
    return hashlib.blake2b(material, digest_size=16).digest()


def store(db: Database, posts: Sequence[Post], now: int) -> Stored:
    """Store the new ones; of the known ones take over grown engagement. One call belongs into one transaction."""
    fresh: dict[bytes, Post] = {}
    for post in posts:
        digest = digest_of(post)
        fresh[digest] = _grown(fresh[digest], post) if digest in fresh else post
    repeats = len(posts) - len(fresh)
    known: dict[bytes, tuple[int, int, int, int, int]] = {}
    digests = list(fresh)
    for start in range(0, len(digests), _CHUNK):
        chunk = digests[start : start + _CHUNK]
        marks = ",".join("?" * len(chunk))
        for row in db.conn.execute(
            f"SELECT digest, seq, views, likes, reposts, comments FROM post WHERE digest IN ({marks})",
            chunk,
        ):
            known[row[0]] = row[1:]
    for digest, (seq, *before) in known.items():
        _refresh_engagement(db, seq, before, fresh.pop(digest), now)
    db.conn.executemany(_INSERT_POST, [_post_row(digest, post, now) for digest, post in fresh.items()])
    return Stored(len(fresh), repeats + len(known))


def unanalysed(db: Database, limit: int) -> list[tuple[int, Post]]:
    """The oldest posts that the analysis has not seen, as (sequence number, post)."""
    after = cursor(db, "analysed")
    rows = db.conn.execute(f"SELECT {_POST_COLUMNS} FROM post WHERE seq > ? ORDER BY seq LIMIT ?", (after, limit))
    return [(row[0], post_of(row)) for row in rows]


def backlog(db: Database) -> int:
    """How many stored posts wait for analysis."""
    newest = db.conn.execute("SELECT COALESCE(MAX(seq), 0) FROM post").fetchone()[0]
    return int(newest) - cursor(db, "analysed")


def by_seq(db: Database, seqs: Iterable[int]) -> list[tuple[int, Post]]:
    """Posts by sequence number, in the order asked for; missing ones (forgotten, expired) are left out."""
    wanted = list(dict.fromkeys(seqs))[:_CHUNK]
    marks = ",".join("?" * len(wanted))
    found = {
        row[0]: post_of(row)
        for row in db.conn.execute(f"SELECT {_POST_COLUMNS} FROM post WHERE seq IN ({marks})", wanted)
    }
    return [(seq, found[seq]) for seq in wanted if seq in found]


def subjects_of(db: Database, digests: Iterable[bytes]) -> dict[bytes, list[str]]:
    """The subjects that stored posts were found to be about, by the digests of the posts."""
    wanted = list(digests)
    found: dict[bytes, list[str]] = {}
    for start in range(0, len(wanted), _CHUNK):
        chunk = wanted[start : start + _CHUNK]
        marks = ",".join("?" * len(chunk))
        for digest, subject in db.conn.execute(
            "SELECT p.digest, m.subject FROM post p JOIN mention m ON m.post = p.seq"
            f" WHERE p.digest IN ({marks}) ORDER BY m.subject",
            chunk,
        ):
            found.setdefault(digest, []).append(subject)
    return found


def cursor(db: Database, name: str) -> int:
    row = db.conn.execute("SELECT value FROM cursor WHERE name = ?", (name,)).fetchone()
    return int(row[0]) if row else 0


def move_cursor(db: Database, name: str, before: int, after: int) -> bool:
    """Advance a cursor only from where the caller saw it; False means that somebody else did the work already."""
    if before == 0:
        db.conn.execute("INSERT OR IGNORE INTO cursor (name, value) VALUES (?, 0)", (name,))
    return bool(
        db.conn.execute("UPDATE cursor SET value = ? WHERE name = ? AND value = ?", (after, name, before)).rowcount
    )


def record(
    db: Database, analysed: Sequence[tuple[int, Post, Analysis, int]], watch: dict[str, tuple[str, ...]], now: int
) -> set[tuple[str, str]]:
    """Write mentions and every count they move. ``analysed`` holds (sequence number, post, analysis, story id);
    ``watch`` the watch words of each subject, folded. Returns the (subject, drill) pairs that were touched."""
    mentions: list[tuple[Any, ...]] = []
    buckets: dict[tuple[Any, ...], list[int]] = {}
    hours: dict[tuple[str, str, str, int], list[int]] = {}
    terms: dict[tuple[str, str, int, str, str, str], int] = {}
    touched: set[tuple[str, str]] = set()
    grown = _engagement_now(db, [row[0] for row in analysed])
    for seq, post, analysis, story in analysed:
        engagement = grown.get(seq, post.engagement.total)
        at = min(post.published_at, now)
        minute, hour = at // MINUTE, at // HOUR
        for subject, words in analysis.subjects:
            hits = analysis.types_about(subject)
            family = FAMILY_OF_TYPE[hits[0].type if hits else CrisisType.OTHER]
            sentiment = SENTIMENT_NUMBER[analysis.sentiment_about(subject)]
            score = 0.0 if subject in analysis.spared else analysis.sentiment_score
            types = orjson.dumps([[hit.type.value, hit.words] for hit in hits]).decode()
            # A large account counts as a carrier of trouble when it is negative; media and hot lists already when they
            # name a crisis in neutral words.
            weighty = sentiment < 0 or (bool(hits) and analysis.carrier >= Carrier.TRADE_MEDIA)
            touched.add((subject, post.drill))
            mentions.append(
                (subject, seq, at, family, sentiment, score, types, orjson.dumps(words).decode(),
                 story or None, int(analysis.carrier), analysis.influence, engagement, post.platform, post.drill)
            )  # fmt: skip
            bucket = buckets.setdefault(
                (subject, post.drill, minute, family, post.platform, sentiment), [0, 0, 0, 0, -1, 0]
            )
            bucket[0] += 1
            bucket[1] += engagement
            if weighty and analysis.carrier > bucket[2]:
                bucket[2:4] = [int(analysis.carrier), seq]
            if analysis.influence > bucket[4]:
                bucket[4:6] = [analysis.influence, seq]
            counts = hours.setdefault((subject, post.drill, family, hour), [0, 0])
            counts[0] += 1
            counts[1] += sentiment < 0
            for hit in hits:
                if sentiment <= 0:
                    key = (subject, post.drill, minute, "type", hit.type.value, FAMILY_OF_TYPE[hit.type])
                    terms[key] = terms.get(key, 0) + 1
            if sentiment < 0 and analysis.emotion:
                key = (subject, post.drill, minute, "emotion", analysis.emotion, family)
                terms[key] = terms.get(key, 0) + 1
            if sentiment <= 0 and subject in watch:
                folded = post.content.lower()
                for word in watch[subject]:
                    if word in folded:
                        key = (subject, post.drill, minute, "word", word, family)
                        terms[key] = terms.get(key, 0) + 1
    _write_counts(db, mentions, buckets, hours, terms)
    return touched


def recent_mentions(
    db: Database,
    subject: str,
    since: int,
    *,
    drill: str = "",
    family: str = "",
    negative: bool = False,
    limit: int = 20,
) -> list[Mention]:
    """The newest mentions of a subject."""
    where = "m.subject = ? AND m.drill = ? AND m.published_at >= ?"
    parameters: list[Any] = [subject, drill, since]
    if family:
        where += " AND m.family = ?"
        parameters.append(family)
    if negative:
        where += " AND m.sentiment < 0"
    return _mentions(db, where, [*parameters, limit], "m.published_at DESC")


def mentions_of(db: Database, subject: str, seqs: Sequence[int]) -> list[Mention]:
    """The mentions of a subject in given posts, most influential first."""
    if not seqs:
        return []
    marks = ",".join("?" * len(seqs))
    return _mentions(db, f"m.subject = ? AND m.post IN ({marks})", [subject, *seqs, len(seqs)], "m.influence DESC")


def _mentions(db: Database, where: str, parameters: list[Any], order: str) -> list[Mention]:
    rows = db.conn.execute(
        "SELECT m.post, m.platform, p.text, p.url, p.author_name, m.published_at, m.sentiment, m.types, m.words,"
        " m.influence, m.carrier, m.engagement, COALESCE(s.topic, m.story), p.title"
        " FROM mention m JOIN post p ON p.seq = m.post LEFT JOIN story s ON s.id = m.story"
        f" WHERE {where} ORDER BY {order} LIMIT ?",
        parameters,
    )
    return [
        Mention(
            post=row[0],
            platform=row[1],
            text=row[2] or row[13] or "",
            url=row[3] or "",
            author_name=row[4] or "",
            published_at=row[5],
            sentiment=SENTIMENT_OF_NUMBER[row[6]],
            types=tuple((name, tuple(words)) for name, words in orjson.loads(row[7])),
            words=tuple(orjson.loads(row[8])),
            influence=row[9],
            carrier=Carrier(row[10]),
            engagement=row[11],
            story=row[12] or 0,
        )
        for row in rows
    ]


def _write_counts(
    db: Database,
    mentions: list[tuple[Any, ...]],
    buckets: dict[tuple[Any, ...], list[int]],
    hours: dict[tuple[str, str, str, int], list[int]],
    terms: dict[tuple[str, str, int, str, str, str], int],
) -> None:
    execute = db.conn.executemany
    execute(
        "INSERT OR IGNORE INTO mention (subject, post, published_at, family, sentiment, score, types, words, story,"
        " carrier, influence, engagement, platform, drill) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        mentions,
    )
    execute(
        "INSERT INTO bucket (subject, drill, minute, family, platform, sentiment, count, engagement, carrier,"
        " carrier_post, top_influence, top_post) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
        " ON CONFLICT DO UPDATE SET count = count + excluded.count, engagement = engagement + excluded.engagement,"
        " carrier_post = CASE WHEN excluded.carrier > carrier THEN excluded.carrier_post ELSE carrier_post END,"
        " carrier = MAX(carrier, excluded.carrier),"
        " top_post = CASE WHEN excluded.top_influence > top_influence THEN excluded.top_post ELSE top_post END,"
        " top_influence = MAX(top_influence, excluded.top_influence)",
        [(*key, *values) for key, values in buckets.items()],
    )
    execute(
        "INSERT INTO hour (subject, drill, family, hour, mentions, negative) VALUES (?, ?, ?, ?, ?, ?)"
        " ON CONFLICT DO UPDATE SET mentions = mentions + excluded.mentions, negative = negative + excluded.negative",
        [(*key, *values) for key, values in hours.items()],
    )
    execute(
        "INSERT INTO term (subject, drill, minute, kind, word, family, count) VALUES (?, ?, ?, ?, ?, ?, ?)"
        " ON CONFLICT DO UPDATE SET count = count + excluded.count",
        [(*key, count) for key, count in terms.items()],
    )


def _engagement_now(db: Database, seqs: Sequence[int]) -> dict[int, int]:
    """Engagement as it stands: a post may have been seen again while its analysis was under way."""
    found: dict[int, int] = {}
    for start in range(0, len(seqs), _CHUNK):
        chunk = seqs[start : start + _CHUNK]
        marks = ",".join("?" * len(chunk))
        found.update(
            db.conn.execute(
                f"SELECT seq, likes + reposts + comments FROM post WHERE seq IN ({marks})", chunk
            ).fetchall()
        )
    return found


def _grown(first: Post, again: Post) -> Post:
    """One post twice in a batch: the first one with the larger figures of both, as if it had come in two batches."""
    pairs = zip(astuple(first.engagement), astuple(again.engagement), strict=True)
    return replace(first, engagement=Engagement(*(max(pair) for pair in pairs)))


def _refresh_engagement(db: Database, seq: int, before: Sequence[int], post: Post, now: int) -> None:
    """A known post seen again: keep the larger figures and count the growth in the minute it was seen."""
    seen = (post.engagement.views, post.engagement.likes, post.engagement.reposts, post.engagement.comments)
    after = [max(old, new) for old, new in zip(before, seen, strict=True)]
    if after == list(before):
        return
    db.conn.execute("UPDATE post SET views = ?, likes = ?, reposts = ?, comments = ? WHERE seq = ?", (*after, seq))
    growth = sum(after[1:]) - sum(before[1:])
    if not growth:
        return
    for subject, drill, family, platform, sentiment in db.conn.execute(
        "SELECT subject, drill, family, platform, sentiment FROM mention WHERE post = ?", (seq,)
    ).fetchall():
        db.conn.execute(
            "UPDATE mention SET engagement = engagement + ? WHERE post = ? AND subject = ?", (growth, seq, subject)
        )
        db.conn.execute(
            "INSERT INTO bucket (subject, drill, minute, family, platform, sentiment, count, engagement, carrier,"
            " carrier_post, top_influence, top_post) VALUES (?, ?, ?, ?, ?, ?, 0, ?, 0, 0, -1, 0)"
            " ON CONFLICT DO UPDATE SET engagement = engagement + excluded.engagement",
            (subject, drill, now // MINUTE, family, platform, sentiment, growth),
        )


def _post_row(digest: bytes, post: Post, now: int) -> tuple[Any, ...]:
    author, engagement = post.author, post.engagement
    return (
        digest, post.id, post.source, post.platform, post.kind, post.url, post.title, post.text, author.id, author.name,
        author.followers, author.verified, post.published_at, now, post.parent_id, post.root_id, engagement.views,
        engagement.likes, engagement.reposts, engagement.comments, post.location, post.drill,
    )  # fmt: skip


def post_of(row: Sequence[Any]) -> Post:
    return Post(
        id=row[1], source=row[2], platform=row[3], kind=row[4], url=row[5], title=row[6], text=row[7],
        author=Author(row[8], row[9], row[10], bool(row[11])), published_at=row[12], parent_id=row[13],
        root_id=row[14], engagement=Engagement(row[15], row[16], row[17], row[18]), location=row[19], drill=row[20],
    )  # fmt: skip
