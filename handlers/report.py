"""``report``: daily, weekly and monthly briefs, made beside the flow and sent to where they were asked for."""

import re
from typing import Any

from bot.briefs import document
from bot.briefs.period import CADENCES, Cadence, holding
from bot.briefs.service import PICTURE, Briefs
from bot.model.card import Button, Card, Items
from bot.model.message import Attachment
from bot.model.text import Text, UserError
from bot.reports.axes import DEFAULT_ZONE
from bot.store import briefs as store
from bot.texts import render
from handlers.registry import Reply, Request, narrow, registry

_ID = re.compile(r"(?<![A-Za-z0-9-])B-?(\d{1,9})(?![A-Za-z0-9-])", re.IGNORECASE)
_WORDS: dict[Cadence, tuple[str, ...]] = {
    "daily": ("daily", "day", "日报", "每日"), "weekly": ("weekly", "week", "周报", "每周"),
    "monthly": ("monthly", "month", "月报", "每月"),
}  # fmt: skip
LISTED = 10


@registry.command("report", "报告", "简报", "brief", group="watch")
def report(request: Request) -> Reply:
    """``report weekly``, ``report monthly Xinghe Pay``, ``report B-3``; alone it lists them."""
    line = narrow(request.rest).strip()
    known = _ID.search(line)
    if known:
        return _again(request, f"B-{int(known[1])}")
    for cadence in CADENCES:
        for word in _WORDS[cadence]:
            if line.lower().startswith(word):
                return _make(request, cadence, request.rest.strip()[len(word) :].strip())
    return _list(request)


@registry.command("daily", "日报", "每日简报", group="watch", hidden=True)
def daily(request: Request) -> Reply:
    return _make(request, "daily", request.rest)


@registry.command("weekly", "周报", "每周简报", group="watch", hidden=True)
def weekly(request: Request) -> Reply:
    return _make(request, "weekly", request.rest)


@registry.command("monthly", "月报", "每月简报", group="watch", hidden=True)
def monthly(request: Request) -> Reply:
    return _make(request, "monthly", request.rest)


def _make(request: Request, cadence: Cadence, about: str) -> Reply:
    """The running period, up to now: who asks wants to know how things stand."""
    subjects = _subjects(request, about.strip())
    period = holding(cadence, request.now, DEFAULT_ZONE)
    event = request.event
    private = event.private or event.origin in ("button", "form")
    place: dict[str, Any] = {
        "destination": event.destination, "audience": event.account if private else "", "reply": event.reply,
        "answer": True,
    }  # fmt: skip
    _service(request).ask(request.db, period, subjects, request.language, [place], request.now)
    title = document.title_of(period, request.language)
    return Reply(Text("brief.making", {"title": title}), private=True)


def _again(request: Request, brief_id: str) -> Reply:
    found = store.get(request.db, brief_id)
    if found is None:
        raise UserError("brief.none", id=brief_id)
    public = request.services.config.chat.console.public_url.rstrip("/")
    lines = tuple(block[1] for block in found.blocks if block[0] == "paragraph")[:4]
    pictured = any(block[0] == "picture" for block in found.blocks)
    card = Card(found.title, sections=(Items("", lines),), link=f"{public}/reports/{found.id}" if public else "")
    return Reply(card=card, attachment=Attachment(PICTURE, {"brief": found.id}) if pictured else None)


def _list(request: Request) -> Reply:
    rows = store.recent(request.db, LISTED)
    if not rows:
        return Reply(Text("brief.list_none"))
    lines = tuple(render(Text("brief.row", {"id": row.id, "title": row.title}), request.language) for row in rows)
    buttons = tuple(Button(row.id, f"report {row.id}") for row in rows[:3])
    return Reply(card=Card(render(Text("brief.list"), request.language), sections=(Items("", lines),), buttons=buttons))


def _subjects(request: Request, about: str) -> list[str]:
    if not about:
        return []
    subjects = request.services.config.subjects
    found = [one.id for one in subjects if about.casefold() in (one.id.casefold(), one.name.casefold())]
    if not found:
        raise UserError("brief.unknown_subject", name=about, known=[one.name for one in subjects])
    return found


def _service(request: Request) -> Briefs:
    assert request.services.briefs is not None
    return request.services.briefs
