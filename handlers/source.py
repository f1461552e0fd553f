"""What is watched: adding a found post, the coverage of the sources, keyword rules with a trial before they go live."""

import re
from collections.abc import Iterable
from dataclasses import asdict, replace
from typing import Any
from urllib.parse import urlsplit

from bot.analysis.keywords import Matcher, RuleError
from bot.analysis.text import clean, fold
from bot.delivery import timers
from bot.incidents import words
from bot.model.card import Button, Card, Facts, Items, Paragraph, Section
from bot.model.intake import iso
from bot.model.post import KeywordRule, Subject
from bot.model.text import Text, UserError
from bot.store import audit, rules
from bot.store import incidents as incident_store
from bot.store.source_states import explain
from bot.texts import render
from handlers.article import found_id
from handlers.registry import EVERYBODY, Reply, Request, registry

# Only what stands in an address unescaped: Chinese words and punctuation written right behind it are not part of it.
URL = re.compile(r"https?://[A-Za-z0-9\-._~:/?#\[\]@!$&'()*+,;=%]+")
PLATFORM_OF_HOST = {
    "weibo": "weibo", "mp.weixin": "wechat", "douyin": "douyin", "twitter": "x", "x.com": "x", "tieba": "forum",
    "zhihu": "zhihu", "xiaohongshu": "xiaohongshu", "bilibili": "bilibili", "reddit": "reddit",
}  # fmt: skip
EDITORS = ("pr_head", "admin")
DAY = 86_400_000
# A trial reads at most this many of the newest posts: it runs while others wait, so it is bounded and says so.
TRIAL_POSTS = 20_000
SAMPLES = 5
FIELDS = ("any", "all", "none", "regex", "platforms")
_EDIT = re.compile(r"^(any|all|none|regex|platforms)\s*([+＋-])\s*(.+)$", re.IGNORECASE | re.DOTALL)


@registry.command("add", "补录", "录入", "添加", group="watch")
def add(request: Request) -> Reply:
    """Store a post that a member found: a link, words, or a message pointed at by a shortcut."""
    given = request.field("text") or " ".join(part for part in (request.rest, request.event.shared) if part)
    link = URL.search(given) or URL.search(request.event.shared_url)
    url = link[0] if link else ""
    text = URL.sub(" ", given).strip(" \n，,。：:") if request.event.shared == "" else given
    if not text and not url:
        raise UserError("error.add_what", example="add https://… …")
    host = _host(url)
    platform = _platform(host)
    if url and not text:
        payload = {
            "url": url, "platform": platform, "incident": request.incident_id, "destination": request.event.destination,
            "audience": request.event.account if request.event.private else "", "reply": request.event.reply,
            "language": request.language, "actor": asdict(request.actor, dict_factory=_plain),
            "published_at": request.event.happened_at or request.now,
        }  # fmt: skip
        timers.schedule(request.db, "article", f"{request.now}:{url}", request.now, request.now, payload)
        return Reply(Text("done.add_fetching", {"host": host}))
    item: dict[str, object] = {
        "id": found_id(url, text), "text": text or url, "url": url or None, "platform": platform, "kind": "post",
        "published_at": iso(request.event.happened_at or request.now),
    }  # fmt: skip
    taken = request.services.take_in(request.db, [item], "manual", platform, request.now)
    if taken.rejected:
        raise UserError("error.add_refused", cause=taken.rejected[0][1])
    if request.incident_id:
        incident = request.incident()
        summary = {"text": (text or url)[:200]}
        incident_store.note(request.db, incident.id, "post_added", request.now, request.actor, summary)
    matched = _matching(request, text)
    params = {"n": taken.accepted, "platform": words.platform(platform), "subjects": [item.name for item in matched]}
    if not taken.accepted:
        return Reply(Text("done.add_known"))
    return Reply(Text("done.add" if matched else "done.add_unmatched", params))


@registry.command("sources", "信源", "来源", "覆盖", "coverage", roles=EVERYBODY, group="watch")
def sources(request: Request) -> Reply:
    """What is measured, silent, failing or missing, and since when."""
    states = {
        row[0]: row[1:]
        for row in request.db.conn.execute(
            "SELECT source, health, health_since, last_post_at, posts, last_error FROM source_state"
        )
    }
    lines: dict[str, list[str]] = {}
    for source in request.services.config.sources:
        health, since, last_post, count, error = states.get(source.id, ("new", 0, 0, 0, ""))
        if not source.enabled:
            health = "paused"
        platform = words.platform(source.platform) if source.platform else Text("plain", {"text": source.kind})
        params = {
            "source": source.id, "platform": platform, "n": count,
            "since": words.clock_time(since) if since else "—",
            "last": words.clock_time(last_post) if last_post else Text("sources.never"),
            "error": f" · {_error(request, error)}" if error and health in ("failing", "missing") else "",
        }  # fmt: skip
        lines.setdefault(health, []).append(_say(request, "sources.line", **params))
    order = ("failing", "missing", "silent", "new", "measured", "paused")
    sections = tuple(
        Items(
            _say(request, "sources.group", health=Text(f"health.{health}"), n=len(lines[health])), tuple(lines[health])
        )
        for health in order
        if health in lines
    )
    if not sections:
        return Reply(Text("sources.none"))
    return Reply(card=Card(_say(request, "sources.title"), sections=sections, footer=_say(request, "sources.footer")))


