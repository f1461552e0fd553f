"""Makes the pictures of the guide: plays the demonstration in both languages and photographs what a person sees.

``.venv/bin/python docs/pictures.py [name …]`` takes about two minutes and needs the development dependencies and a
Chromium. With names (``console``, ``slack`` …) only pictures whose name begins so are written. Slack and WeCom are
drawn from the messages that Fengbo would really send there, in the look of their clients.
"""

import asyncio
import io
import shutil
import sys
import tempfile
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from importlib import resources
from pathlib import Path

from PIL import Image
from playwright.async_api import Browser, Locator, Page, async_playwright
from sqlite_utils import Database

from bot.app import App
from bot.chat import mail_page
from bot.chat.slack import render as slack
from bot.chat.slack.views import FormContext, modal
from bot.chat.wecom import render as wecom
from bot.config import parse
from bot.incidents import words
from bot.model.card import Card
from bot.model.incident import Actor, Incident
from bot.model.message import Attachment, Message
from bot.model.statement import Statement
from bot.model.text import Text
from bot.reports.makers import picture_maker
from bot.response import facts
from bot.response.run_state import Run
from bot.store import incidents as incident_store
from bot.testkit import render_slack, render_wecom
from bot.texts import render

IMAGES = Path(__file__).parent / "guide" / "images"
ARGUMENTS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip
DESKTOP, PHONE, DRAWN = (1360, 920), (390, 844), (760, 600)
TALL = (1360, 2100)  # room for a long answer
COLOURS = 256
SUBJECT, PLAYBOOK = "xinghe-pay", "withdrawal-failure"
# A picture of the evening is worth most when the story is in full swing: this many seconds after the feed began.
FULL_SWING = 52
NAMES = {"U0LINA": "李娜", "U0ZHAO": "赵磊"}

# What is typed in the guide's pictures, by the picture's name.
SAID = {
    "zh-CN": {
        "why": "为什么 {id}", "assign": "指派 {id} 赵磊 法务", "chart": "走势 {id}",
        "rules": "规则 xinghe-pay none+ 公益 抽奖", "sources": "信源", "status": "状态", "who": "值班",
        "decide": "决定 {id} 先发情况说明，不开发布会", "mute": "静音 {id} 30分钟 已知故障，技术在修",
        "add": "补录 https://weibo.example/1 星河支付提现三天没到账，客服打不通",
        "timeline": "时间线 {id}", "mistake": "确人 {id}", "help": "帮助",
        "playbooks": "预案 {id}", "answer": "回答 {run}.5 funds_segregated = 是", "facts": "事实 {id}", "todo": "待办",
    },
    "en": {
        "why": "why {id}", "assign": "assign {id} zhaolei legal", "chart": "chart {id}",
        "rules": "rules xinghe-pay none+ 公益 抽奖", "sources": "sources", "status": "status", "who": "who",
        "decide": "decide {id} publish a status note first, no press conference",
        "mute": "mute {id} 30m known fault, being repaired",
        "add": "add https://x.example/1 Xinghe Pay withdrawal three days late, nobody answers the phone",
        "timeline": "timeline {id}", "mistake": "akc {id}", "help": "help",
        "playbooks": "playbooks {id}", "answer": "answer {run}.5 funds_segregated = yes", "facts": "facts {id}",
        "todo": "todo",
    },
}  # fmt: skip


# A statement on its way: what is confirmed, and the text as somebody edited it.
FACTS = {
    "zh-CN": {"when": "11月27日18:20", "who": "绑定三家合作银行卡的部分用户", "affected_users": "2300"},
    "en": {"when": "18:20 on 27 November", "who": "some users with cards of three banks", "affected_users": "2300"},
}  # fmt: skip
EDITED = {
    "zh-CN": (
        "关于提现延迟的说明",
        "11月27日18:20 起，绑定三家合作银行卡的部分用户提现延迟到账，涉及 2300 位用户。我们诚恳致歉。\n\n"
        "您的申请已被记录，不需要重复提交，也不会因延迟产生费用。急需用款的用户请拨打 95000。\n\n"
        "我们会在今晚22:40前公布下一次进展。",
    ),
    "en": (
        "Delayed withdrawals",
        "Since 18:20 on 27 November withdrawals have been late for some users with cards of three banks; 2,300 users "
        "are affected. We are sorry.\n\n"
        "Your request is recorded; please do not submit it again. The delay costs you nothing. If you need money "
        "urgently, call 95000.\n\n"
        "The next update will be published by 22:40 tonight.",
    ),
}


