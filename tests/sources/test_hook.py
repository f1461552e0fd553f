"""Pushed payloads: mapping and signatures."""

import base64
import hashlib
import hmac

import pytest

from bot.config import SourceConfig
from bot.model.intake import parse_post
from bot.sources.hook import HookMapper, map_payload, verify_bearer, verify_hmac

from .conftest import NOW

VENDOR = SourceConfig.model_validate(
    {
        "id": "vendor",
        "kind": "hook",
        "platform": "weibo",
        "items": "list[]",
        "map": {
            "id": "mid",
            "text": "content",
            "published_at": "created_at",
            "author.followers": "fans",
            "parent_id": "pid",
        },
    }
)


def test_a_vendor_payload_becomes_posts_and_rejects() -> None:
    payload = {
        "list": [
            {"mid": 1, "content": "提现失败", "created_at": "2025-12-31 10:00:00", "fans": "3万", "pid": None},
            {"mid": 2},
        ]
    }
    items, rejected = map_payload(VENDOR, payload, NOW)
    assert items == [
        {
            "id": "1",
            "text": "提现失败",
            "published_at": "2025-12-31T02:00:00Z",
            "author": {"followers": 30_000},
            "source": "vendor",
            "platform": "weibo",
        }
    ]
    assert rejected[0][1].startswith("text: is missing")
    assert parse_post(items[0], source="x", platform="y", now=NOW).author.followers == 30_000


@pytest.mark.parametrize("payload", [None, 3, "text", [], {}, {"list": None}, {"list": [None, 3, []]}, [[[]]]])
def test_no_payload_breaks_the_mapping(payload: object) -> None:
    items, _ = map_payload(VENDOR, payload, NOW)
    assert items == []


def test_a_source_cannot_be_forged_by_its_payload() -> None:
    plain = SourceConfig.model_validate({"id": "vendor", "kind": "hook", "platform": "news"})
    items, _ = HookMapper(plain).map([{"text": "x", "published_at": NOW, "source": "another"}], NOW)
    assert items[0]["source"] == "vendor"


@pytest.mark.parametrize(
    ("secret", "header", "expected"),
    [
        ("s", "Bearer s", True),
        ("s", "bearer  s ", True),
        ("s", "Bearer t", False),
        ("s", "Basic s", False),
        ("s", "s", False),
        ("s", None, False),
        ("s", "", False),
        ("", "Bearer ", False),
        ("密", "Bearer 密", True),
    ],
)
def test_bearer_tokens_are_checked(secret: str, header: str | None, expected: bool) -> None:
    assert verify_bearer(secret, header) is expected


BODY = b'{"list": []}'
DIGEST = hmac.new(b"s", BODY, hashlib.sha256)
STAMP = str(NOW // 1000)
STAMPED = hmac.new(b"s", STAMP.encode() + b"." + BODY, hashlib.sha256).hexdigest()


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (DIGEST.hexdigest(), True),
        (DIGEST.hexdigest().upper(), True),
        (f"sha256={DIGEST.hexdigest()}", True),
        (base64.b64encode(DIGEST.digest()).decode(), True),
        ("0" * 64, False),
        ("zz" * 32, False),
        ("sha256=", False),
        ("é", False),
        ("", False),
        (None, False),
    ],
)
def test_signatures_are_checked_over_the_raw_body(header: str | None, expected: bool) -> None:
    assert verify_hmac("s", BODY, header, NOW) is expected
    assert verify_hmac("s", BODY + b" ", header, NOW) is False
    assert verify_hmac("", BODY, header, NOW) is False


@pytest.mark.parametrize(
    ("stamp", "now", "expected"),
    [
        (STAMP, NOW, True),
        (STAMP, NOW + 299_000, True),
        (STAMP, NOW + 301_000, False),
        (STAMP, NOW - 301_000, False),
        ("soon", NOW, False),
        ("", NOW, False),
        ("9" * 50, NOW, False),
        (str(NOW // 1000 + 1), NOW, False),
    ],
)
def test_an_old_or_changed_timestamp_is_refused(stamp: str, now: int, expected: bool) -> None:
    assert verify_hmac("s", BODY, STAMPED, now, stamp) is expected
