"""Posts come in by one door: read strictly, explained field by field, stored once; no item stops another."""

import json
from pathlib import Path
from typing import Any

import pytest
from factories import HOUR, NOW, config
from hypothesis import given
from hypothesis import strategies as st

from bot.clock import VirtualClock
from bot.intake import accept
from bot.intake.accept import Accepted
from bot.intake.intake import CHUNK, HookRefused, Intake
from bot.intake.minimise import Minimiser
from bot.store.database import Store

MINIMISER = Minimiser(("phone",), b"key")
GOOD = {"text": "星河支付提现失败", "published_at": "2026-01-05T09:00:00+08:00"}


def nested(depth: int) -> list[Any]:
    inner: list[Any] = []
    for _ in range(depth):
        inner = [inner]
    return inner


def read(*items: Any, now: int = NOW) -> accept.Reading:
    return accept.read(items, MINIMISER, source="vendor", platform="weibo", now=now)


@pytest.fixture
def store(tmp_path: Path):
    opened = Store(tmp_path / "s.db")
    yield opened
    opened.close()


def keep(store: Store, *items: Any) -> Accepted:
    reading = read(*items)
    return store.write_now(lambda db: accept.keep(db, reading, items, "vendor", NOW))


@pytest.mark.parametrize(
    ("change", "place"),
    [
        ({"text": ""}, "text"),
        ({"text": None}, "text"),
        ({"text": "x" * 100_001}, "text"),
        ({"text": ["x"]}, "text"),
        ({"published_at": None}, "published_at"),
        ({"published_at": "soon"}, "published_at"),
        ({"published_at": ""}, "published_at"),
        ({"published_at": "1999-12-31T00:00:00Z"}, "published_at"),
        ({"published_at": "2026-01-07T00:00:00Z"}, "published_at"),
        ({"published_at": True}, "published_at"),
        ({"published_at": float("nan")}, "published_at"),
        ({"published_at": float("inf")}, "published_at"),
        ({"published_at": "²²²²²²²²²²"}, "published_at"),
        ({"published_at": "99999-01-01"}, "published_at"),
        ({"published_at": [2026]}, "published_at"),
        ({"id": {"a": 1}}, "id"),
        ({"author": "Li"}, "author"),
        ({"engagement": 3}, "engagement"),
        ({"engagement": {"likes": "many"}}, "engagement.likes"),
        ({"engagement": {"likes": float("nan")}}, "engagement.likes"),
        ({"author": {"followers": []}}, "author.followers"),
    ],
)
def test_what_cannot_be_taken_names_the_field(change: dict[str, Any], place: str) -> None:
    reading = read(GOOD, {**GOOD, **change}, GOOD)
    assert len(reading.posts) == 2
    ((index, error),) = reading.rejected
    assert index == 1 and error.startswith(f"{place}:"), error


@pytest.mark.parametrize("item", [None, 3, "text", [], [GOOD]])
def test_what_is_no_object_is_refused(item: Any) -> None:
    assert read(item).rejected[0][1] == "post: must be a JSON object"