@dataclass(slots=True)
class Studio:
    """One language: the running demonstration, the browser, and which pictures are wanted."""

    app: App
    browser: Browser
    language: str
    wanted: tuple[str, ...]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.app.port}"

    async def open(self, path: str, size: tuple[int, int], scheme: str = "light", scale: float = 1) -> Page:
        context = await self.browser.new_context(
            viewport={"width": size[0], "height": size[1]},
            color_scheme=scheme,  # type: ignore[arg-type]
            timezone_id="Asia/Shanghai",
            locale=self.language,
            device_scale_factor=scale,
        )
        page = await context.new_page()
        if path:
            await page.goto(self.url + path, wait_until="load")
            await page.wait_for_timeout(900)
        return page

    async def keep(self, name: str, shot: Callable[[], Awaitable[bytes]]) -> None:
        if not self.wanted or name.startswith(self.wanted):
            save(f"{name}.{self.language}.png", await shot())

    async def incident(self) -> Incident | None:
        live = await self.app.store.read(incident_store.live)
        return next((item for item in live if item.subject == SUBJECT), None)


def save(name: str, content: bytes) -> None:
    """Write a PNG with a palette: a quarter of the size, and no difference anybody sees."""
    picture = Image.open(io.BytesIO(content)).convert("RGB")
    small = picture.quantize(COLOURS, method=Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE)
    small.save(IMAGES / name, optimize=True)
    print(f"{name}: {(IMAGES / name).stat().st_size // 1024} kB, {picture.width}×{picture.height}")


def studio_app(language: str, folder: Path) -> App:
    """The demonstration as it stands, in one language, on a port of its own."""
    source = resources.files("bot.demo").joinpath("fengbo.yaml").read_text(encoding="utf-8")
    config = parse(source, "demo/fengbo.yaml")
    changes = {"language": language, "store": str(folder / f"{language}.db"), "listen": "127.0.0.1:0"}
    return App(config.model_copy(update=changes), demo=True)


async def main(wanted: tuple[str, ...]) -> None:
    IMAGES.mkdir(parents=True, exist_ok=True)
    chromium = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if chromium is None:
        sys.exit("Chromium is not installed; on Debian: apt-get install chromium")
    with tempfile.TemporaryDirectory() as folder:
        apps = [studio_app(language, Path(folder)) for language in SAID]
        for app in apps:
            await app.start()
        try:
            async with async_playwright() as tools:
                browser = await tools.chromium.launch(executable_path=chromium, args=ARGUMENTS)
                studios = [Studio(app, browser, language, wanted) for app, language in zip(apps, SAID, strict=True)]
                await asyncio.sleep(FULL_SWING)
                found = [await first_look(studio) for studio in studios]
                for studio, incident in zip(studios, found, strict=True):
                    run = await started(studio, incident)
                    await statement(studio, incident)
                    await conversation(studio, incident, run)
                    await dashboards(studio)
                await browser.close()
        finally:
            for app in apps:
                await app.stop()


async def first_look(studio: Studio) -> Incident:
    """Everything that shows the incident before anybody answered, in both languages within seconds."""
    incident = await studio.incident()
    if incident is None:
        sys.exit("the demonstration has opened no incident; is it healthy?")
    await untouched(studio, incident)
    await drawn(studio, incident)
    await studio.keep("spread", lambda: spread(studio, incident))
    return incident


async def spread(studio: Studio, incident: Incident) -> bytes:
    """How the incident spread, as it is sent to a chat."""
    make = picture_maker(studio.app.store, studio.app.clock, studio.app.studio)
    return (await make(Attachment("spread", {"incident": incident.id}), studio.language)).content


async def untouched(studio: Studio, incident: Incident) -> None:
    """The console before anybody answered."""
    for name, size, scheme in (
        ("console", DESKTOP, "light"), ("console-dark", DESKTOP, "dark"), ("console-phone", PHONE, "light"),
    ):  # fmt: skip
        page = await studio.open("/", size, scheme, 1.5 if size == PHONE else 1)
        card = page.locator(f'.message.has-card:has([data-command="ack {incident.id}"])').last
        await card.evaluate("node => node.scrollIntoView({block: 'start'})")
        await page.wait_for_timeout(400)
        await studio.keep(name, page.screenshot)
        await page.context.close()


async def started(studio: Studio, incident: Incident) -> Run:
    """The recommended playbook, started by its button: the checklist in the console, in Slack and in WeCom."""
    page = await studio.open("/", TALL)
    card = page.locator(f'.message.has-card:has([data-command="ack {incident.id}"])').last
    await studio.keep("card", lambda: alone(page, card.locator(".card")))
    await page.locator(f'[data-command="start {PLAYBOOK} {incident.id}"]').last.click()
    checklist = page.locator('.message.has-card:has([data-command^="pause R-"])').last
    await checklist.wait_for()
    await page.wait_for_timeout(700)
    await studio.keep("run", lambda: alone(page, checklist.locator(".card")))
    await page.context.close()
    app, language, now = studio.app, studio.language, studio.app.clock.now()
    run = await app.store.read(lambda db: app.runs.open_of(db, incident)[0])
    shown = await app.store.read(lambda db: app.runs.cards(db, run, incident, language, now))
    pages = (("run-slack", slack_page(shown, "", language, now)), ("run-wecom", wecom_page(shown, language)))
    await draw(studio, pages)
    return run


