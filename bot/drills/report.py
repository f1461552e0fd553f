"""A drill's report as a document: the score line by line with what it rests on, wrong moves, the record in order."""

from typing import Any

from sqlite_utils import Database

from bot.drills.record import deeds
from bot.drills.schema import Posts, Scenario, Unreachable, Word
from bot.drills.score import position_at
from bot.drills.scorecard import Report, compared
from bot.incidents.words import clock_time
from bot.model.text import Text
from bot.reports.document import Block, Writer
from bot.reports.scene import Scene
from bot.reports.timeline_scene import Mark, timeline
from bot.response.values import show_duration
from bot.store import drills as store
from bot.texts import render

MINUTE, QUARTER = 60_000, 900_000


def picture_of(found: Report, language: str) -> dict[str, Any]:
    """What the picture of a score shows (``bot.reports.score_scene``)."""
    last, best = found.last, found.best
    rows = [
        [
            render(Text(f"score.{line.measure}"), language), line.points, line.weight,
            last.lines[index].points if last and len(last.lines) > index else None,
            best.lines[index].points if best and len(best.lines) > index else None,
        ]
        for index, line in enumerate(found.score.lines)
    ]  # fmt: skip
    return {
        "title": _title(found, language), "total": found.score.total, "of": render(Text("score.of"), language),
        "compared": render(_short(found), language), "rows": rows,
        "legend": [render(Text("score.legend_last"), language), render(Text("score.legend_best"), language)],
    }  # fmt: skip


def document(
    db: Database, found: Report, language: str, *, score_png: str = "", time_png: str = "", base: str = ""
) -> list[Block]:
    """``score_png`` and ``time_png`` are PNGs in base64; ``base`` is the console's address, for links to statements."""
    drill, writer = found.drill, Writer(language)
    writer.add("mark", Text("card.drill", {"drill": drill.id}))
    writer.add("title", _title(found, language))
    writer.add("subtitle", compared(found, language))
    writer.add("facts", rows=[
        (Text("drill.label_facilitator"), drill.facilitator_name or "—"),
        (Text("drill.label_begun"), clock_time(drill.started_at)),
        (Text("drill.label_length"), show_duration(max(MINUTE, drill.position // MINUTE * MINUTE))),
        (Text("drill.label_speed"), f"{drill.speed:g}"),
    ])  # fmt: skip
    writer.picture(score_png, Text("score.picture"))
    writer.add("heading", Text("score.lines"))
    writer.add("table", rows=[
        (Text("score.head_line"), Text("score.head_role"), Text("score.head_points"), Text("score.head_why")),
        *((Text(f"score.{line.measure}"), Text(f"role.{line.role}"), f"{line.points:g}/{line.weight}", line.why)
          for line in found.score.lines),
    ])  # fmt: skip
    if found.score.wrong:
        writer.add("heading", Text("score.wrong"))
        writer.add("items", rows=[(text, "") for text in found.score.wrong])
    writer.add("heading", Text("score.shares"))
    shares = {**{f"role.{name}": value for name, value in found.score.by_role().items()}}
    writer.add("facts", rows=[
        *((Text(name), f"{points:g}/{weight}") for name, (points, weight) in shares.items()),
        *((name, f"{points:g}/{weight}") for name, (points, weight) in found.score.by_person().items()),
    ])  # fmt: skip
    writer.add("heading", Text("score.timeline"))
    writer.picture(time_png, Text("score.timeline"))
    above, below = marks(db, found, language)
    rows = sorted([(at, Text("score.happened"), words) for at, words in above]
                  + [(at, Text("score.team"), words) for at, words in below], key=lambda row: row[0])  # fmt: skip
    head = (Text("drill.label_time"), "", Text("score.head_what"))
    writer.add("table", rows=[head, *((_clock(at), who, words) for at, who, words in rows)])
    sources = [
        (item, f"{base}/statements/{item}" if base and item.startswith("S-") else "") for item in _sources(db, found)
    ]
    if sources:
        writer.add("heading", Text("score.sources"))
        writer.add("items", rows=sources)
    return writer.blocks


def marks(db: Database, found: Report, language: str) -> tuple[list[Mark], list[Mark]]:
    """What happened, and what the team did, in the drill's own time."""
    drill, events = found.drill, store.events(db, found.drill.id)
    above: list[Mark] = []
    for event in events:
        if event.kind == "inject":
            inject = found.scenario.timeline[event.detail["inject"]]
            if isinstance(inject, Posts):
                words = render(Text("drill.coming_posts", {"n": inject.count}), language)
            else:
                words = _named(inject.kind, _sender(inject, language), language)
            above.append((event.position, words))
        elif event.kind == "manual":
            words = _named(str(event.detail["kind"]), str(event.detail["sender"]), language)
            above.append((event.position, render(Text("score.by_hand", {"what": words}), language)))
    below = [
        (
            position_at(events, drill.speed, deed.at),
            render(
                Text("drill.done_row", {"done": Text(f"drill.done_{name}"), "who": deed.name or Text("score.machine")}),
                language,
            ),
        )
        for name, deed in deeds(db, drill, found.scenario).items()
    ]
    return sorted(above), sorted(below)


def timeline_of(db: Database, found: Report, language: str) -> Scene:
    above, below = marks(db, found, language)
    ends = max(found.drill.position, MINUTE)
    step = max(QUARTER, ends // 8 // QUARTER * QUARTER)
    clock = [(at, _clock(at)) for at in range(step, ends, step)]
    title = render(Text("score.timeline_title", {"id": found.drill.id}), language)
    return timeline(title, ends, above, below, clock)


def _sender(inject: Word | Unreachable, language: str) -> Text | str:
    return Text(f"role.{inject.role}") if isinstance(inject, Unreachable) else inject.sender.in_language(language)


def _who(name: str) -> Text | str:
    return name or Text("score.machine")


def _sources(db: Database, found: Report) -> list[str]:
    """The incidents, runs and statements that the lines rest on."""
    scenario = Scenario.thaw(found.drill.body)
    return list(dict.fromkeys(deed.what for deed in deeds(db, found.drill, scenario).values() if deed.what))


def _named(kind: str, who: Text | str, language: str) -> str:
    return render(Text("score.mark", {"kind": Text(f"drill.kind_{kind}"), "who": who}), language)


def _clock(at: int) -> str:
    return show_duration(at // MINUTE * MINUTE) if at >= MINUTE else "0m"


def _short(found: Report) -> Text:
    if not found.earlier:
        return Text("score.first_time")
    (last, before), best = found.earlier[-1], max(value for _, value in found.earlier)
    return Text("score.against", {"last": last, "before": f"{before:g}", "best": f"{best:g}"})


def _title(found: Report, language: str) -> str:
    params = {"id": found.drill.id, "title": found.scenario.title.in_language(language)}
    return render(Text("score.title", params), language)