@pytest.mark.parametrize(
    ("value", "moment"),
    [
        ("2026-01-05T09:00:00+08:00", NOW - HOUR),
        ("2026-01-05T01:00:00Z", NOW - HOUR),
        ("2026-01-05 09:00:00", NOW - HOUR),
        ("Mon, 05 Jan 2026 01:00:00 GMT", NOW - HOUR),
        ((NOW - HOUR) // 1000, NOW - HOUR),
        (NOW - HOUR, NOW - HOUR),
        (str((NOW - HOUR) // 1000), NOW - HOUR),
        (str(NOW - HOUR), NOW - HOUR),
        (NOW / 1000 + 3600, NOW + HOUR),
    ],
)
def test_times_are_read_in_every_usual_shape(value: Any, moment: int) -> None:
    (post,) = read({**GOOD, "published_at": value}).posts
    assert post.published_at == moment


def test_without_an_id_the_content_is_the_identity() -> None:
    first, same, other = read(GOOD, GOOD, {**GOOD, "text": "星河支付提现失败了"}).posts
    assert first.id == same.id != other.id


def test_defaults_apply_only_where_the_item_says_nothing() -> None:
    plain, own = read(GOOD, {**GOOD, "source": "x-api", "platform": "x", "kind": "comment"}).posts
    assert (plain.source, plain.platform, plain.kind) == ("vendor", "weibo", "post")
    assert (own.source, own.platform, own.kind) == ("x-api", "x", "comment")


_json = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
_fields = st.sampled_from(
    [
        "id",
        "text",
        "title",
        "published_at",
        "url",
        "author",
        "engagement",
        "source",
        "platform",
        "kind",
        "parent_id",
        "location",
    ]
)
_author = st.dictionaries(st.sampled_from(["id", "name", "followers", "verified", "likes", "views"]), _json)


@given(
    items=st.lists(
        _json
        | st.dictionaries(_fields, _json | _author)
        | st.dictionaries(_fields, _json | _author).map(lambda d: {**GOOD, **d}),
        max_size=4,
    )
)
def test_no_batch_breaks_the_door_and_every_item_is_taken_or_explained(items: list[Any]) -> None:
    reading = read(*items)
    assert len(reading.posts) + len(reading.rejected) == len(items)
    from sqlite_utils import Database

    from bot.store.tables import migrations

    db = Database(memory=True)
    migrations.apply(db)
    result = accept.keep(db, reading, items, "vendor", NOW)
    assert result.accepted + result.duplicates == len(reading.posts)


@pytest.mark.parametrize(
    "item",
    [
        {"text": "\ud800"},
        {"id": "\ud83d", **GOOD},
        {**GOOD, "text": "a\x00b"},
        {**GOOD, "author": {"id": "\ud800", "name": "\udfff"}},
        {"text": 2**70},
        {"text": [2**70]},
        {**GOOD, "source": "\ud800"},
        {"text": nested(900)},
    ],
)
def test_odd_characters_and_numbers_are_stored_or_refused_and_never_stop_a_batch(
    store: Store, item: dict[str, Any]
) -> None:
    result = keep(store, item, GOOD)
    assert result.accepted + result.duplicates + len(result.rejected) == 2 and result.accepted >= 1


def test_refused_items_are_kept_to_look_at_two_hundred_of_each_source(store: Store) -> None:
    bad = [{"text": "", "n": number} for number in range(250)]
    keep(store, {"text": "", "first": True})
    reading = accept.read(bad, MINIMISER, source="other", platform="x", now=NOW)
    store.write_now(lambda db: accept.keep(db, reading, bad, "other", NOW))
    rows = store.read_now(
        lambda db: db.conn.execute("SELECT source, COUNT(*) FROM rejected_post GROUP BY source").fetchall()
    )
    assert rows == [("other", 200), ("vendor", 1)]
    keep(store, {"text": ""})
    assert store.read_now(
        lambda db: db.conn.execute("SELECT COUNT(*) FROM rejected_post WHERE source = 'vendor'").fetchone()
    ) == (2,)
    item = store.read_now(
        lambda db: db.conn.execute("SELECT item, error FROM rejected_post WHERE source = 'vendor'").fetchone()
    )
    assert json.loads(item[0]) == {"text": "", "first": True} and item[1].startswith("text:")


class Door:
    def __init__(self, folder: Path) -> None:
        self.store, self.clock = Store(folder / "i.db"), VirtualClock(NOW)
        self.pushes: list[tuple[str, int]] = []
        self.stored: list[Accepted] = []
        settings = config().model_copy(
            update={
                "sources": [
                    source.model_copy(
                        update={"items": "list[]", "map": {"text": "content", "published_at": "at", "id": "mid"}}
                    )
                    if source.id == "vendor"
                    else source
                    for source in config().sources
                ]
            }
        )
        self.intake = Intake(
            settings,
            self.store,
            self.clock,
            MINIMISER,
            lambda db, source, count, now: self.pushes.append((source, count)),
            self.stored.append,
        )


@pytest.fixture
def door(tmp_path: Path):
    made = Door(tmp_path)
    yield made
    made.store.close()


async def test_a_large_batch_is_stored_whole_and_reported_once(door: Door) -> None:
    items = [{**GOOD, "id": str(number)} for number in range(CHUNK * 2 + 7)]
    items[3] = {"text": ""}
    first = await door.intake.take(items, "vendor", "weibo")
    again = await door.intake.take(items, "vendor", "weibo")
    assert (first.accepted, first.duplicates, [index for index, _ in first.rejected]) == (CHUNK * 2 + 6, 0, [3])
    assert (again.accepted, again.duplicates) == (0, CHUNK * 2 + 6)
    assert len(door.stored) == 2
    assert door.store.read_now(lambda db: db.conn.execute("SELECT COUNT(*) FROM rejected_post").fetchone()) == (2,)


async def test_posts_are_minimised_before_they_are_stored(door: Door) -> None:
    await door.intake.take(
        [{**GOOD, "text": "打13812345678", "author": {"id": "u1", "name": "王小明"}}], "vendor", "weibo"
    )
    row = door.store.read_now(lambda db: db.conn.execute("SELECT text, author_key, author_name FROM post").fetchone())
    assert row[0] == "打138******78" and row[1] != "u1" and row[2] == "王**"
    raw = door.store.path.read_bytes() + door.store.path.with_name("i.db-wal").read_bytes()
    assert b"13812345678" not in raw and "王小明".encode() not in raw


async def test_an_empty_batch_still_tells_that_the_source_lives(door: Door) -> None:
    assert await door.intake.take([], "vendor", "weibo") == Accepted(0, 0)
    assert door.pushes == [("vendor", 0)]


async def test_a_vendors_payload_is_mapped_and_its_errors_counted(door: Door) -> None:
    payload = {"list": [{"mid": "1", "content": "星河支付", "at": NOW // 1000}, {"mid": "2"}, "junk"]}
    result = await door.intake.take_payload("vendor", payload)
    assert result.accepted == 1 and len(result.rejected) == 2


@pytest.mark.parametrize(
    ("source", "headers", "status"),
    [
        ("vendor", {"Authorization": "Bearer right"}, 0),
        ("vendor", {"Authorization": "Bearer wrong"}, 401),
        ("vendor", {}, 401),
        ("nobody", {"Authorization": "Bearer right"}, 404),
        ("finance-news", {"Authorization": "Bearer right"}, 404),
    ],
)
def test_a_push_needs_the_sources_own_token(
    door: Door, monkeypatch: pytest.MonkeyPatch, source: str, headers: dict[str, str], status: int
) -> None:
    monkeypatch.setenv("VENDOR_TOKEN", "right")
    if not status:
        door.intake.verify_hook(source, headers, b"{}", NOW)
        return
    with pytest.raises(HookRefused) as refused:
        door.intake.verify_hook(source, headers, b"{}", NOW)
    assert refused.value.status == status and "right" not in str(refused.value)


def test_a_push_source_whose_secret_is_missing_lets_nobody_in(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("VENDOR_TOKEN", raising=False)
    with pytest.raises(HookRefused):
        door.intake.verify_hook("vendor", {"Authorization": "Bearer "}, b"{}", NOW)
