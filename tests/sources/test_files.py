"""Imports: encodings, separators, headers of real exports, broken rows, bounded memory; and files that grow."""

import json
import tracemalloc
from pathlib import Path

import pytest
from openpyxl import Workbook

from bot.config import SourceConfig
from bot.model.intake import parse_post
from bot.sources.base import SourceError
from bot.sources.files import FileSource, Rejected, auto_mapping, detect_encoding, read_posts

from .conftest import NOW

CSV = "标题,微博正文,发布时间,作者昵称,作者,链接,平台,转发数,评论数,点赞数,粉丝数\n" + (
    '提现异常,"星河支付提现失败，\n客服不回",2025-12-31 18:00:00,,某用户,https://w.example/1,微博,1.2万,3,4,"2,300"\n'
    "没有日期,内容,,,,,,,,,\n"
    "第二条,正文二,昨天 12:30,,另一人,https://w.example/2,微博,,,,\n"
)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "gbk", "utf-16"])
@pytest.mark.parametrize("separator", [",", "\t", ";"])
def test_a_table_is_read_in_its_encoding_and_with_its_separator(tmp_path: Path, encoding: str, separator: str) -> None:
    file = tmp_path / "export.csv"
    text = CSV
    if separator != ",":
        text = text.replace('"2,300"', "2300").replace(",", separator)
    file.write_bytes(text.encode(encoding))
    first, broken, second = read_posts(file, now=NOW, source="import")
    assert first["title"] == "提现异常" and first["text"] == "星河支付提现失败，\n客服不回"
    assert first["published_at"] == "2025-12-31T10:00:00Z"
    assert first["author"] == {"name": "某用户", "followers": 2300}
    assert first["engagement"] == {"reposts": 12_000, "comments": 3, "likes": 4}
    assert isinstance(broken, Rejected) and broken.line == 4 and "date is missing" in broken.error
    assert second["published_at"] == "2025-12-31T04:30:00Z"
    assert parse_post(first, source="s", platform="p", now=NOW).platform == "微博"


@pytest.mark.parametrize(
    ("sample", "encoding"),
    [
        ("提现失败".encode(), "utf-8"),
        ("提现失败".encode()[:-1], "utf-8"),
        ("星河支付提现一直失败，客服不回复，大家小心。".encode("gb18030"), "gb18030"),
        (b"plain", "utf-8"),
        (b"", "utf-8"),
        (b"\xef\xbb\xbfx", "utf-8-sig"),
        ("x".encode("utf-16"), "utf-16"),
    ],
)
def test_the_encoding_is_recognised(sample: bytes, encoding: str) -> None:
    assert detect_encoding(sample) == encoding


def test_headers_of_real_exports_are_recognised() -> None:
    header = ["序号", "标题", "摘要", "发布时间", "媒体名称", "原文链接", "媒体类型", "阅读量(次)", "IP属地", "Unknown"]
    assert auto_mapping(header) == {
        "title": "标题",
        "text": "摘要",
        "published_at": "发布时间",
        "author.name": "媒体名称",
        "url": "原文链接",
        "platform": "媒体类型",
        "engagement.views": "阅读量(次)",
        "location": "IP属地",
    }