async def statement(studio: Studio, incident: Incident) -> None:
    """A text for the public between its votes, in three chats; then in the newsroom, and its approval file."""
    app, language, now = studio.app, studio.language, studio.app.clock.now()
    lina, zhao, lin = (
        Actor(person.id, person.name, "console", frozenset(person.roles))
        for person in filter(None, map(app.config.person, ("lina", "zhaolei", "linhai")))
    )
    title, body = EDITED[language]

    def written(db: Database) -> Statement:
        for name, value in FACTS[language].items():
            facts.put(db, incident, name, value, lina, now, confirmed=True)
        drafted = app.statements.draft(db, incident, "public", lina, now)
        app.statements.edit(db, drafted, title, body, lina, now)
        app.statements.ask(db, app.statements.get(db, drafted.id), lina, now)
        asked = app.statements.get(db, drafted.id)
        app.statements.approve(db, asked, app.statements.current(db, asked).digest, zhao, now)
        return app.statements.get(db, drafted.id)

    asked = await app.store.write(written)
    shown = await app.store.read(lambda db: app.statements.card(db, asked, language, now))
    app._changed()
    page = await studio.open("/", TALL)
    card = page.locator(f'.message.has-card:has([data-command^="approve {asked.id}"])').last
    await card.wait_for()
    await page.wait_for_timeout(700)
    await studio.keep("statement", lambda: alone(page, card.locator(".card")))
    await page.context.close()
    pages = (
        ("statement-slack", slack_page(shown, "", language, now)),
        ("statement-wecom", wecom_page(shown, language)),
    )
    await draw(studio, pages)

    def published(db: Database) -> None:
        digest = app.statements.current(db, asked).digest
        app.statements.approve(db, asked, digest, lin, now)
        app.statements.publish(db, app.statements.get(db, asked.id), digest, lina, now)

    await app.store.write(published)
    app._changed()
    for name, path in (("newsroom", "/newsroom"), ("approval-file", f"/statements/{asked.id}")):
        page = await studio.open(path, DESKTOP)
        if name == "newsroom":
            await page.locator(".entries a").first.click()
            await page.wait_for_timeout(500)
        await studio.keep(name, page.screenshot)
        await page.context.close()


async def draw(studio: Studio, documents: tuple[tuple[str, str], ...], selector: str = ".shot") -> None:
    for name, document in documents:
        page = await studio.open("", DRAWN)
        await page.set_content(document)
        await studio.keep(name, page.locator(selector).first.screenshot)
        await page.context.close()


async def conversation(studio: Studio, incident: Incident, run: Run) -> None:
    """Buttons and commands with what they answer."""
    page = await studio.open("/", TALL)
    card = page.locator(f'.message.has-card:has([data-command="ack {incident.id}"])').last
    await card.locator(f'[data-command="mute {incident.id}"]').click()
    await page.locator("#dialog[open]").wait_for()
    await page.wait_for_timeout(300)
    await studio.keep("form", page.locator("#dialog").screenshot)  # a dialog is not replaced
    await page.keyboard.press("Escape")
    await page.locator(f'[data-command="ack {incident.id}"]').last.click()
    await page.locator(f'[data-command="note {incident.id}"]').last.wait_for()
    await page.wait_for_timeout(700)
    answered = page.locator(f'.message.has-card:has([data-command="note {incident.id}"])').last
    await studio.keep("card-taken", lambda: alone(page, answered.locator(".card")))
    for name, line in SAID[studio.language].items():
        await say(studio, page, name, line.format(id=incident.id, run=run.id))
    await page.context.close()


async def alone(page: Page, part: Locator) -> bytes:
    """A part of the page without the hint that there is news below it. A live card is replaced while one looks at it,
    so the picture is cut out of the page's."""
    await page.locator("#pill").evaluate("node => { node.style.visibility = 'hidden' }")
    await part.evaluate("node => node.scrollIntoView({block: 'center'})")
    box = await part.bounding_box()
    assert box is not None
    return await page.screenshot(clip=box)  # type: ignore[arg-type]