@registry.command("rules", "规则", "关键词", "监测词", roles=EVERYBODY, group="watch")
def show_rules(request: Request) -> Reply:
    """The keyword rules; with a subject, its rule and what it matched in a day; with an edit, a trial of the edit."""
    if not request.rest:
        return _all_rules(request)
    subject, edit = _subject(request)
    if not edit:
        return _one_rule(request, subject)
    if edit in ("history", "历史"):
        return _history(request, subject)
    _require_editor(request)
    if edit in ("revert", "还原"):
        rules.revert(request.db, subject.id)
        audit.append(request.db, request.actor, "rule_reverted", subject.id, request.now)
        request.services.watch.load(request.db)
        return Reply(Text("done.rule_reverted", {"subject": subject.name}))
    match = _EDIT.match(edit)
    if not match:
        raise UserError("error.rule_edit", example=f"rules {subject.id} any+ …")
    changed = _edited(subject.rule, match[1].lower(), match[2], match[3])
    return _propose(request, subject, changed)


@registry.command("rules-apply", "规则生效", "启用规则", roles=EDITORS, group="watch")
def apply_rule(request: Request) -> Reply:
    """Put a tried version of a rule in force."""
    subject, number = _subject(request)
    digits = number.strip().lstrip("vV")
    if not digits.isdigit() or not rules.activate(request.db, subject.id, int(digits)):
        raise UserError("error.no_rule_version", subject=subject.name, version=number or "—")
    audit.append(request.db, request.actor, "rule_applied", subject.id, request.now, {"version": int(digits)})
    request.services.watch.load(request.db)
    return Reply(Text("done.rule_applied", {"subject": subject.name, "version": digits}))


def _host(url: str) -> str:
    try:
        return urlsplit(url).hostname or ""
    except ValueError:  # for example a broken IPv6 address
        return ""


def _platform(host: str) -> str:
    """The platform behind a host name; whole labels only, so that ``netflix.com`` is not ``x.com``."""
    if not host:
        return "manual"
    return next((name for part, name in PLATFORM_OF_HOST.items() if f".{part}." in f".{host}."), "news")


def _all_rules(request: Request) -> Reply:
    live = rules.live(request.db)
    lines = tuple(
        _say(request, "rules.line", id=subject.id, name=subject.name, kind=Text(f"kind.{subject.kind}"),
             words=_rule_words(request, subject.rule), version=live[subject.id][0] if subject.id in live else 0)
        for subject in request.services.watch.subjects()[:60]
    )  # fmt: skip
    total = len(request.services.watch.subjects())
    more = _say(request, "status.more", n=total - 60) if total > 60 else ""
    card = Card(_say(request, "rules.title"), sections=(Items("", lines, more),), footer=_say(request, "rules.footer"))
    return Reply(card=card)


def _one_rule(request: Request, subject: Subject) -> Reply:
    rows = [(name, _list(request, getattr(subject.rule, name))) for name in FIELDS if getattr(subject.rule, name)]
    matched, looked_at, samples = _trial(request, subject)
    by_platform = _list(
        request, [f"{render(words.platform(name), request.language)} {count}" for name, count in matched.items()]
    )
    sections: list[Section] = [
        Facts(tuple(rows)),
        Paragraph(
            _say(request, "rules.matched", n=sum(matched.values()), looked=looked_at, platforms=by_platform or "—")
        ),
    ]
    if samples:
        sections.append(Items(_say(request, "rules.samples"), tuple(samples)))
    return Reply(
        card=Card(f"{subject.name} ({subject.id})", sections=tuple(sections), footer=_say(request, "rules.footer"))
    )


