"""A retrospective as a document of plain blocks, which become a page or a PDF. Pure; what is not known says so."""

from collections.abc import Sequence

from bot.incidents import words
from bot.learning.actions import day
from bot.learning.moments import Reference, spans
from bot.learning.retro_cards import Name
from bot.learning.retrospect import Retrospect
from bot.learning.survey import QUESTIONS
from bot.model.statement import DIGEST_SHOWN
from bot.model.text import Text
from bot.reports.axes import clock_label
from bot.reports.document import Block, Writer

REFERENCES = 6
WHEN = "%Y-%m-%d %H:%M"
OUTCOMES = ("kept", "done", "late", "missed", "skipped", "left", "open", "not_applicable")


def document(found: Retrospect, language: str, picture: str, name: Name) -> list[Block]:
    """``picture`` is a PNG in base64, empty for none."""
    to = _Paper(language)
    _head(to, found, name)
    to.heading("picture")
    if picture:
        to.picture(picture, Text("retro.picture_caption"))
    else:
        to.add("paragraph", Text("retro.picture_none"))
    _moments(to, found)
    _targets(to, found)
    _phases(to, found)
    _forecast(to, found)
    _similar(to, found)
    _statements(to, found)
    _steps(to, found)
    _gaps(to, found)
    _score(to, found)
    _survey(to, found)
    _impact(to, found)
    _actions(to, found, name)
    _timeline(to, found)
    to.heading("method")
    to.add("paragraph", Text("retro.method"))
    return to.blocks


def _names(*columns: str) -> list[Text]:
    return [Text(f"retro.column_{column}") for column in columns]


class _Paper(Writer):
    """A writer that knows how a retrospective says moments, durations and what a number rests on."""

    def heading(self, name: str) -> None:
        self.add("heading", Text(f"retro.heading_{name}"))

    def table(self, heading: str, columns: Sequence[str], rows: Sequence[Sequence[Text | str]], none: str) -> None:
        self.heading(heading)
        if rows:
            self.add("table", rows=[_names(*columns), *rows])
        else:
            self.add("paragraph", Text(f"retro.none_{none}"))

    def took(self, milliseconds: int | None) -> Text | str:
        return words.duration(milliseconds) if milliseconds is not None else Text("retro.no_data")

    def rests_on(self, references: Sequence[Reference]) -> str:
        shown = [self.say(Text(f"retro.reference_{item.kind}", {"id": item.id})) for item in references[:REFERENCES]]
        if len(references) > REFERENCES:
            shown.append(f"+{len(references) - REFERENCES}")
        return ", ".join(shown)


def when(moment: int) -> str:
    return clock_label(moment, show=WHEN) if moment else "—"


def percent(share: float | None) -> Text | str:
    return f"{share:.0%}" if share is not None else Text("retro.no_data")


def _head(to: _Paper, found: Retrospect, name: Name) -> None:
    incident, moments = found.incident, found.moments
    if incident.drill:
        to.add("mark", Text("card.drill", {"drill": incident.drill}))
    to.add("title", Text("retro.title", {"id": incident.id, "title": words.title(incident)}))
    to.add("subtitle", Text("retro.final" if found.frozen else "retro.draft"))
    during = moments.volume("during")
    acknowledge, answer = (_target_remark(found, wanted) for wanted in ("acknowledge", "answer"))
    to.add("figures", rows=[
        (Text("retro.span_alert_acknowledged"), to.took(moments.time_to_acknowledge), acknowledge),
        (Text("retro.span_alert_published"), to.took(moments.time_to_answer), answer),
        (Text("retro.span_alert_resolved"), to.took(moments.time_to_resolve), ""),
        (Text("retro.volume"), str(during.mentions if during else 0), Text("retro.phase_during")),
        (Text("retro.share"), percent(during.share if during else None), Text("retro.phase_during")),
        (Text("retro.steps_in_time"), _in_time(found), Text("retro.steps")),
    ])  # fmt: skip
    closed = next((entry for entry in reversed(found.timeline) if entry.kind in ("closed", "false_alarm")), None)
    facts: list[tuple[Text, Text | str]] = [
        (Text("retro.fact_subject"), incident.subject_name),
        (Text("retro.fact_type"), Text(f"type.{incident.crisis_type}")),
        (Text("retro.fact_grade"), words.grade(incident.peak_grade)), (Text("retro.fact_owner"), name(incident.owner)),
        (Text("retro.fact_opened"), when(incident.opened_at)),
        (Text("retro.fact_closed"), when(incident.closed_at)),
        (Text("retro.fact_reason"), str(closed.params.get("reason", "—")) if closed else "—"),
        (Text("retro.fact_read"), when(moments.made_at)),
    ]  # fmt: skip
    to.add("facts", rows=facts)


