"""CSV, XLSX and JSONL files: imported row by row in bounded memory, or tailed while somebody else writes them."""

import asyncio
import csv
import json
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import ParseError
from zipfile import BadZipFile, ZipFile

from charset_normalizer import from_bytes

from bot.config import SourceConfig
from bot.sources.base import KEPT_OF_REJECTED, Batch, problem
from bot.sources.mapping import Mapper

SAMPLE = 256 * 1024
LONGEST_LINE = 1024 * 1024
PROGRESS_EVERY = 1_000
MOST_UNPACKED = 512 * 1024 * 1024
TAIL_CHUNK = 2 * 1024 * 1024

# Column names of exports people really have, folded to lower case without spaces and underscores.
_HEADERS: Mapping[str, tuple[str, ...]] = {
    "id": ("id", "mid", "编号", "序号id", "文章id", "微博id", "帖子id", "数据id", "作品id", "postid", "docid"),
    "title": ("title", "标题", "文章标题", "新闻标题", "主题", "headline", "subject"),
    "text": (
        "text", "content", "内容", "正文", "全文", "文本", "微博内容", "微博正文", "帖子内容", "文章内容", "评论内容",
        "摘要", "body", "message", "hitsentence", "snippet",
    ),
    "published_at": (
        "publishedat", "published", "publishdate", "publishtime", "date", "time", "datetime", "timestamp", "createdat",
        "created", "发布时间", "发布日期", "发表时间", "时间", "日期", "发文时间", "评论时间", "创建时间", "采集时间",
    ),
    "url": ("url", "link", "链接", "原文链接", "网址", "地址", "文章链接", "微博链接", "原文地址", "href"),
    "platform": ("platform", "平台", "媒体类型", "来源平台", "站点类型", "信源类型", "渠道", "channel"),
    "author.name": (
        "author", "authorname", "作者", "昵称", "用户名", "用户昵称", "博主", "发布人", "发布者", "账号", "账号名称",
        "媒体", "媒体名称", "来源", "站点", "screenname", "nickname", "username", "user",
    ),
    "author.id": ("authorid", "uid", "userid", "用户id", "作者id"),
    "author.followers": ("followers", "followerscount", "粉丝数", "粉丝量", "粉丝", "fans", "reach"),
    "author.verified": ("verified", "认证", "是否认证", "是否加v"),
    "engagement.views": ("views", "阅读数", "阅读量", "播放量", "播放数", "浏览量", "点击量", "阅读", "reads"),
    "engagement.likes": ("likes", "点赞数", "点赞量", "点赞", "赞", "赞数", "attitudes", "attitudescount"),
    "engagement.reposts": ("reposts", "转发数", "转发量", "转发", "分享数", "repostscount", "shares", "retweets"),
    "engagement.comments": ("comments", "评论数", "评论量", "评论", "回复数", "commentscount", "replies"),
    "location": ("location", "地域", "地区", "ip属地", "发布地", "省份", "发布地区", "region"),
    "parent_id": ("parentid", "pid", "父级id", "原微博id"),
    "root_id": ("rootid", "根id"),
    "kind": ("kind", "类型", "帖子类型"),
}  # fmt: skip
_COLUMN = {name: target for target, names in _HEADERS.items() for name in names}


@dataclass(frozen=True, slots=True)
class Rejected:
    """A row that cannot become a post: its line (1 is the first line of the file), why, and the row as JSON."""

    line: int
    error: str
    item: str


@dataclass(frozen=True, slots=True)
class Progress:
    """How far an import is: rows read so far, bytes done and of how many (0 where unknown)."""

    rows: int
    done: int
    total: int


def auto_mapping(header: list[str]) -> dict[str, str]:
    """Which column is which post field, by common Chinese and English names; the first of two wins."""
    found: dict[str, str] = {}
    for column in header:
        target = _COLUMN.get(_fold(column))
        if target and target not in found:
            found[target] = column
    return found


def read_posts(
    path: str | Path,
    mapping: Mapping[str, str] | None = None,
    progress: Callable[[Progress], None] | None = None,
    *,
    source: str = "import",
    platform: str = "",
    now: int,
    timezone: str = "Asia/Shanghai",
    date_format: str = "",
    encoding: str = "",
) -> Iterator[dict[str, Any] | Rejected]:
    """Read a CSV, TSV, XLSX or JSONL file one post at a time.

    ``mapping`` gives columns (CSV, XLSX) or JMESPath (JSONL) by post field and goes before what the header tells.
    Raises ``SourceError``: no_file, unreadable_file, no_columns.
    """
    found = numbered_posts(
        path, mapping, progress, source=source, platform=platform, now=now, timezone=timezone,
        date_format=date_format, encoding=encoding,
    )  # fmt: skip
    return (item for _, item in found)


