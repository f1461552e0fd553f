"""The page in a real Chromium: it is live, it obeys its policy, nothing hostile runs, keyboard and phone work.

``FENGBO_SCREENSHOTS=folder`` keeps a picture of every page.
"""

import asyncio
import os
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, BrowserContext, Page, async_playwright, expect

from bot.model.card import Button, Card, Quote
from bot.model.grade import Grade
from bot.model.message import Message

from .harness import Harness, incident_card, seed_numbers, seed_talk

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]
ARGUMENTS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
]  # fmt: skip
SCREENSHOTS = os.environ.get("FENGBO_SCREENSHOTS", "")
HOSTILE = '<img src=x onerror="document.title=1"><script>document.title=2</script><svg onload="document.title=3">'


@pytest_asyncio.fixture(loop_scope="module")
async def harness(tmp_path: Path) -> AsyncIterator[Harness]:
    started = Harness(tmp_path)
    await started.start()
    yield started
    await started.stop()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser(chromium: Path) -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        started = await playwright.chromium.launch(executable_path=str(chromium), args=ARGUMENTS)
        yield started
        await started.close()


class Visit:
    """Opens pages and keeps what the browser complained about."""

    def __init__(self, browser: Browser, url: str) -> None:
        self._browser, self._url = browser, url
        self.complaints: list[str] = []
        self.contexts: list[BrowserContext] = []

    async def open(self, path: str = "/", width: int = 1440, height: int = 900, scheme: str = "light") -> Page:
        context = await self._browser.new_context(
            viewport={"width": width, "height": height},
            color_scheme=scheme,  # type: ignore[arg-type]
            timezone_id="Asia/Shanghai",
            locale="zh-CN",
            reduced_motion="reduce",
        )
        self.contexts.append(context)
        # Whatever the page's policy stops is a defect, also where the browser only whispers it.
        await context.add_init_script(
            "document.addEventListener('securitypolicyviolation', (e) => console.error('policy', e.violatedDirective))"
        )
        page = await context.new_page()
        page.set_default_timeout(8_000)
        page.on(
            "console", lambda line: self.complaints.append(line.text) if line.type in ("error", "warning") else None
        )
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        await page.goto(self._url + path)
        await expect(page.locator("#link")).to_have_attribute("data-state", "live")
        return page


@pytest_asyncio.fixture(loop_scope="module")
async def visit(harness: Harness, browser: Browser) -> AsyncIterator[Visit]:
    visit = Visit(browser, harness.url)
    yield visit
    for context in visit.contexts:
        await context.close()
    assert visit.complaints == []


async def until(true: Callable[[], object]) -> None:
    async with asyncio.timeout(5):
        while not true():  # noqa: ASYNC110 - the store is asked, nothing tells
            await asyncio.sleep(0.02)


async def filled(harness: Harness) -> None:
    await harness.store.write(lambda db: seed_numbers(db, harness.clock.now()))
    await seed_talk(harness)


VIEWS = [
    ("light", "/", 1440, 900, "light"),
    ("dark", "/", 1440, 900, "dark"),
    ("phone", "/", 390, 844, "light"),
    ("phone-dark", "/?channel=drill", 390, 844, "dark"),
    ("narrow", "/", 320, 600, "light"),
    ("dashboard", "/dashboard", 1280, 900, "light"),
    ("dashboard-dark", "/dashboard", 1280, 900, "dark"),
    ("dashboard-phone", "/dashboard", 390, 844, "light"),
]


@pytest.mark.parametrize(("name", "path", "width", "height", "scheme"), VIEWS, ids=[view[0] for view in VIEWS])
async def test_every_view_fits_its_screen_and_obeys_the_policy(
    harness: Harness, visit: Visit, name: str, path: str, width: int, height: int, scheme: str
) -> None:
    await filled(harness)
    page = await visit.open(path, width, height, scheme)
    assert await page.evaluate("document.documentElement.scrollWidth") <= width
    boxes = "[...document.querySelectorAll('.feed, .card, .panel, .right')]"
    too_wide = f"{boxes}.filter((box) => box.scrollWidth > box.clientWidth + 1).map((box) => box.className)"
    assert await page.evaluate(too_wide) == []
    if SCREENSHOTS:
        await page.wait_for_load_state("networkidle") if path.startswith("/dash") else await asyncio.sleep(0.5)
        await page.screenshot(path=f"{SCREENSHOTS}/console-{name}.png", full_page=path.startswith("/dash"))