def _target_remark(found: Retrospect, name: str) -> Text | str:
    target = next((item for item in found.targets if item.name == name), None)
    if target is None:
        return Text("retro.no_target")
    return Text(
        "retro.target_kept" if target.kept else "retro.target_missed", {"within": words.duration(target.within)}
    )


def _in_time(found: Retrospect) -> Text | str:
    due = found.moments.steps_of("kept", "late", "missed")
    return f"{len(found.moments.steps_of('kept'))}/{len(due)}" if due else Text("retro.no_data")


def _moments(to: _Paper, found: Retrospect) -> None:
    alert = found.moments.at("alert")
    rows = []
    for moment in found.moments.moments:
        distance: Text | str = "—"
        if alert is not None and moment.name != "alert":
            distance = Text("retro.after" if moment.at >= alert else "retro.before",
                            {"span": words.duration(abs(moment.at - alert))})  # fmt: skip
        what = Text("retro.moment_peak", {"n": moment.count}) if moment.name == "peak" else Text(
            f"retro.moment_{moment.name}"
        )  # fmt: skip
        rows.append((when(moment.at), what, distance, moment.who or "—", to.rests_on(moment.rests_on)))
    to.table("moments", ("when", "what", "distance", "who", "rests_on"), rows, "moments")
    told = [(Text(f"retro.span_{start}_{end}"), words.duration(span)) for start, end, span in spans(found.moments)]
    if told:
        to.add("table", rows=[_names("span", "took"), *told])


def _targets(to: _Paper, found: Retrospect) -> None:
    rows = [
        (
            Text(f"retro.target_{item.name}"), words.duration(item.within), to.took(item.took),
            Text("retro.yes" if item.kept else "retro.no"),
            Text(f"grade.{item.source}") if item.name == "acknowledge" else item.source,
        )
        for item in found.targets
    ]  # fmt: skip
    to.table("targets", ("target", "within", "took", "kept", "set_by"), rows, "targets")


def _phases(to: _Paper, found: Retrospect) -> None:
    rows = [
        (
            Text(f"retro.phase_{item.name}"), f"{when(item.since)} – {when(item.until)}", str(item.mentions),
            str(item.negative), percent(item.share), to.rests_on([Reference("post", str(seq)) for seq in item.posts]),
        )
        for item in found.moments.volumes
    ]  # fmt: skip
    to.table("phases", ("phase", "window", "posts", "negative", "share", "rests_on"), rows, "phases")


def _forecast(to: _Paper, found: Retrospect) -> None:
    rows: list[tuple[Text | str, ...]] = []
    for item in found.foretold:
        came: Text | str = str(item.came) if item.came is not None else Text("retro.not_over")
        inside: Text | str = "—"
        if item.came is not None:
            inside = Text("retro.yes" if item.low <= item.came <= item.high else "retro.no")
        expected = f"{item.middle:.0f} ({item.low:.0f}–{item.high:.0f})"
        rows.append((Text("retro.hours", {"n": item.hours}), expected, came, inside))
    to.table("forecast", ("horizon", "foretold", "came", "inside"), rows, "forecast")


def _similar(to: _Paper, found: Retrospect) -> None:
    own = found.moments
    rows: list[tuple[Text | str, ...]] = [
        (
            f"{item.id} {item.title}", when(item.opened_at), words.grade(item.grade), to.took(item.acknowledged),
            to.took(item.answered), to.took(item.resolved),
        )
        for item in found.similar
    ]  # fmt: skip
    if rows:
        incident = found.incident
        rows.insert(0, (Text("retro.this_one", {"id": incident.id}), when(incident.opened_at),
                        words.grade(incident.peak_grade), to.took(own.time_to_acknowledge), to.took(own.time_to_answer),
                        to.took(own.time_to_resolve)))  # fmt: skip
    columns = ("incident", "opened", "grade", "acknowledged", "answered", "resolved")
    to.table("similar", columns, rows, "similar")


def _statements(to: _Paper, found: Retrospect) -> None:
    rows = [
        (
            item.statement, item.title or "—", Text(f"audience.{item.audience}"), when(item.drafted_at),
            when(item.approved_at), when(item.published_at), item.digest[:DIGEST_SHOWN], item.by or "—",
        )
        for item in found.moments.statements
    ]  # fmt: skip
    columns = ("statement", "title", "audience", "drafted", "approved", "published", "digest", "who")
    to.table("statements", columns, rows, "statements")
    if rows:
        to.add("items", rows=[(item.statement, f"/statements/{item.statement}") for item in found.moments.statements])