def numbered_posts(
    path: str | Path,
    mapping: Mapping[str, str] | None = None,
    progress: Callable[[Progress], None] | None = None,
    *,
    source: str = "import",
    platform: str = "",
    now: int,
    timezone: str = "Asia/Shanghai",
    date_format: str = "",
    encoding: str = "",
) -> Iterator[tuple[int, dict[str, Any] | Rejected]]:
    """``read_posts`` with the line of each post (1 is the first line of the file)."""
    file = Path(path)
    if not file.is_file():
        raise problem("no_file", permanent=True, path=str(file))
    rows = _rows(file, encoding)
    mapper: Mapper | None = None
    total = file.stat().st_size
    count = 0
    for line, row, done in rows:
        count += 1
        if progress is not None and count % PROGRESS_EVERY == 0:
            progress(Progress(count, done, total))
        if isinstance(row, str):
            yield line, Rejected(line, row, "")
            continue
        if mapper is None:
            fields = _fields(file, row, mapping or {})
            mapper = Mapper(source, "", fields, platform=platform, timezone=timezone, date_format=date_format)
        mapped = mapper.apply([row], now)
        for item in mapped.items:
            yield line, item
        for item_json, error in mapped.rejected:
            yield line, Rejected(line, error, item_json)
    if progress is not None:
        progress(Progress(count, total, total))


def _fields(file: Path, row: Mapping[str, Any], mapping: Mapping[str, str]) -> dict[str, str]:
    """Expressions for a mapper. Columns are quoted identifiers: a header may hold spaces, dots and brackets."""
    if _is_json_lines(file):
        return dict(mapping)
    columns = auto_mapping(list(row)) | dict(mapping)
    if "published_at" not in columns or not ({"text", "title"} & set(columns)):
        raise problem("no_columns", permanent=True, path=file.name, columns=", ".join(list(row)[:30]))
    return {target: json.dumps(column, ensure_ascii=False) for target, column in columns.items()}


def _is_json_lines(file: Path) -> bool:
    return file.suffix.lower() in (".jsonl", ".ndjson", ".json")


def _rows(file: Path, encoding: str) -> Iterator[tuple[int, dict[str, Any] | str, int]]:
    """(line, row or what is wrong with it, bytes done) of any of the formats."""
    if file.suffix.lower() in (".xlsx", ".xlsm"):
        return _xlsx_rows(file)
    if _is_json_lines(file):
        return _json_rows(file)
    return _csv_rows(file, encoding)


def _json_rows(file: Path) -> Iterator[tuple[int, dict[str, Any] | str, int]]:
    with file.open("rb") as stream:
        line = 0
        while data := stream.readline(LONGEST_LINE):
            line += 1
            if len(data) >= LONGEST_LINE and not data.endswith(b"\n"):
                while (rest := stream.readline(LONGEST_LINE)) and not rest.endswith(b"\n"):
                    pass
                yield line, "the line is longer than 1 MB", stream.tell()
                continue
            if data.strip():
                yield line, parse_line(data), stream.tell()


def parse_line(data: bytes) -> dict[str, Any] | str:
    """One line of JSONL as an object, or what is wrong with it."""
    try:
        value = json.loads(data.decode("utf-8-sig", "replace"))
    except (ValueError, RecursionError) as error:
        return f"not JSON: {str(error)[:100]}"
    return value if isinstance(value, dict) else "must be a JSON object"


def detect_encoding(sample: bytes) -> str:
    """The encoding of a text file by its first bytes: marks, then UTF-8, then what the characters suggest."""
    for mark, name in ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16")):
        if sample.startswith(mark):
            return name
    for cut in range(4):  # the sample may end inside a character
        try:
            sample[: len(sample) - cut].decode("utf-8")
        except UnicodeDecodeError:
            continue
        return "utf-8"
    best = from_bytes(sample, cp_isolation=["gb18030", "big5", "cp1252", "shift_jis", "euc_kr"]).best()
    # Chinese exports are GB18030 unless something else is plain; it reads GBK and GB2312 as well.
    return best.encoding if best is not None and best.encoding in ("big5", "shift_jis", "euc_kr") else "gb18030"


def _csv_rows(file: Path, encoding: str) -> Iterator[tuple[int, dict[str, Any] | str, int]]:
    with file.open("rb") as raw:
        sample = raw.read(SAMPLE)
    name = encoding or detect_encoding(sample)
    head = sample.decode(name, "replace")
    first = head.split("\n", 1)[0]
    delimiter = max(",\t;|，", key=first.count)
    csv.field_size_limit(LONGEST_LINE)
    with file.open("r", encoding=name, errors="replace", newline="") as stream:
        reader = csv.reader(_lines(stream), delimiter=delimiter)
        header: list[str] | None = None
        while True:
            try:
                row = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                yield reader.line_num, f"not CSV: {error}", _position(stream)
                continue
            if not any(cell.strip() for cell in row):
                continue
            if header is None:
                header = [cell.strip().lstrip("\ufeff") for cell in row]
                continue
            yield reader.line_num, dict(zip(header, row, strict=False)), _position(stream)


