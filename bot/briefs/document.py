"""A brief in words: blocks for page and PDF, a card for chats, figures for programs. Pure."""

from collections.abc import Mapping, Sequence
from typing import Any

from bot.analysis.text import clean
from bot.briefs.period import Period
from bot.briefs.pictures import platform_name, span
from bot.briefs.reading import Brief, Subject, Times
from bot.model.card import Card, Facts, Items, Paragraph, Quote, Section
from bot.model.text import Text
from bot.reports.axes import clock_label
from bot.reports.charts import incident_title
from bot.reports.document import Block, Writer
from bot.texts import render

QUOTED = 120
RISING = 5
NO_DATA = "—"


def title_of(period: Period, language: str) -> str:
    return render(Text(f"brief.title_{period.cadence}", {"period": period.label()}), language)


def headline(brief: Brief) -> list[Text]:
    """What the period was like in at most four sentences, most important first; said of every own subject together."""
    own = brief.of("own")
    mentions, negative = sum(one.mentions for one in own), sum(one.negative for one in own)
    before = sum(one.before[0] for one in own)
    if not mentions:
        found = [Text("brief.nothing")]
    elif not before:
        found = [Text("brief.volume_first", {"n": f"{mentions:,}", "share": round(100 * negative / mentions)})]
    else:
        change = round(100 * (mentions - before) / before)
        key = "brief.volume_up" if change > 0 else "brief.volume_down" if change < 0 else "brief.volume_same"
        say = {"n": f"{mentions:,}", "change": abs(change), "share": round(100 * negative / mentions)}
        found = [Text(key, say)]
    opened = [one for one in brief.incidents if brief.period.start <= one.incident.opened_at < brief.period.end]
    if opened:
        worst = max(opened, key=lambda one: one.incident.peak_grade)
        say = {"n": len(opened), "id": worst.incident.id, "grade": Text(f"grade.{worst.incident.peak_grade.word}")}
        found.append(Text("brief.incidents_some", say))
    else:
        found.append(Text("brief.incidents_none"))
    for subject in own:
        if subject.reputation is not None:
            say = {"name": subject.name, "value": subject.reputation.value}
            if subject.reputation_before is None:
                found.append(Text("brief.reputation_now", say))
            else:
                say["before"] = subject.reputation_before.value
                found.append(Text("brief.reputation_then", say))
    if brief.blind:
        found.append(Text("brief.blind_some", {"sources": [name for name, _, _ in brief.blind]}))
    return found[:5]


def blocks(
    brief: Brief, language: str, pictures: Mapping[str, tuple[str, str]], scores: Mapping[str, float]
) -> list[Block]:
    """The whole. ``pictures``: name → (PNG in base64, caption); ``scores``: drill → points."""
    to = Writer(language)
    to.add("title", title_of(brief.period, language))
    made = Text(
        "brief.made", {"at": clock_label(brief.made_at, brief.period.zone, "%Y-%m-%d %H:%M"), "zone": brief.period.zone}
    )
    to.add("subtitle", made)
    for sentence in headline(brief):
        to.add("paragraph", sentence)
    _figures(to, brief)
    _picture(to, pictures, "volume")
    _subjects(to, brief, pictures)
    _talk(to, brief)
    _incidents(to, brief)
    _warning(to, brief)
    _readiness(to, brief, scores)
    _policy(to, brief)
    to.add("heading", Text("brief.how"))
    to.add("paragraph", Text("brief.formula"))
    if brief.partly:
        to.add("paragraph", Text("brief.partly"))
    if brief.blind:
        rows = [
            (
                name,
                Text(f"brief.health_{health}"),
                clock_label(since, brief.period.zone, "%m-%d %H:%M") if since else NO_DATA,
            )
            for name, health, since in brief.blind
        ]
        to.add("table", rows=[_head("source", "state", "since"), *rows])
    return to.blocks


def _figures(to: Writer, brief: Brief) -> None:
    own = brief.of("own")
    mentions, negative = sum(one.mentions for one in own), sum(one.negative for one in own)
    was, was_negative = sum(one.before[0] for one in own), sum(one.before[1] for one in own)
    times = brief.times
    rows: list[tuple[Text | str, str, Text | str]] = [
        (Text("brief.f_mentions"), f"{mentions:,}" if mentions else NO_DATA, _previous(f"{was:,}" if was else NO_DATA)),
        (Text("brief.f_negative"), _percent(negative, mentions), _previous(_percent(was_negative, was))),
    ]
    for subject in own:
        now, before = subject.reputation, subject.reputation_before
        rows.append(
            (
                Text("brief.f_reputation", {"name": subject.name}),
                str(now.value) if now else NO_DATA,
                _previous(str(before.value) if before else NO_DATA) if now else Text("brief.too_few"),
            )
        )
    rows += [
        (Text("brief.f_incidents"), str(times.opened), _ids(times.ids["opened"])),
        (Text("brief.f_acknowledge"), span(times.acknowledge, to.language), _ids(times.ids["acknowledge"])),
        (Text("brief.f_answer"), span(times.answer, to.language), _ids(times.ids["answer"])),
    ]
    to.add("figures", rows=rows)


