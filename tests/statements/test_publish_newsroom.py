"""The newsroom: pages and feeds that everybody can read, exactly the approved words, and nothing of a drill."""

import html
import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import aiohttp
import feedparser
from aiohttp import web
from publish_scene import BODY, PUBLISHERS, TITLE, Scene, scene

from bot.clock import HOUR, MINUTE
from bot.delivery.alarm import Alarm
from bot.model.statement import StatementKind
from bot.newsroom import folder, pages
from bot.newsroom.folder import FolderErrand
from bot.newsroom.routes import Newsroom
from bot.statements.publish_targets import FOLDER
from bot.store import publications as store

HOSTILE = (
    "</div><script>alert(1)</script><img src=x onerror=alert(1)> {{ 7*7 }} {% raw %} &amp; ]]>\r\n"
    "\u202eevil\u202c\x07 שלום 👨‍👩‍👧 http://x.example/\n  end"
)


class Text(HTMLParser):
    """The text content of the element of class ``text``, as a browser has it."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.depth, self.found, self.tags = 0, "", set[str]()

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.tags.add(tag)
        if self.depth or ("class", "text") in attrs:
            self.depth += 1

    def handle_endtag(self, tag: str) -> None:
        self.depth -= bool(self.depth)

    def handle_data(self, data: str) -> None:
        self.found += data if self.depth else ""


def text_of(page: str) -> Text:
    reader = Text()
    reader.feed(page)
    return reader


@asynccontextmanager
async def site(it: Scene) -> AsyncIterator[Any]:
    """``get(path, **headers)`` → (status, headers, text) of the newsroom served on loopback."""

    def members(handler: Any) -> Any:
        async def guarded(request: web.Request) -> web.StreamResponse:
            if request.headers.get("X-Member") != "yes":
                raise web.HTTPSeeOther("/console/login")
            return await handler(request)  # type: ignore[no-any-return]

        return guarded

    app = web.Application()
    Newsroom(it.config, it.house.store, it.house.clock, members).add_routes(app)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    async with aiohttp.ClientSession() as session:

        async def get(path: str, **headers: str) -> tuple[int, Any, str]:
            named = {name.replace("_", "-"): value for name, value in headers.items()}
            async with session.get(url + path, headers=named, allow_redirects=False) as answer:
                return answer.status, answer.headers, await answer.text()

        yield get
    await runner.cleanup()


async def publish(it: Scene, number: int = 1, **fields: Any) -> str:
    """Publish to the media; returns the slug."""
    it.begin(*it.statement("media", number, **fields))
    await it.pass_time(MINUTE, step=30_000)
    found = it.house.look(lambda db: store.item_of(db, f"S-{number}"))
    return str(found.slug)


async def test_a_page_shows_exactly_the_approved_text_and_runs_nothing(tmp_path: Path) -> None:
    async with scene(tmp_path) as it, site(it) as get:
        slug = await publish(it, body=HOSTILE, title="<b>标题</b> & {{ x }}")
        status, headers, page = await get(f"/newsroom/{slug}")
        assert status == 200
        read = text_of(page)
        assert read.found == HOSTILE, "character for character, carriage returns too"
        assert not read.tags & {"script", "img", "b", "iframe"}
        policy = headers["Content-Security-Policy"]
        assert policy.startswith("default-src 'none'") and "script-src" not in policy and "unsafe" not in policy
        assert headers["X-Content-Type-Options"] == "nosniff" and "Set-Cookie" not in headers
        assert it.house.look(lambda db: store.item(db, slug)).digest in page


async def test_the_list_speaks_both_languages_and_links_to_the_entries(tmp_path: Path) -> None:
    async with scene(tmp_path) as it, site(it) as get:
        _, _, empty = await get("/newsroom")
        assert "还没有发布过声明" in empty
        slug = await publish(it)
        english = await publish(it, 2, language="en", title="On delayed withdrawals", body="Funds are safe.")
        await it.house.clock.advance(2_000)
        _, _, chinese_list = await get("/newsroom")
        _, _, english_list = await get("/newsroom?lang=en")
        assert slug in chinese_list and english not in chinese_list and 'hreflang="en"' in chinese_list
        assert english in english_list and "Statements" in english_list and 'lang="en"' in english_list
        _, _, odd = await get("/newsroom?lang=../../etc")
        assert odd == chinese_list


async def test_the_feeds_are_valid_and_carry_the_exact_text(tmp_path: Path) -> None:
    async with scene(tmp_path) as it, site(it) as get:
        slug = await publish(it)
        hostile = await publish(it, 2, body=HOSTILE, title="")
        _, headers, text = await get("/newsroom/feed.atom")
        assert headers["Content-Type"].startswith("application/atom+xml")
        parsed = feedparser.parse(text.encode())
        assert not parsed.bozo, parsed.get("bozo_exception")
        assert parsed.version == "atom10" and parsed.feed.title == "新闻中心"
        newest, oldest = parsed.entries
        assert oldest.link == f"https://news.corp.example/{slug}" and oldest.title == TITLE
        assert "<b>安全</b> &amp; 18:00" in text.replace("&lt;", "<").replace("&gt;", ">")
        assert newest.link.endswith(hostile) and "<script>" not in text
        _, headers, text = await get("/newsroom/feed.json")
        assert headers["Content-Type"].startswith("application/feed+json")
        feed = json.loads(text)
        assert feed["version"] == "https://jsonfeed.org/version/1.1"
        assert [item["content_text"] for item in feed["items"]] == [HOSTILE, BODY]
        assert all(item["id"] and item["url"] and item["date_published"] for item in feed["items"])
        _, _, text = await get("/newsroom/feed.json?lang=en")
        assert json.loads(text)["items"] == []


async def test_a_reader_who_has_the_page_hears_only_that_nothing_changed(tmp_path: Path) -> None:
    async with scene(tmp_path) as it, site(it) as get:
        slug = await publish(it)
        for path in ("/newsroom", f"/newsroom/{slug}", "/newsroom/feed.atom", "/newsroom/feed.json"):
            status, headers, _ = await get(path)
            assert status == 200 and headers["Cache-Control"] == "no-cache"
            assert (await get(path, If_None_Match=headers["ETag"]))[0] == 304
            assert (await get(path, If_Modified_Since=headers["Last-Modified"]))[0] == 304
            assert (await get(path, If_Modified_Since="yesterday"))[0] == 200
            assert (await get(path, If_None_Match='"other"', If_Modified_Since=headers["Last-Modified"]))[0] == 200


async def test_a_corrected_entry_stays_readable_says_so_and_is_new_in_the_feed(tmp_path: Path) -> None:
    async with scene(tmp_path) as it, site(it) as get:
        slug = await publish(it)
        _, before, _ = await get(f"/newsroom/{slug}")
        old = feedparser.parse((await get("/newsroom/feed.atom"))[2].encode()).entries[0]
        await it.house.clock.advance(HOUR)
        newer = await publish(it, 2, kind=StatementKind.CORRECTION, replaces="S-1", body="更正：20:00。", title="更正")
        _, after, page = await get(f"/newsroom/{slug}")
        assert text_of(page).found == BODY and "已经更正" in page and f'href="/newsroom/{newer}"' in page
        assert after["ETag"] != before["ETag"] and after["Last-Modified"] != before["Last-Modified"]
        _, _, page = await get(f"/newsroom/{newer}")
        assert "本文更正" in page and f'href="/newsroom/{slug}"' in page
        entries = feedparser.parse((await get("/newsroom/feed.atom"))[2].encode()).entries
        again = next(entry for entry in entries if entry.id == old.id)
        assert again.updated > old.updated and "S-2" in again.summary
        assert "已更正" in (await get("/newsroom"))[2]


async def test_nothing_of_a_drill_is_public_and_members_see_a_marked_preview(tmp_path: Path) -> None:
    async with scene(tmp_path, drill=True) as it, site(it) as get:
        slug = await publish(it, body="演练秘密")
        for path in ("/newsroom", "/newsroom?lang=en", "/newsroom/feed.atom", "/newsroom/feed.json"):
            assert "演练秘密" not in (await get(path))[2]
        assert (await get(f"/newsroom/{slug}"))[0] == 404
        assert (await get("/statements/preview/S-1"))[0] == 303, "strangers are sent to sign in"
        status, headers, page = await get("/statements/preview/S-1", X_Member="yes")
        assert status == 200 and "演练预览" in page and text_of(page).found == "演练秘密"
        assert headers["Content-Security-Policy"].startswith("default-src 'none'")


async def test_a_real_statement_has_no_preview_and_an_unknown_page_is_not_found(tmp_path: Path) -> None:
    async with scene(tmp_path) as it, site(it) as get:
        await publish(it)
        assert (await get("/statements/preview/S-1", X_Member="yes"))[0] == 404
        assert (await get("/newsroom/%2e%2e"))[0] == 404 and (await get("/newsroom/nothing"))[0] == 404


FOLDER_YAML = PUBLISHERS.replace("kind: newsroom,", 'kind: newsroom, folder: "{folder}/site",')


def with_folder(it: Scene) -> None:
    errand = FolderErrand(it.config, it.house.store, it.publishing)
    handlers = {kind: one for kind, one in it.alarm._handlers.items() if kind != FOLDER}
    it.alarm = Alarm(it.house.store, it.house.clock, handlers, None, {**it.alarm._errands, FOLDER: errand})


async def test_the_folder_holds_the_same_pages_whole_and_the_receipt_waits_for_them(tmp_path: Path) -> None:
    async with scene(tmp_path, FOLDER_YAML) as it:
        with_folder(it)
        it.begin(*it.statement("media"))
        assert it.states()["newsroom"] == "sending"
        await it.pass_time(MINUTE)
        assert it.states()["newsroom"] == "done"
        root = tmp_path / "site"
        slug = it.receipts()["newsroom"].reference
        page = (root / slug / "index.html").read_text()
        assert text_of(page).found == BODY and 'href="../style.css"' in page
        index = (root / "index.html").read_text()
        assert f'href="{slug}/"' in index and (root / "index.en.html").is_file() and (root / "style.css").is_file()
        for link in re.findall(r'(?:href|src)="([^"]+)"', page + index):
            assert not html.unescape(link).startswith("/"), "a folder may stand anywhere"
        assert not feedparser.parse((root / "feed.atom").read_bytes()).bozo
        assert not list(root.rglob(".*")), "no half-written file stays"
        before = {path: path.stat().st_mtime_ns for path in root.rglob("*") if path.is_file()}
        items = it.house.look(store.public_items)
        assert folder.write(root, folder.site(pages.Room("新闻中心", "https://news.corp.example", "zh-CN"), items)) == 0
        assert before == {path: path.stat().st_mtime_ns for path in root.rglob("*") if path.is_file()}


async def test_a_folder_that_cannot_be_written_is_tried_until_it_can(tmp_path: Path) -> None:
    async with scene(tmp_path, FOLDER_YAML) as it:
        with_folder(it)
        (tmp_path / "site").write_text("a file stands in the way")
        it.begin(*it.statement("media"))
        await it.pass_time(10 * MINUTE, step=MINUTE)
        receipt = it.receipts()["newsroom"]
        assert receipt.state.value == "sending" and "site" in receipt.error
        (tmp_path / "site").unlink()
        await it.pass_time(3 * MINUTE, step=30_000)
        assert it.receipts()["newsroom"].state.value == "done" and it.receipts()["newsroom"].error == ""
        assert it.settled == [("S-1", True)]


async def test_a_correction_that_comes_while_the_pages_are_written_is_written_too(tmp_path: Path) -> None:
    async with scene(tmp_path, FOLDER_YAML) as it:
        with_folder(it)
        it.begin(*it.statement("media"))
        await it.pass_time(MINUTE)
        slug = it.receipts()["newsroom"].reference
        it.house.do(lambda db: it.publishing.replaced(db, "S-1", "S-9", "withdrawal", it.now))
        await it.pass_time(MINUTE)
        assert "已经撤回" in (tmp_path / "site" / slug / "index.html").read_text()


async def test_a_drill_writes_no_page(tmp_path: Path) -> None:
    async with scene(tmp_path, FOLDER_YAML, drill=True) as it:
        with_folder(it)
        it.begin(*it.statement("media", body="演练秘密"))
        await it.pass_time(10 * MINUTE, step=MINUTE)
        assert set(it.states().values()) == {"simulated"} and not (tmp_path / "site").exists()