def _lines(stream: Any) -> Iterator[str]:
    """Lines without NUL, read in pieces so that a file without line ends cannot fill the memory."""
    while line := stream.readline(LONGEST_LINE):
        yield line.replace("\x00", "")


def _position(stream: Any) -> int:
    return int(stream.buffer.tell())


def _xlsx_rows(file: Path) -> Iterator[tuple[int, dict[str, Any] | str, int]]:
    try:
        with ZipFile(file) as archive:
            unpacked = sum(part.file_size for part in archive.infolist())
        if unpacked > MOST_UNPACKED:
            raise problem("file_too_large", permanent=True, path=file.name, megabytes=MOST_UNPACKED // 1024**2)
        # Imported here: most installations never read a workbook, and every start would wait for it.
        from openpyxl import load_workbook

        book = load_workbook(file, read_only=True, data_only=True)
    except (BadZipFile, ParseError, KeyError, ValueError, OSError) as error:
        raise problem("unreadable_file", permanent=True, path=file.name, cause=str(error)[:200]) from None
    try:
        sheet = book.worksheets[0]
        header: list[str] | None = None
        for line, row in enumerate(sheet.iter_rows(values_only=True), 1):
            if not any(cell not in (None, "") for cell in row):
                continue
            if header is None:
                header = [str(cell).strip() if cell is not None else "" for cell in row]
                continue
            yield line, {name: _cell(cell) for name, cell in zip(header, row, strict=False) if name}, 0
    finally:
        book.close()


def _cell(value: Any) -> Any:
    if hasattr(value, "isoformat"):
        return value.isoformat(sep=" ") if hasattr(value, "hour") and hasattr(value, "year") else value.isoformat()
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value


def _fold(column: str) -> str:
    return "".join(column.lower().split()).replace("_", "").replace("-", "").split("(")[0].split("（")[0]


class FileSource:
    """A JSONL file that another program appends to. The cursor is ``{"file", "offset", "line"}``; a file that was
    replaced or cut begins again."""

    def __init__(self, config: SourceConfig) -> None:
        self.id = config.id
        self.platform = config.platform or "other"
        self._config = config
        self._path = Path(config.path)
        self._mapper = Mapper(
            config.id,
            "",
            config.map,
            platform=self.platform,
            defaults=config.defaults,
            date_format=config.date_format,
            timezone=config.timezone,
        )

    async def poll(self, cursor: Mapping[str, Any], now: int) -> Batch:
        return await asyncio.to_thread(self._poll, cursor, now)

    def _poll(self, cursor: Mapping[str, Any], now: int) -> Batch:
        if not _is_json_lines(self._path):
            return self._whole(cursor, now)
        try:
            with self._path.open("rb") as stream:
                status = os.fstat(stream.fileno())
                identity = f"{status.st_dev}:{status.st_ino}"
                offset = int(cursor.get("offset") or 0)
                if cursor.get("file") != identity or offset > status.st_size:
                    offset = 0
                stream.seek(offset)
                data = stream.read(TAIL_CHUNK)
        except FileNotFoundError:
            raise problem("no_file", path=str(self._path)) from None
        except OSError as error:
            raise problem("unreadable_file", path=str(self._path), cause=str(error)[:200]) from None
        end = data.rfind(b"\n") + 1
        if not end and len(data) >= TAIL_CHUNK:
            end = len(data)  # a line longer than the chunk can never be taken: pass over it
        items: list[dict[str, Any]] = []
        rejected: list[tuple[str, str]] = []
        for line in data[:end].split(b"\n"):
            if not line.strip():
                continue
            row = parse_line(line)
            if isinstance(row, str):
                rejected.append((line[:KEPT_OF_REJECTED].decode("utf-8", "replace"), row))
                continue
            mapped = self._mapper.apply([row], now)
            items.extend(mapped.items)
            rejected.extend(mapped.rejected)
        following = {"file": identity, "offset": offset + end}
        return Batch(tuple(items), following, tuple(rejected), more=len(data) >= TAIL_CHUNK and end > 0)

    def _whole(self, cursor: Mapping[str, Any], now: int) -> Batch:
        """A table file is read as a whole whenever it was written anew."""
        try:
            status = self._path.stat()
        except OSError:
            raise problem("no_file", path=str(self._path)) from None
        version = f"{status.st_ino}:{status.st_size}:{status.st_mtime_ns}"
        if cursor.get("file") == version:
            return Batch(cursor=dict(cursor))
        items: list[dict[str, Any]] = []
        rejected: list[tuple[str, str]] = []
        config = self._config
        for found in read_posts(
            self._path,
            config.map,
            source=self.id,
            platform=self.platform,
            now=now,
            timezone=config.timezone,
            date_format=config.date_format,
            encoding=config.encoding,
        ):
            if isinstance(found, Rejected):
                rejected.append((found.item, f"line {found.line}: {found.error}"))
            else:
                items.append(found)
        return Batch(tuple(items), {"file": version}, tuple(rejected))