def _subjects(to: Writer, brief: Brief, pictures: Mapping[str, tuple[str, str]]) -> None:
    to.add("heading", Text("brief.h_subjects"))
    rows = [
        (
            one.name,
            Text(f"brief.kind_{one.kind}"),
            f"{one.mentions:,}",
            _percent(one.negative, one.mentions),
            f"{one.before[0]:,}",
            _percent(one.before[1], one.before[0]),
            str(one.reputation.value) if one.reputation else NO_DATA,
        )
        for one in brief.subjects
    ]
    names = ("subject", "kind", "mentions", "share", "mentions_before", "share_before", "index")
    to.add("table", rows=[_head(*names), *rows])
    _picture(to, pictures, "compared")
    _picture(to, pictures, "platforms")
    parts = [
        (one.name, *(f"{points}/{most}" for _, points, most in one.reputation.parts()), str(one.reputation.value))
        for one in brief.of("own")
        if one.reputation is not None
    ]
    if parts:
        to.add("paragraph", Text("brief.parts"))
        to.add("table", rows=[_head("subject", "mood", "balance", "calm", "answered", "index"), *parts])


def _talk(to: Writer, brief: Brief) -> None:
    to.add("heading", Text("brief.h_talk"))
    own = [one for one in brief.of("own") if one.talk]
    if not own:
        to.add("paragraph", Text("brief.no_talk"))
    for subject in own:
        rows = [
            (
                Text(
                    "brief.talk",
                    {
                        "n": f"{talk.posts:,}",
                        "text": _short(talk.text),
                        "platform": platform_name(talk.platform, to.language),
                        "author": talk.author or NO_DATA,
                        "post": talk.post,
                    },
                ),
                talk.url,
            )
            for talk in subject.talk
        ]
        to.add("items", rows=rows)
    rising = [line for subject in brief.of("own") for line in _rising(subject)]
    if rising:
        to.add("paragraph", Text("brief.rising"))
        to.add("table", rows=[_head("type", "subject", "posts", "posts_before"), *rising])


def _rising(subject: Subject) -> list[tuple[Text | str, ...]]:
    """Kinds of trouble that were spoken of more than in the period before."""
    grown = [(name, now, before) for name, (now, before) in subject.types.items() if now > before]
    ordered = sorted(grown, key=lambda item: (item[2] - item[1], item[0]))[:RISING]
    return [(Text(f"type.{name}"), subject.name, f"{now:,}", f"{before:,}") for name, now, before in ordered]


def _incidents(to: Writer, brief: Brief) -> None:
    to.add("heading", Text("brief.h_incidents"))
    if not brief.incidents:
        to.add("paragraph", Text("brief.incidents_none"))
    rows = []
    for one in brief.incidents:
        incident = one.incident
        name = incident_title(incident.title, incident.subject_name, incident.crisis_type, to.language)
        rows.append(
            (
                incident.id,
                name,
                Text(f"grade.{incident.peak_grade.word}"),
                Text(f"status.{incident.status.value}"),
                clock_label(incident.opened_at, brief.period.zone, "%m-%d %H:%M"),
                span(one.moments.time_to_acknowledge, to.language),
                span(one.moments.time_to_answer, to.language),
                span(one.moments.time_to_resolve, to.language),
            )
        )
    if rows:
        names = ("incident", "title", "grade", "status", "opened", "acknowledge", "answer", "resolve")
        to.add("table", rows=[_head(*names), *rows])
    if brief.published:
        to.add("paragraph", Text("brief.published"))
        said = [
            (
                statement,
                title or NO_DATA,
                Text(f"audience.{audience}"),
                clock_label(at, brief.period.zone, "%m-%d %H:%M"),
                digest[:8],
            )
            for statement, title, audience, at, digest in brief.published
        ]
        to.add("table", rows=[_head("statement", "title", "audience", "at", "digest"), *said])


def _warning(to: Writer, brief: Brief) -> None:
    """How well the warnings worked: mean times with their trend, false alarms, interruptions."""
    to.add("heading", Text("brief.h_warning"))
    rows = [_times_row(period, times, to.language) for period, times in (*brief.trend, (brief.period, brief.times))]
    names = ("period", "opened", "false", "acknowledge", "answer", "resolve", "lead", "interruptions", "night")
    to.add("table", rows=[_head(*names), *rows])
    to.add("paragraph", Text("brief.times_note"))


def _times_row(period: Period, times: Times, language: str) -> tuple[str, ...]:
    return (
        period.label(),
        str(times.opened),
        _percent(times.false_alarms, times.opened),
        span(times.acknowledge, language),
        span(times.answer, language),
        span(times.resolve, language),
        span(times.lead, language),
        NO_DATA if times.interruptions is None else str(times.interruptions),
        NO_DATA if times.night is None else str(times.night),
    )