async def say(studio: Studio, page: Page, name: str, line: str) -> None:
    """Type a command and photograph it together with its answer."""
    before = await page.locator(".message").count()
    await page.locator("#line").fill(line)
    await page.locator("#composer .send").click()
    for _ in range(100):  # the page's policy forbids to evaluate a condition inside it
        if await page.locator(".message").count() >= before + 2:
            break
        await page.wait_for_timeout(200)
    await page.wait_for_timeout(900)
    mine = page.locator(".message.mine").last
    answer = mine.locator("xpath=following-sibling::article[contains(@class, 'from-bot')][1]")
    await answer.scroll_into_view_if_needed()
    await page.wait_for_timeout(300)

    async def both() -> bytes:
        await mine.evaluate("node => node.scrollIntoView({block: 'start'})")
        await page.wait_for_timeout(200)
        await page.mouse.move(5, 5)
        top, low = await mine.bounding_box(), await answer.bounding_box()
        frame = await page.locator("#feed").bounding_box()
        assert top and low and frame
        start = max(top["y"] - 4, frame["y"])
        end = min(low["y"] + low["height"] + 6, frame["y"] + frame["height"])
        clip = {"x": top["x"], "y": start, "width": top["width"], "height": max(40.0, end - start)}
        return await page.screenshot(clip=clip)  # type: ignore[arg-type]

    await studio.keep(f"say-{name}", both)


async def dashboards(studio: Studio) -> None:
    for name, size, scheme in (
        ("dashboard", DESKTOP, "light"), ("dashboard-dark", DESKTOP, "dark"), ("dashboard-phone", PHONE, "light"),
    ):  # fmt: skip
        page = await studio.open("/dashboard", size, scheme, 1.5 if size == PHONE else 1)
        await studio.keep(name, page.screenshot)
        await page.context.close()


async def drawn(studio: Studio, incident: Incident) -> None:
    """Slack, WeCom and e-mail: the messages as Fengbo makes them, in the look of their clients."""
    app, language = studio.app, studio.language
    now = app.clock.now()
    card = await app.store.read(lambda db: app.cards(db, incident, language, now))
    raised = Text(
        "announce.raised",
        {
            "id": incident.id, "before": Text("grade.yellow"), "grade": words.grade(incident.grade),
            "first_reason": words.signal(incident.signals[0]),
        },
    )  # fmt: skip
    for name, document, selector in (
        ("slack", slack_page(card, render(raised, language), language, now), ".shot"),
        ("slack-form", slack_form(app, incident, language), ".modal"),
        ("wecom", wecom_page(card, language), ".shot"),
        ("wecom-robot", robot_page(card, language), ".shot"),
        ("email", mail_page.page(card, language), "body"),
    ):
        page = await studio.open("", DRAWN)
        await page.set_content(document)
        await studio.keep(name, page.locator(selector).first.screenshot)
        await page.context.close()


def slack_page(card: Card, announcement: str, language: str, now: int) -> str:
    time = words.clock_time(now)[-5:]
    """A card; with an announcement as the channel sees it when the grade rose, without one as in a thread."""
    called = ("U0LINA",) if announcement else ()
    message = Message("slack:C0ALERTS", card=card, object=card.object, language=language, mentions=called)
    shown = [render_slack.render_message(part.blocks, text=part.text, time=time, names=NAMES)
             for part in slack.render(message)]  # fmt: skip
    if not announcement:
        return render_slack.render_page(*shown, language=language)
    reply = Message("slack:C0ALERTS", text=announcement, language=language, mentions=("U0LINA",))
    below = [render_slack.render_message(part.blocks, text=part.text, time=time, names=NAMES)
             for part in slack.render(reply)]  # fmt: skip
    return render_slack.render_page(*shown, render_slack.replies(*below), language=language)


def slack_form(app: App, incident: Incident, language: str) -> str:
    form = app.registry.form_for("mute", f"mute {incident.id}", language)
    assert form is not None
    return render_slack.render_page(
        render_slack.render_view(modal(form, FormContext(form.command), language)), language=language
    )


def wecom_page(card: Card, language: str) -> str:
    message = Message("wecom:lina", card=card, object=card.object, language=language, reason="opened")
    posting = wecom.member_posting(message, wecom.task_id_of(message, "picture"))
    assert posting.card is not None
    shown = [render_wecom.said(render_wecom.render_card(posting.card), name="Fengbo")]
    shown += [render_wecom.said(bubble(body), name="Fengbo") for body in posting.rest]
    return render_wecom.render_page(*shown, language=language)


def robot_page(card: Card, language: str) -> str:
    message = Message("wecom:robot/pr-robot", card=replace(card, buttons=()), language=language, reason="raised")
    bodies = wecom.robot_bodies(message)
    return render_wecom.render_page(
        *(render_wecom.said(bubble(body), name="Fengbo") for body in bodies), language=language
    )


def bubble(body: dict[str, object]) -> str:
    kind = str(body["msgtype"])
    part = body[kind]
    assert isinstance(part, dict)
    if kind == "template_card":
        return render_wecom.render_card(part)
    content = str(part["content"])
    return render_wecom.render_markdown(content) if kind.startswith("markdown") else render_wecom.render_text(content)


if __name__ == "__main__":
    asyncio.run(main(tuple(sys.argv[1:])))
