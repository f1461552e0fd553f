"""The texts of statements: drafted from templates, edited, commented on, findings let pass. One transaction each."""

import re
from collections.abc import Sequence
from dataclasses import replace

from sqlite_utils import Database

from bot.incidents import words
from bot.model.incident import SYSTEM, Actor, Incident
from bot.model.statement import (
    AUDIENCES,
    BODY_LIMIT,
    TITLE_LIMIT,
    Finding,
    Severity,
    Statement,
    StatementKind,
    StatementStatus,
    Version,
)
from bot.model.text import Text, UserError
from bot.response.parts import Template
from bot.response.run_state import Run
from bot.response.steps import StatementStep
from bot.statements.approval import decide
from bot.statements.approval_state import Approval, Edited, Reviewed
from bot.statements.choosing import Choice
from bot.statements.drafting import sheet_for
from bot.statements.record import Record, words_of
from bot.store import statements as store

_ID = re.compile(r"S-\d{1,9}")


class Texts(Record):
    """Where somebody else's text came first, the later one is kept aside: nobody's words are lost or overwritten."""

    def draft_for_step(
        self, db: Database, *, run: Run, step: StatementStep, incident: Incident, now: int
    ) -> Statement | None:
        """The draft that a playbook step asks for, with the facts in; None where one is open already."""
        before = store.of_step(db, run.id, step.id)
        if before is not None and before.status.editable:
            return None
        template = self._drafting.named(step.template, [run])
        channels = tuple(channel.in_language(self._language(incident)) for channel in step.channels)
        return self._new(
            db, incident, step.audience, template, SYSTEM, now, name=step.template, run=run, step=step.id,
            channels=channels,
        )  # fmt: skip

    def draft(
        self, db: Database, incident: Incident, audience: str, actor: Actor, now: int, *, template: str = "",
        language: str = "",
    ) -> Statement:  # fmt: skip
        """A draft from a template, by its name or the best for the audience. Raises ``UserError`` without one."""
        if audience not in AUDIENCES:
            raise UserError(
                "error.no_audience", name=audience[:40], known=[Text(f"audience.{item}") for item in AUDIENCES]
            )
        runs = self._at_work(db, incident)
        item = self._drafting.named(template, runs)
        if template and item is None:
            raise UserError("error.no_template", name=template)
        if not template:
            best = self.options(db, incident, audience, language=language)[:1]
            template, item = (best[0].name, best[0].template) if best else ("", None)
        if item is not None and item.audience != audience:
            raise UserError("error.template_audience", name=template, audience=Text(f"audience.{item.audience}"))
        run = next(iter(runs), None)
        return self._new(db, incident, audience, item, actor, now, name=template, run=run, language=language)

    def options(self, db: Database, incident: Incident, audience: str, *, language: str = "") -> tuple[Choice, ...]:
        """The templates for an audience at this moment, best first, each with its reasons."""
        runs = self._at_work(db, incident)
        return self._drafting.options(db, incident, audience, runs, language or self._language(incident))

    def _at_work(self, db: Database, incident: Incident) -> list[Run]:
        return [run for run in self._runs(db, incident.id) if not run.status.ended]

    def edit(
        self, db: Database, statement: Statement, title: str, body: str, actor: Actor, now: int, *, base: int = 0,
        reason: str = "",
    ) -> Version:  # fmt: skip
        """A new text. Where somebody else's came first (``base`` is not the current version) it is kept aside and
        nothing else changes: nobody's words are lost, nobody's are overwritten."""
        title, body = " ".join(title.split())[:TITLE_LIMIT], body.replace("\r\n", "\n").strip()
        if not body:
            raise UserError("error.statement_empty", id=statement.id)
        if len(body) > BODY_LIMIT:
            raise UserError("error.statement_long", n=len(body), most=BODY_LIMIT)
        current = self.current(db, statement)
        store.end_editing(db, statement.id, actor.person)
        if (title, body) == (current.title, current.body):
            raise UserError("error.statement_same", id=statement.id)
        aside = bool(base) and base != statement.version
        version = replace(
            current, number=store.next_version(db, statement.id), title=title, body=body, author=actor.person,
            author_name=actor.name, chat=actor.chat, created_at=now, reason=reason, aside=aside,
        )  # fmt: skip
        incident = self.incident(db, statement)
        findings = self._look(db, statement, version, incident, now)
        if aside:
            store.add_version(db, version, findings)
            self._note(db, statement, version.digest, "aside", actor, now, {"version": version.number, "base": base})
            return version
        self._take_version(db, statement, version, findings, incident, actor, now)
        return version

    def begin_editing(self, db: Database, command: str, actor: Actor, now: int) -> None:
        """Somebody has the form of a text open: its card says so, until they send it or for a quarter of an hour."""
        found = _ID.search(command)
        statement = store.get(db, found[0]) if found else None
        if statement is not None and statement.status.editable:
            store.begin_editing(db, statement, actor.person, actor.name, now)
            self._touch(db, statement, now)

    def take(self, db: Database, statement: Statement, number: int, actor: Actor, now: int) -> Version:
        """Make an earlier text, or one that was set aside, the current one: as a new version, by whoever takes it."""
        chosen = store.version(db, statement, number) if number > 0 else None
        if chosen is None:
            known = [f"v{item.number}" for item in store.versions(db, statement)]
            raise UserError("error.no_version", id=statement.id, known=known)
        reason = f"v{chosen.number} {chosen.author_name}".strip()
        return self.edit(db, statement, chosen.title, chosen.body, actor, now, reason=reason)

    def comment(self, db: Database, statement: Statement, text: str, actor: Actor, now: int) -> None:
        if not text.strip():
            raise UserError("error.comment_empty", id=statement.id)
        version = self.current(db, statement)
        self._note(db, statement, version.digest, "commented", actor, now, {"text": text.strip()[:2000]})
        said = Text("statement.said_comment", {"id": statement.id, "who": actor.name, "text": text.strip()[:500]})
        self._say(db, statement, said, now, f"comment:{now}:{actor.person}", "statement", call=self._authors(version))

    def override(self, db: Database, statement: Statement, number: int, reason: str, actor: Actor, now: int) -> Finding:
        """Let one finding pass: by a role that may, with a reason, for this text only."""
        allowed = set(self._config.statements.override)
        if not allowed & actor.roles:
            raise UserError("error.may_not_override", roles=[words.role(name) for name in sorted(allowed)])
        version = self.current(db, statement)
        found = store.findings(db, statement.id, version.number)
        if not 1 <= number <= len(found):
            raise UserError("error.no_finding", id=statement.id, n=len(found))
        finding = found[number - 1]
        if finding.severity is not Severity.BLOCK:
            raise UserError("error.finding_no_block", number=number)
        if not finding.overridable:
            raise UserError("error.not_overridable", number=number)
        if version.author == actor.person:
            raise UserError("error.override_own")
        if not reason.strip():
            raise UserError("error.override_reason", example=f"override {statement.id} F{number} …")
        detail = {"key": finding.key, "rule": finding.rule, "words": finding.words[:200], "reason": reason.strip()}
        self._note(db, statement, version.digest, "overridden", actor, now, detail)
        self._apply(db, statement, version, Reviewed(self._blocks(db, version, found)), actor, now)
        return finding

    def refill(self, db: Database, statement: Statement, actor: Actor, now: int) -> Version | None:
        """Put in what has become known; None where nothing has. The machine's own words make nobody an author."""
        incident = self.incident(db, statement)
        runs = self._runs(db, incident.id)
        run = next((item for item in runs if item.id == statement.run), None)
        sheet = sheet_for(db, incident, statement.audience, [item for item in runs if not item.status.ended])
        current = self.current(db, statement)
        title, body = (
            self._drafting.refill(text, incident, sheet, run, statement.language, now)
            for text in (current.title, current.body)
        )
        if (title, body) == (current.title, current.body):
            return None
        machine = Actor("", actor.name, actor.chat)
        return self.edit(db, statement, title, body, machine, now, reason="facts")

    def _new(
        self, db: Database, incident: Incident, audience: str, template: Template | None, actor: Actor, now: int, *,
        name: str = "", run: Run | None = None, step: str = "", language: str = "", channels: tuple[str, ...] = (),
    ) -> Statement:  # fmt: skip
        language = language or self._language(incident)
        statement = Statement(
            store.next_id(db), incident.id, incident.drill, StatementKind.ORIGINAL, audience, language,
            StatementStatus.DRAFT, incident.grade, 1, now, now, template=name,
            strategy=(template.strategy if template else None) or "", run=run.id if run else "", step=step,
            channels=channels,
        )  # fmt: skip
        runs = self._at_work(db, incident)
        if run is not None and all(item.id != run.id for item in runs):
            runs = [run, *runs]
        sheet = sheet_for(db, incident, audience, runs)
        if template is None:
            title, body = "", words_of("statement.blank", language)
        else:
            title, body = self._drafting.fill(template, incident, sheet, run, language, now)
        version = Version(statement.id, 1, audience, language, title, body, "", "", actor.chat, now)
        store.insert(db, statement)
        self._take_version(
            db, statement, version, self._look(db, statement, version, incident, now), incident, actor, now
        )
        return self.get(db, statement.id)

    def _take_version(
        self, db: Database, statement: Statement, version: Version, findings: Sequence[Finding], incident: Incident,
        actor: Actor, now: int,
    ) -> None:  # fmt: skip
        store.add_version(db, version, findings)
        fresh = version.number == 1
        state = (
            Approval(StatementStatus.DRAFT, version.digest) if fresh
            else self.approval(db, statement, self.current(db, statement))
        )  # fmt: skip
        event = Edited(version.digest, version.author, self._blocks(db, version, findings))
        decision = decide(state, event, now)
        if decision.refused is not None:
            raise UserError(decision.refused.key, **dict(decision.refused.params))
        statement = replace(statement, version=version.number)
        self._commit(db, statement, version, decision, actor, now, "drafted" if fresh else "edited", {
            "version": version.number, "reason": version.reason, "findings": len(findings),
            "blocks": len(event.blocks),
        })  # fmt: skip