def test_english_headers_and_an_explicit_mapping(tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    file.write_text("Hit Sentence,When,Author Name,Source Name\nwithdrawals fail,2025-12-31T10:00:00Z,Ann,S\n")
    (post,) = read_posts(file, {"published_at": "When"}, now=NOW)
    assert (post["text"], post["author"]["name"]) == ("withdrawals fail", "Ann")


def test_a_table_without_text_or_time_is_explained(tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    file.write_text("foo,bar\n1,2\n")
    with pytest.raises(SourceError) as caught:
        list(read_posts(file, now=NOW))
    assert caught.value.code == "no_columns" and caught.value.text.params["columns"] == "foo, bar"


def test_a_workbook_is_read(tmp_path: Path) -> None:
    from datetime import datetime

    book = Workbook()
    sheet = book.active
    sheet.append(["标题", "内容", "发布时间", "转发数"])
    sheet.append(["一", "提现失败", datetime(2025, 12, 31, 18, 0), 12.0])
    sheet.append([None, None, None, None])
    sheet.append(["二", "正文", "", 1])
    book.save(tmp_path / "a.xlsx")
    first, broken = read_posts(tmp_path / "a.xlsx", now=NOW)
    assert (first["published_at"], first["engagement"]) == ("2025-12-31T10:00:00Z", {"reposts": 12})
    assert broken.line == 4


@pytest.mark.parametrize("content", [b"", b"not a zip", b"PK\x03\x04broken"])
def test_a_broken_workbook_is_said_to_be_one(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.xlsx").write_bytes(content)
    with pytest.raises(SourceError) as caught:
        list(read_posts(tmp_path / "a.xlsx", now=NOW))
    assert caught.value.code == "unreadable_file"


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(SourceError) as caught:
        list(read_posts(tmp_path / "none.csv", now=NOW))
    assert caught.value.code == "no_file"


def line(number: int) -> bytes:
    return json.dumps({"id": str(number), "text": f"post {number}", "published_at": NOW}).encode() + b"\n"


def test_lines_of_json_are_read_one_by_one(tmp_path: Path) -> None:
    file = tmp_path / "a.jsonl"
    file.write_bytes(line(1) + b"{broken\n\n[1]\n" + b'{"text": "' + b"x" * 2_000_000 + b'"}\n' + line(2))
    found = list(read_posts(file, now=NOW))
    assert [item["id"] if isinstance(item, dict) else item.line for item in found] == ["1", 2, 4, 5, "2"]


def test_an_import_tells_its_progress_and_needs_little_memory(tmp_path: Path) -> None:
    file = tmp_path / "a.jsonl"
    with file.open("wb") as stream:
        for number in range(20_000):
            stream.write(line(number))
    steps = []
    tracemalloc.start()
    count = sum(1 for _ in read_posts(file, progress=steps.append, now=NOW))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert count == 20_000
    assert [step.rows for step in steps[:2]] == [1_000, 2_000]
    assert steps[-1].done == steps[-1].total == file.stat().st_size
    assert peak < 8_000_000


def tail(path: Path) -> FileSource:
    return FileSource(
        SourceConfig.model_validate({"id": "spool", "kind": "file", "path": str(path), "platform": "forum"})
    )


async def test_a_growing_file_gives_whole_lines_once(tmp_path: Path) -> None:
    file = tmp_path / "spool.jsonl"
    source = tail(file)
    with pytest.raises(SourceError):
        await source.poll({}, NOW)
    file.write_bytes(line(1) + b"{bad\n" + line(2)[:-5])
    first = await source.poll({}, NOW)
    assert [item["id"] for item in first.items] == ["1"] and len(first.rejected) == 1
    with file.open("ab") as stream:
        stream.write(line(2)[-5:] + line(3))
    second = await source.poll(json.loads(json.dumps(first.cursor)), NOW)
    assert [item["id"] for item in second.items] == ["2", "3"]
    assert (await source.poll(second.cursor, NOW)).items == ()


async def test_a_replaced_or_cut_file_begins_again(tmp_path: Path) -> None:
    file = tmp_path / "spool.jsonl"
    file.write_bytes(line(1) + line(2))
    source = tail(file)
    cursor = (await source.poll({}, NOW)).cursor
    file.write_bytes(line(3))
    assert [item["id"] for item in (await source.poll(cursor, NOW)).items] == ["3"]


async def test_a_table_that_is_watched_is_read_whenever_it_is_written(tmp_path: Path) -> None:
    file = tmp_path / "export.csv"
    file.write_text(CSV, encoding="utf-8")
    source = tail(file)
    first = await source.poll({}, NOW)
    assert len(first.items) == 2 and first.rejected[0][1].startswith("line 4")
    assert (await source.poll(first.cursor, NOW)).items == ()
