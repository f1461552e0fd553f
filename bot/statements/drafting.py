"""From template and facts to a text, and from the record to what a review knows. Reads rows, writes none."""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlite_utils import Database

from bot.config import Config
from bot.incidents.words import CHINA
from bot.model.incident import Incident, Status
from bot.model.statement import EarlierText, FactView, ReviewContext, Statement
from bot.model.text import Text
from bot.response import facts
from bot.response.facts import Line
from bot.response.library import Library
from bot.response.parts import Template
from bot.response.release import Tellable, rules_for, tellable
from bot.response.run_state import Run
from bot.response.schema import Playbook
from bot.response.values import Words
from bot.response.vocabulary import fact_ids
from bot.statements.choosing import Candidate, Choice, Phase, Situation, choose
from bot.store import statements as store
from bot.texts import render

MINUTE = 60_000
ROUND = 10 * MINUTE
_HOLE = "\x00"
_MORE = "[,\uff0c]"  # behind a fact's name in its mark comes what is known of it
# Facts by which plans say that a claim has been looked into and is not true, with the answer that says so.
VERIFIED_FALSE = {
    "verified_false": "yes", "rumour_false": "yes", "is_false": "yes", "verdict": "untrue", "any_true": "no",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Sheet:
    """The facts as one audience may know them. ``told`` is None where no plan rules on it: then what is confirmed."""

    lines: tuple[Line, ...]
    told: Tellable | None

    def may_tell(self, line: Line) -> bool:
        if line.row is None or not line.row.confirmed:
            return False
        return self.told is None or self.told.reason(line.name) is None


def sheet_for(db: Database, incident: Incident, audience: str, runs: Sequence[Run]) -> Sheet:
    playbooks = [run.playbook for run in runs]
    lines = tuple(facts.sheet(db, incident.id, playbooks))
    ruled = [playbook for playbook in playbooks if playbook.release]  # a plan that rules nothing withholds nothing
    told = tellable(audience, incident.grade, lines, ruled) if ruled else None
    return Sheet(lines, told)


class Drafting:
    def __init__(self, config: Config, library: Callable[[], Library]) -> None:
        self._config = config
        self._library = library

    # -- texts

    def fill(
        self, template: Template, incident: Incident, sheet: Sheet, run: Run | None, language: str, now: int
    ) -> tuple[str, str]:
        """Title and body with what may be told; everything else stays as a mark that no review lets pass."""
        values = self.values(incident, sheet, run, language, now)
        marks = {line.name: mark_of(line, sheet, language) for line in sheet.lines if line.name not in values}
        mark = render(Text("run.unknown_field", {"name": "%s"}), language)
        for name, words in {**template.fields, **self._labels(incident)}.items():
            marks.setdefault(name, render(Text("run.unknown_field", {"name": words.in_language(language)}), language))
        known = {**marks, **values}
        title, _ = facts.fill(template.title.in_language(language), known, mark)
        body, _ = facts.fill(template.body.in_language(language), known, mark)
        return title.strip(), body.strip()

    def refill(self, text: str, incident: Incident, sheet: Sheet, run: Run | None, language: str, now: int) -> str:
        """A text whose marks are brought up to date: the fact where it may be told by now, else what is known of it."""
        values = self.values(incident, sheet, run, language, now)
        before, _, after = render(Text("run.unknown_field", {"name": _HOLE}), language).partition(_HOLE)
        labels = self._labels(incident)
        for line in sheet.lines:
            known = {render(line.named(language), language)}
            known |= {labels[line.name].in_language(language)} if line.name in labels else set()
            named = "|".join(re.escape(before + label) for label in sorted(known))
            mark = re.compile(f"(?:{named})(?:{_MORE}[^{re.escape(after)}]*)?{re.escape(after)}")
            text = mark.sub((values.get(line.name) or mark_of(line, sheet, language)).replace("\\", r"\\"), text)
        return text

    def values(self, incident: Incident, sheet: Sheet, run: Run | None, language: str, now: int) -> dict[str, str]:
        """What placeholders are filled with: the company's own values, then what may be told."""
        found = {
            "company": incident.subject_name, "subject": incident.subject_name, "incident_id": incident.id,
            "now": moment(now, language), "next_update_at": moment(self._next_update(now), language),
            "customer_name": render(Text("statement.dear_customer"), language),
        }  # fmt: skip
        commander = self._config.person(next(iter(run.team.get("commander", ())), "")) if run else None
        if commander is not None:
            found["commander_name"] = commander.name
        found |= self._config.statements.values
        told = {line.name: render(line.value(language), language) for line in sheet.lines if sheet.may_tell(line)}
        return {**found, **told}

    def _labels(self, incident: Incident) -> dict[str, Words]:
        """What facts of this kind of crisis are called, also while no plan is at work."""
        fitting = [plan for plan in self._library().playbooks() if incident.crisis_type in plan.crisis_types]
        return {fact.id: fact.label for plan in reversed(fitting) for fact in plan.facts}

    def named(self, name: str, runs: Iterable[Run]) -> Template | None:
        """A template by its name: of the plans at work first, then of the library."""
        pools = [*(run.playbook.templates for run in runs), self._library().templates]
        return next((pool[name] for pool in pools if name in pool), None)

    def options(
        self, db: Database, incident: Incident, audience: str, runs: Sequence[Run], language: str
    ) -> tuple[Choice, ...]:
        """The templates that fit an audience now, best first, with what speaks for and against each."""
        plans = [run.playbook for run in runs]
        candidates = [Candidate(name, item, True) for plan in plans for name, item in plan.templates.items()]
        candidates += [Candidate(name, item) for name, item in self._library().templates.items()]
        return choose(candidates, self.situation(db, incident, audience, runs, language))

    def situation(
        self, db: Database, incident: Incident, audience: str, runs: Sequence[Run], language: str
    ) -> Situation:
        """What a choice of words rests on: the plans at work, what is known, what this audience has heard."""
        sheet = sheet_for(db, incident, audience, runs)
        told = frozenset(line.name for line in sheet.lines if sheet.may_tell(line))
        plans = [run.playbook for run in runs]
        confirmed = any(line.row is not None and line.row.confirmed for line in sheet.lines)
        return Situation(
            incident.crisis_type, audience, incident.grade, plans[0].scct.cluster if plans else "",
            strategies=plans[0].scct.strategies if plans else (),
            avoid=frozenset(strategy for plan in plans for strategy in plan.scct.avoid),
            phase=self._phase(db, incident, audience, confirmed), language=language, told=told,
            closed=frozenset(line.name for line in sheet.lines if _shut(line.name, audience, incident, plans)),
            denial_verified=verified_false(sheet),
        )  # fmt: skip

    def _phase(self, db: Database, incident: Incident, audience: str, confirmed: bool) -> Phase:
        if incident.status is Status.MONITORING or not incident.status.live:
            return Phase.CALM
        if any(other.status.out and other.audience == audience for other in store.of_incident(db, incident.id)):
            return Phase.UPDATE
        return Phase.KNOWN if confirmed else Phase.UNKNOWN

    def _next_update(self, now: int) -> int:
        return -(-(now + self._config.statements.next_update) // ROUND) * ROUND

    # -- what a review knows

    def context(
        self, db: Database, statement: Statement, incident: Incident, runs: Sequence[Run], now: int
    ) -> ReviewContext:
        settings = self._config.statements
        sheet = sheet_for(db, incident, statement.audience, runs)
        views = {
            line.name: FactView(
                render(line.value(statement.language), statement.language), line.row.confirmed,
                render(line.named(statement.language), statement.language),
            )
            for line in sheet.lines
            if line.row is not None
        }  # fmt: skip
        subject = next((item for item in self._config.subjects if item.id == incident.subject), None)
        names = (incident.subject_name, *(subject.aliases if subject else ()), *settings.names)
        told = None if sheet.told is None else frozenset(line.name for line in sheet.lines if sheet.may_tell(line))
        hotlines = (*settings.hotlines, *(value for key, value in settings.values.items() if "hotline" in key))
        return ReviewContext(
            audience=statement.audience, language=statement.language, grade=incident.grade,
            crisis_type=incident.crisis_type, cluster=runs[0].playbook.scct.cluster if runs else "",
            strategy=statement.strategy, kind=statement.kind,
            template_text=self._blank(statement, runs), now=now, facts=views, tellable=told,
            earlier=tuple(self._earlier(db, statement)), subject_names=tuple(dict.fromkeys(names)),
            internal_names=tuple(settings.internal_names),
            targets=tuple(settings.platforms.get(statement.audience, ())), denial_verified=verified_false(sheet),
            hosts=tuple(settings.hosts), hotlines=tuple(dict.fromkeys(hotlines)),
        )  # fmt: skip

    def _blank(self, statement: Statement, runs: Sequence[Run]) -> str:
        """The statement's template as it is written: what stands in it already is not somebody's invention."""
        pools = [*(run.playbook.templates for run in runs), self._library().templates]
        found = next((pool[statement.template] for pool in pools if statement.template in pool), None)
        if found is None:
            return ""
        return f"{found.title.in_language(statement.language)}\n{found.body.in_language(statement.language)}"

    def _earlier(self, db: Database, statement: Statement) -> Iterable[EarlierText]:
        """What is out about this incident, and what is being prepared for its other audiences."""
        for other in store.of_incident(db, statement.incident):
            if other.id in (statement.id, statement.replaces) or other.language != statement.language:
                continue
            if not (other.status.out or other.status.editable) or other.status.value in ("withdrawn", "corrected"):
                continue
            version = store.version(db, other)
            if version is not None:
                out = store.events(db, other.id, "published") if other.status.out else []
                yield EarlierText(
                    other.id, other.audience, other.language, version.title, version.body, out[-1].at if out else 0
                )


def mark_of(line: Line, sheet: Sheet, language: str) -> str:
    """What stands where a fact cannot be told yet: its name, and the value that nobody has vouched for."""
    if line.row is None or sheet.may_tell(line):
        return _unknown(line, language)
    key = "statement.unconfirmed" if not line.row.confirmed else "statement.not_tellable"
    value = render(line.value(language), language)
    # The mark ends where its bracket ends: a value must not bring one of its own.
    name = Text(key, {"name": line.named(language), "value": re.sub(r"[\]】]", " ", value)})
    return render(Text("run.unknown_field", {"name": name}), language)


def moment(at: int, language: str) -> str:
    """A time of day with its date as it stands in a text, in China Standard Time."""
    local = datetime.fromtimestamp(at / 1000, CHINA)
    params = {"month": Text(f"month.{local.month}"), "day": local.day, "time": f"{local:%H:%M}"}
    return render(Text("statement.moment", params), language)


def _unknown(line: Line, language: str) -> str:
    return render(Text("run.unknown_field", {"name": line.named(language)}), language)


def verified_false(sheet: Sheet) -> bool:
    """Whether a person has confirmed that what is claimed is not so."""
    return any(
        line.row is not None and line.row.confirmed and line.row.value == VERIFIED_FALSE.get(line.name)
        for line in sheet.lines
    )


def _shut(fact: str, audience: str, incident: Incident, plans: Sequence[Playbook]) -> bool:
    """Whether a plan at work keeps a fact from an audience at this grade, confirmed or not."""
    for plan in plans:
        rules = rules_for(plan, audience)
        if fact not in fact_ids(plan) or not rules:
            continue
        if all(fact not in rule.facts or rule.from_grade > incident.grade for rule in rules):
            return True
    return False