async def test_a_card_appears_live_and_is_rewritten_in_its_place(harness: Harness, visit: Visit) -> None:
    page = await visit.open()
    await expect(page.locator("#empty")).to_be_visible()
    message = Message("console:alerts", card=incident_card(Grade.BLUE), object="incident:I-12")
    place = await harness.send(message)
    card = page.locator(f"#m{place.reference['id']} .card")
    await expect(card).to_have_class("card grade-blue")
    await expect(page.locator("#empty")).to_be_hidden()
    await harness.send(Message("console:alerts", text="后来的话"))
    await harness.send(replace(message, card=incident_card(Grade.RED, "李娜")), placement=place)
    await expect(card).to_have_class("card grade-red")
    await expect(card).to_contain_text("李娜")
    assert await page.locator(".message").count() == 2
    assert await page.locator(".message").first.locator(".card").count() == 1


async def test_a_button_press_arrives_in_the_inbox_once(harness: Harness, visit: Visit) -> None:
    await harness.send(Message("console:alerts", card=incident_card(), object="incident:I-12"))
    page = await visit.open()
    await page.get_by_role("button", name="确认接手").dblclick()
    await until(harness.inbox)
    await asyncio.sleep(0.2)
    assert [(event["line"], event["origin"]) for event in harness.inbox()] == [("确认 I-12", "button")]


async def test_a_dangerous_button_asks_first(harness: Harness, visit: Visit) -> None:
    await harness.send(Message("console:alerts", card=incident_card(), object="incident:I-12"))
    page = await visit.open()
    await page.get_by_role("button", name="误报").click()
    await expect(page.get_by_role("dialog")).to_contain_text("标为误报")
    await page.get_by_role("button", name="取消").click()
    await expect(page.get_by_role("dialog")).to_be_hidden()
    assert harness.inbox() == []
    await page.get_by_role("button", name="误报").click()
    await page.get_by_role("dialog").get_by_role("button", name="误报").click()
    await until(harness.inbox)
    assert harness.inbox()[0]["line"] == "误报 I-12"


async def test_a_form_is_filled_in_with_the_keyboard(harness: Harness, visit: Visit) -> None:
    await harness.send(Message("console:alerts", card=incident_card(), object="incident:I-12"))
    page = await visit.open()
    await page.get_by_role("button", name="指派").focus()
    await page.keyboard.press("Enter")
    await expect(page.get_by_label("负责人")).to_be_focused()
    await page.get_by_label("负责人").select_option("zhaolei")
    await page.keyboard.press("Tab")
    await page.keyboard.type("先核实")
    await page.get_by_role("button", name="指派").last.press("Enter")
    await until(harness.inbox)
    assert harness.inbox()[0]["fields"] == {"person": "zhaolei", "note": "先核实"}
    await expect(page.get_by_role("dialog")).to_be_hidden()


async def test_hostile_words_are_shown_and_do_nothing(harness: Harness, visit: Visit) -> None:
    page = await visit.open()
    card = Card(
        title=HOSTILE,
        sections=(Quote(HOSTILE, HOSTILE, "javascript:document.title=4"),),
        buttons=(Button(HOSTILE, "x"),),
    )
    await harness.send(Message("console:alerts", card=card, text=HOSTILE))
    await expect(page.locator(".card h3")).to_have_text(HOSTILE)
    await page.get_by_role("button", name="<img").click()
    await page.reload()
    await expect(page.locator(".quote blockquote")).to_have_text(HOSTILE)
    assert await page.locator(".message :is(script, [onerror], [onload], a[href^=javascript])").count() == 0
    assert await page.title() == "alerts · 风波"


async def test_the_keyboard_does_everything(harness: Harness, visit: Visit) -> None:
    page = await visit.open()
    line = page.locator("#line")
    await line.fill("状态")
    await page.keyboard.press("Enter")
    await expect(page.locator(".message.mine")).to_contain_text("状态")
    await until(harness.inbox)
    await page.keyboard.press("Escape")
    await expect(line).not_to_be_focused()
    await page.keyboard.press("/")
    await expect(line).to_be_focused()
    await expect(line).to_have_value("")
    await page.keyboard.press("ArrowUp")
    await expect(line).to_have_value("状态")
    await page.keyboard.press("ArrowDown")
    await expect(line).to_have_value("")
    await page.keyboard.type("指")
    await page.keyboard.press("Tab")
    await expect(line).to_have_value("指派 I-12 李娜 ")
    await page.keyboard.press("Shift+Enter")
    await page.keyboard.type("第二行")
    await page.keyboard.press("Enter")
    await until(lambda: len(harness.inbox()) == 2)
    assert harness.inbox()[1]["line"] == "指派 I-12 李娜 \n第二行"