def _steps(to: _Paper, found: Retrospect) -> None:
    rows: list[tuple[Text | str, ...]] = [
        (
            item.run, item.title.in_language(to.language), Text(f"run_status.{item.status}"),
            *(str(item.outcomes.get(name, 0)) for name in OUTCOMES),
        )
        for item in found.plans
    ]  # fmt: skip
    to.table("plans", ("run", "plan", "state", *OUTCOMES), rows, "plans")
    behind = [
        (
            item.reference.id, item.title.in_language(to.language), Text(f"retro.outcome_{item.outcome}"),
            when(item.due_at), when(item.ended_at), to.took(item.late_by) if item.outcome == "late" else "—",
            item.by or "—", item.reason or Text("retro.no_reason"),
        )
        for item in found.moments.steps_of("late", "missed", "skipped", "left")
    ]  # fmt: skip
    columns = ("step", "title", "outcome", "due", "ended", "late_by", "who", "reason")
    to.table("behind", columns, behind, "behind")


def _gaps(to: _Paper, found: Retrospect) -> None:
    rows = [
        (
            gap.source, Text("retro.gap_blind") if gap.blind else Text("retro.gap_late", {"n": len(gap.posts)}),
            to.rests_on([Reference("post", str(seq)) for seq in gap.posts]) or found.incident.id,
        )
        for gap in found.gaps
    ]  # fmt: skip
    to.table("gaps", ("source", "what", "rests_on"), rows, "gaps")
    alarms = [(number, when(at), reason or Text("retro.no_reason")) for number, at, reason in found.false_alarms]
    to.table("false_alarms", ("incident", "opened", "reason"), alarms, "false_alarms")


def _score(to: _Paper, found: Retrospect) -> None:
    if found.score is None:
        return
    rows = [
        (Text(f"score.{line.measure}"), f"{line.points:g}/{line.weight}", line.why) for line in found.score.lines
    ]  # fmt: skip
    to.heading("score")
    to.add("figures", rows=[(Text("retro.score"), f"{found.score.total:g}", found.incident.drill)])
    to.add("table", rows=[_names("measure", "points", "reason"), *rows])


def _survey(to: _Paper, found: Retrospect) -> None:
    to.heading("survey")
    if found.asked:
        to.add("paragraph", Text("retro.survey_count", {"n": found.answered, "of": found.asked}))
    marks = [int(item.answer) for item in found.answers if item.question == "usable"]
    if marks:
        average = f"{sum(marks) / len(marks):.1f}"
        to.add("paragraph", Text("retro.survey_marks", {"average": average, "n": len(marks)}))
    order = {name: number for number, name in enumerate(QUESTIONS)}
    rows = [
        (Text(f"retro.question_{item.question}"), item.answer, item.person_name or Text("retro.anonymous"))
        for item in sorted(found.answers, key=lambda item: order.get(item.question, 9))
    ]
    if rows:
        to.add("table", rows=[_names("question", "answer", "who"), *rows])
    else:
        to.add("paragraph", Text("retro.none_survey"))


def _impact(to: _Paper, found: Retrospect) -> None:
    rows = [
        (
            Text(f"retro.impact_{item.kind}"), item.measure, item.value or "—", item.before or "—", item.after or "—",
            item.source, f"{item.actor_name} {when(item.at)}",
        )
        for item in found.impacts
    ]  # fmt: skip
    columns = ("kind", "measure", "change", "before", "after", "source", "entered")
    to.table("impact", columns, rows, "impact")


def _actions(to: _Paper, found: Retrospect, name: Name) -> None:
    rows = []
    for item in found.actions:
        kept = item.kept(found.made_at) if item.state != "proposed" else None
        state = "late" if item.state == "open" and kept is False else item.state
        rows.append((
            item.id, item.text, Text(f"action.kind_{item.kind}"), name(item.owner) if item.owner else "—",
            day(item.due_at), Text(f"action.state_{state}"), item.note or "—",
        ))  # fmt: skip
    columns = ("action", "text", "kind", "owner", "due", "state", "note")
    to.table("actions", columns, rows, "actions")
    promised = [item for item in found.actions if item.kind == "commitment" and item.state != "proposed"]
    if promised:
        kept_count = sum(item.kept(found.made_at) is True for item in promised)
        broken = sum(item.kept(found.made_at) is False for item in promised)
        params = {"n": len(promised), "kept": kept_count, "broken": broken}
        to.add("paragraph", Text("retro.commitments", params))


def _timeline(to: _Paper, found: Retrospect) -> None:
    rows = [
        (when(entry.happened_at), words.timeline(entry), entry.actor_name or "—", f"#{entry.id}")
        for entry in found.timeline
    ]
    to.table("timeline", ("when", "what", "who", "number"), rows, "timeline")