def _readiness(to: Writer, brief: Brief, scores: Mapping[str, float]) -> None:
    to.add("heading", Text("brief.h_readiness"))
    if brief.drills:
        rows = [
            (
                one.id,
                one.scenario,
                clock_label(one.ended_at, brief.period.zone, "%m-%d %H:%M"),
                f"{scores[one.id]:g}" if one.id in scores else NO_DATA,
            )
            for one in brief.drills
        ]
        to.add("table", rows=[_head("drill", "scenario", "at", "points"), *rows])
    elif brief.last_drill:
        to.add(
            "paragraph", Text("brief.drill_last", {"days": max(0, (brief.made_at - brief.last_drill) // 86_400_000)})
        )
    else:
        to.add("paragraph", Text("brief.drill_never"))
    people, answers, right = brief.learning
    if answers:
        say = {"people": people, "answers": answers, "share": round(100 * right / answers)}
        to.add("paragraph", Text("brief.learning", say))
    else:
        to.add("paragraph", Text("brief.learning_none"))


def _policy(to: Writer, brief: Brief) -> None:
    watched = [one for one in brief.subjects if one.kind in ("policy", "industry")]
    if not watched:
        return
    to.add("heading", Text("brief.h_policy"))
    rows = [
        (
            Text(
                "brief.talk",
                {
                    "n": f"{talk.posts:,}",
                    "text": _short(talk.text),
                    "platform": platform_name(talk.platform, to.language),
                    "author": talk.author or NO_DATA,
                    "post": talk.post,
                },
            ),
            talk.url,
        )
        for one in watched
        for talk in one.talk
    ]
    if rows:
        to.add("items", rows=rows)
    else:
        to.add("paragraph", Text("brief.policy_quiet"))


def card(brief: Brief, brief_id: str, language: str, link: str) -> Card:
    """What a chat shows: the sentences, the numbers, what is talked about; the whole is behind the link."""
    to = Writer(language)
    _figures(to, brief)
    sentences = [render(sentence, language) for sentence in headline(brief)]
    sections: list[Section] = [Paragraph(sentences[0], strong=True), *(Paragraph(one) for one in sentences[1:])]
    sections.append(Facts(tuple((row[0], f"{row[1]}  {row[2]}".rstrip()) for row in to.blocks[0].rows)))
    talks = [(subject, subject.talk[0]) for subject in brief.of("own") if subject.talk]
    for _, talk in talks[:2]:
        source = f"{platform_name(talk.platform, language)} · {talk.posts:,}"
        sections.append(Quote(_short(talk.text), source, talk.url))
    drills = [one.id for one in brief.drills]
    if drills:
        sections.append(Items(render(Text("brief.h_readiness"), language), tuple(drills)))
    footer = render(Text("brief.footer", {"id": brief_id}), language)
    return Card(title_of(brief.period, language), sections=tuple(sections), footer=footer, link=link)


def figures(brief: Brief) -> dict[str, Any]:
    """The numbers for programs; times in seconds, None where there is no data."""
    return {
        "cadence": brief.period.cadence,
        "start": brief.period.start,
        "end": brief.period.end,
        "zone": brief.period.zone,
        "subjects": [
            {
                "id": one.id,
                "kind": one.kind,
                "mentions": one.mentions,
                "negative": one.negative,
                "positive": one.positive,
                "mentions_before": one.before[0],
                "negative_before": one.before[1],
                "reputation": one.reputation.value if one.reputation else None,
                "parts": {name: points for name, points, _ in one.reputation.parts()} if one.reputation else None,
                "platforms": {row[0]: row[1] for row in one.platforms},
            }
            for one in brief.subjects
        ],
        "incidents": [one.incident.id for one in brief.incidents],
        **_seconds(brief.times),
        "published": [row[0] for row in brief.published],
        "drills": [one.id for one in brief.drills],
        "blind_sources": [name for name, _, _ in brief.blind],
    }


def _seconds(times: Times) -> dict[str, Any]:
    named = {
        "time_to_acknowledge": times.acknowledge,
        "time_to_answer": times.answer,
        "time_to_resolve": times.resolve,
        "lead_before_peak": times.lead,
    }
    return {
        "opened": times.opened,
        "false_alarms": times.false_alarms,
        "interruptions": times.interruptions,
        "interruptions_at_night": times.night,
        **{f"{name}_seconds": None if value is None else value // 1000 for name, value in named.items()},
        "rests_on": {name: list(ids) for name, ids in times.ids.items()},
    }


def _picture(to: Writer, pictures: Mapping[str, tuple[str, str]], name: str) -> None:
    if name in pictures:
        to.picture(*pictures[name])


def _head(*names: str) -> tuple[Text, ...]:
    return tuple(Text(f"brief.c_{name}") for name in names)


def _percent(part: int, whole: int) -> str:
    return f"{round(100 * part / whole)} %" if whole else NO_DATA


def _previous(value: str) -> Text:
    return Text("brief.previous", {"value": value})


def _ids(ids: Sequence[str]) -> Text | str:
    return Text("brief.rests_on", {"ids": list(ids[:6]) + (["…"] if len(ids) > 6 else [])}) if ids else ""


def _short(text: str) -> str:
    plain = " ".join(clean(text).split())
    return plain if len(plain) <= QUOTED else plain[: QUOTED - 1] + "…"