async def test_a_list_of_commands_is_walked_with_arrows(harness: Harness, visit: Visit) -> None:
    harness.console.complete = lambda line, language: [("图表 I-11", "一"), ("图表 I-12", "二"), ("图表 I-13", "三")]
    page = await visit.open()
    await page.locator("#line").press_sequentially("图")
    await expect(page.get_by_role("option")).to_have_count(3)
    for _ in range(2):
        await page.keyboard.press("ArrowDown")
    await expect(page.get_by_role("option", selected=True)).to_contain_text("图表 I-12")
    await page.keyboard.press("Enter")
    await expect(page.locator("#line")).to_have_value("图表 I-12 ")
    await expect(page.locator("#completion")).to_be_hidden()
    assert harness.inbox() == []


async def test_a_phone_opens_the_list_and_answers(harness: Harness, visit: Visit) -> None:
    await filled(harness)
    page = await visit.open(width=390, height=844)
    await expect(page.locator("#left")).to_be_hidden()
    await page.get_by_role("button", name="打开频道与事件列表").click()
    await expect(page.get_by_role("link", name="与风波私聊")).to_be_visible()
    await page.keyboard.press("Escape")
    await expect(page.locator("#left")).to_be_hidden()
    await page.get_by_role("button", name="打开频道与事件列表").click()
    await page.locator(".incident", has_text="I-12").click()
    await expect(page.locator("#left")).to_be_hidden()
    await expect(page.locator(".message.has-card").first).to_be_in_viewport()
    await page.locator("#line").fill("确认 I-12")
    await page.get_by_role("button", name="发送").click()
    await until(harness.inbox)


async def test_news_elsewhere_is_counted(harness: Harness, visit: Visit) -> None:
    page = await visit.open()
    await harness.send(Message("console:drill", text="演练开始", drill="d1"))
    badge = page.locator(".channel", has_text="drill").locator(".unread")
    await expect(badge).to_have_text("1")
    await page.locator(".channel", has_text="drill").click()
    await expect(page.locator(".drill-chip")).to_have_text("演练")
    await expect(page.locator(".channel", has_text="drill").locator(".unread")).to_be_hidden()


async def test_who_reads_further_up_is_told_and_not_moved(harness: Harness, visit: Visit) -> None:
    place = await harness.send(Message("console:alerts", card=incident_card(), object="incident:I-12"))
    for number in range(40):
        await harness.send(Message("console:alerts", text=f"第 {number} 条\n" * 3))
    page = await visit.open()
    worse = Message("console:alerts", card=incident_card(Grade.RED), object="incident:I-12")
    await harness.send(worse, placement=place)
    await expect(page.locator("#pill")).to_contain_text("已更新")
    await page.locator("#pill").click()
    await expect(page.locator(".card.grade-red")).to_be_in_viewport()
    await harness.send(Message("console:alerts", text="最新的一条"))
    await expect(page.locator("#pill")).to_have_text("有新消息")
    await expect(page.locator(".card.grade-red")).to_be_in_viewport()


async def test_the_dashboard_follows_what_happens(harness: Harness, visit: Visit) -> None:
    page = await visit.open("/dashboard")
    await expect(page.locator(".tile.worst")).to_contain_text("平稳")
    await harness.store.write(lambda db: seed_numbers(db, harness.clock.now()))
    await expect(page.locator(".tile.worst")).to_contain_text("橙色")
    await expect(page.locator(".plot.wide svg rect.negative").first).to_be_visible()
    assert await page.locator("table tbody tr").count() == 8


async def test_a_lost_connection_is_shown_and_taken_up_again(harness: Harness, visit: Visit) -> None:
    page = await visit.open()
    port = int(harness.url.rpartition(":")[2])
    assert harness.runner is not None
    await harness.runner.cleanup()
    await expect(page.locator("#link")).to_have_attribute("data-state", "lost")
    await page.locator("#line").fill("状态")
    await page.keyboard.press("Enter")
    await expect(page.locator("#toast")).to_contain_text("正在重试")
    harness.console.hub.closed = False
    await harness.start(port)
    await expect(page.locator("#link")).to_have_attribute("data-state", "live", timeout=15_000)
    await until(harness.inbox)
    await expect(page.locator(".message.mine")).to_have_count(1)
    visit.complaints.clear()  # refused connections are what this is about