def _propose(request: Request, subject: Subject, changed: KeywordRule) -> Reply:
    tried = replace(subject, rule=changed)
    try:
        Matcher([tried])
    except RuleError as error:
        cause = Text(f"rule_error.{error.code}", {"detail": error.detail})
        raise UserError("error.bad_rule", cause=cause) from error
    before, looked_at, _ = _trial(request, subject)
    after, _, samples = _trial(request, tried)
    number = rules.propose(request.db, subject.id, changed, request.actor, request.now)
    params = {"before": sum(before.values()), "after": sum(after.values()), "looked": looked_at, "version": number}
    sections: list[Section] = [
        Facts(tuple((name, _list(request, getattr(changed, name))) for name in FIELDS if getattr(changed, name))),
        Paragraph(_say(request, "rules.trial", **params), strong=True),
    ]
    if samples:
        sections.append(Items(_say(request, "rules.samples"), tuple(samples)))
    button = Button(_say(request, "button.apply"), f"rules-apply {subject.id} v{number}", "primary")
    title = _say(request, "rules.trial_title", subject=subject.name, version=number)
    return Reply(card=Card(title, sections=tuple(sections), buttons=(button,)))


def _trial(request: Request, subject: Subject) -> tuple[dict[str, int], int, list[str]]:
    """What a rule matches in the posts collected in the last day: counts by platform, posts looked at, samples."""
    rows = request.db.conn.execute(
        "SELECT platform, COALESCE(title, '') || ' ' || text FROM post WHERE drill = '' AND collected_at >= ?"
        " ORDER BY seq DESC LIMIT ?",
        (request.now - DAY, TRIAL_POSTS),
    ).fetchall()
    matcher = Matcher([subject])
    folded = [fold(clean(row[1])) for row in rows]
    counts: dict[str, int] = {}
    samples: list[str] = []
    for row, hits in zip(rows, matcher.match(folded, [row[0] for row in rows]), strict=True):
        if hits:
            counts[row[0]] = counts.get(row[0], 0) + 1
            if len(samples) < SAMPLES:
                samples.append(" ".join(row[1].split())[:120])
    return counts, len(rows), samples


def _history(request: Request, subject: Subject) -> Reply:
    lines = tuple(
        _say(request, "rules.version", version=number, state=Text(f"rule_state.{state}"), who=who,
             at=words.clock_time(at))
        for number, state, who, at, _ in rules.history(request.db, subject.id)
    )  # fmt: skip
    return Reply(card=Card(subject.name, sections=(Items(_say(request, "rules.history"), lines or ("—",)),)))


def _edited(rule: KeywordRule, field: str, sign: str, given: str) -> KeywordRule:
    items = [given.strip()] if field == "regex" else [item for item in re.split(r"[,，、\s]+", given) if item]
    present = list(getattr(rule, field))
    if sign == "-":
        missing = [item for item in items if item not in present]
        if missing:
            raise UserError("error.rule_word_missing", words=missing, field=field)
        changed = [item for item in present if item not in items]
    else:
        changed = [*present, *(item for item in items if item not in present)]
    result = replace(rule, **{field: tuple(changed)})
    if not (result.any or result.all or result.regex):
        raise UserError("error.rule_empty")
    return result


def _subject(request: Request) -> tuple[Subject, str]:
    """The subject that the words begin with, by id or name (which may contain spaces), and the words after it."""
    watched = request.services.watch.subjects()
    named = sorted(((name, item) for item in watched for name in (item.id, item.name)), key=lambda pair: -len(pair[0]))
    for name, subject in named:
        rest = request.rest[len(name) :]
        apart = not rest or rest[0].isspace() or not name[-1].isascii()
        if apart and request.rest[: len(name)].lower() == name.lower():
            return subject, rest.strip()
    name = request.rest.partition(" ")[0]
    raise UserError("error.no_such_subject", name=name, known=[item.id for item in watched][:20])


def _require_editor(request: Request) -> None:
    if request.actor.roles.isdisjoint(EDITORS):
        raise UserError("error.forbidden", roles=[words.role(role) for role in EDITORS])


def _matching(request: Request, text: str) -> list[Subject]:
    hits = Matcher(request.services.watch.subjects()).match([fold(clean(text))], ["manual"])[0]
    found = [request.services.watch.subject(subject_id) for subject_id, _ in hits]
    return [subject for subject in found if subject is not None]


def _plain(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    return {name: sorted(value) if isinstance(value, frozenset) else value for name, value in pairs}


def _rule_words(request: Request, rule: KeywordRule) -> str:
    return _list(request, [*rule.any, *rule.all, *(f"/{pattern}/" for pattern in rule.regex)])[:120]


def _list(request: Request, items: Iterable[str]) -> str:
    """Items with the comma of the reader's language between them."""
    return render(Text("plain", {"text": list(items)}), request.language)


def _error(request: Request, stored: str) -> str:
    return render(explain(stored), request.language)[:200]


def _say(request: Request, key: str, **params: object) -> str:
    return render(Text(key, params), request.language)
