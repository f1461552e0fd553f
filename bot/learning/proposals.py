"""Library proposals: what the record suggests, put before people with its evidence and its difference.

Looking through the record is an errand on a reader; taking a proposal makes a proposed version of the playbook, which
its owner decides on like any other. Nothing changes by itself.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import orjson
from sqlite_utils import Database

from bot.config import Config
from bot.learning.case import Case
from bot.learning.changes import changed
from bot.learning.experience import HandNote, past_runs
from bot.learning.new_plan import new_plan
from bot.learning.suggest_cases import case_suggestions
from bot.learning.suggest_steps import step_suggestions
from bot.learning.suggest_texts import Edited, text_suggestions
from bot.learning.suggestion import NewPlan, RuleWords, Suggestion
from bot.learning.yaml_edits import EditRefused
from bot.model.incident import Actor
from bot.model.post import KeywordRule
from bot.model.statement import StatementStatus
from bot.model.text import Text, UserError
from bot.response.living import Living, Proposal, day_of
from bot.response.match import KNOWN_INDUSTRIES
from bot.store import audit, rules
from bot.store import cases as case_store
from bot.store import incidents as incident_store
from bot.store import proposals as store
from bot.store import runs as run_store
from bot.store import statements as statement_store
from bot.store.proposals import ProposalRow
from bot.texts import render

MOST_CASES, MOST_TEXTS = 2_000, 500
OUT = (StatementStatus.PUBLISHED, StatementStatus.CORRECTED, StatementStatus.WITHDRAWN)


@dataclass(frozen=True, slots=True)
class Taken:
    """What came of taking one: a proposed version of a playbook, or of a keyword rule."""

    proposal: Proposal | None = None
    subject: str = ""
    version: int = 0


class Proposals:
    def __init__(self, config: Config, living: Living) -> None:
        self._config = config
        self._living = living

    # -- looking through the record

    def look(self, db: Database, now: int) -> list[Suggestion]:
        """Everything the record suggests that can be made and passes the linter. Reads only; takes a second or two
        with two thousand runs."""
        library = self._living.follow(db)
        playbooks = {playbook.id: playbook for playbook in library.playbooks()}
        runs = past_runs(db)
        cases = [Case.thaw(row.body) for row in case_store.newest(db, MOST_CASES)]
        found = [item for playbook in playbooks.values() for item in step_suggestions(playbook, runs)]
        found += case_suggestions(cases, playbooks, _notes(db, cases), self._rule_words(db))
        found += text_suggestions(edited_texts(db), playbooks)
        return [item for item in found if self._sound(db, item, now)]

    def renew(self, db: Database, found: Sequence[Suggestion], now: int) -> list[int]:
        """Store what a look found; returns the numbers of the new ones."""
        rows = [(item.key, item.kind, item.playbook, item.model_dump_json(), item.weight) for item in found]
        return store.renew(db, rows, now)

    # -- deciding

    def open_ones(self, db: Database) -> list[tuple[ProposalRow, Suggestion]]:
        return [(row, suggestion_of(row)) for row in store.open_ones(db)]

    def get(self, db: Database, number: int) -> tuple[ProposalRow, Suggestion]:
        """One by its number. Raises ``UserError`` where there is none."""
        row = store.get(db, number)
        if row is None:
            known = [item.number for item in store.open_ones(db)][:8]
            raise UserError("error.no_such_proposal", n=number, known=known or ["—"])
        return row, suggestion_of(row)

    def shown(self, db: Database, suggestion: Suggestion, now: int) -> Proposal | None:
        """What it would change, by the text as it stands now; None where that can no longer be made."""
        text = self._text(db, suggestion, now)
        return self._living.judged(db, text, 1, now) if text else None

    def take(self, db: Database, number: int, actor: Actor, now: int, language: str) -> Taken:
        """Make the proposed version; its owner decides. Raises ``UserError`` where it is decided or out of date."""
        row, suggestion = self._waiting(db, number)
        if isinstance(suggestion.change, RuleWords):
            return self._take_rule(db, row, suggestion.change, actor, now)
        text = self._text(db, suggestion, now)
        if text is None:
            raise UserError("error.proposal_stale", n=number)
        reason = render(
            Text(
                "proposal.because",
                {"n": number, "reason": suggestion.reason(language), "ids": list(suggestion.evidence[:12])},
            ),
            language,
        )
        proposal = self._living.propose(db, text, actor, now, reason)
        if not proposal.version:
            raise UserError("error.proposal_stale", n=number)
        self._decided(db, row, "taken", actor, now, version=proposal.version)
        return Taken(proposal=proposal, version=proposal.version)

    def reject(self, db: Database, number: int, reason: str, actor: Actor, now: int) -> ProposalRow:
        """Say no, with the reason; it comes back only when twice as much speaks for it."""
        row, suggestion = self._waiting(db, number)
        if not reason.strip():
            raise UserError("error.proposal_reason", n=number)
        if suggestion.playbook and not self._living.may_decide(db, suggestion.playbook, actor):
            entry = self._living.entry(db, suggestion.playbook)
            names = [person.name for person in self._living.owners(entry.playbook)] if entry else []
            raise UserError("error.playbook_not_yours", id=suggestion.playbook, owners=names or ["—"])
        self._decided(db, row, "rejected", actor, now, reason=reason.strip())
        return row

    def _take_rule(self, db: Database, row: ProposalRow, change: RuleWords, actor: Actor, now: int) -> Taken:
        rule = self._rule(db, change.subject)
        if rule is None:
            raise UserError("error.proposal_stale", n=row.number)
        wider = KeywordRule(
            any=(*rule.any, *(word for word in change.words if word not in rule.any)), all=rule.all, none=rule.none,
            regex=rule.regex, platforms=rule.platforms,
        )  # fmt: skip
        version = rules.propose(db, change.subject, wider, actor, now, f"#{row.number}")
        self._decided(db, row, "taken", actor, now, version=version)
        return Taken(subject=change.subject, version=version)

    def _decided(self, db: Database, row: ProposalRow, state: str, actor: Actor, now: int, *, reason: str = "",
                 version: int = 0) -> None:  # fmt: skip
        store.decide(db, row.number, state, actor, now, reason=reason, version=version)
        detail = {"key": row.key, "reason": reason, "version": version}
        audit.append(db, actor, f"proposal_{state}", f"proposal:{row.number}", now, detail)

    def _waiting(self, db: Database, number: int) -> tuple[ProposalRow, Suggestion]:
        row, suggestion = self.get(db, number)
        if row.state != "open":
            raise UserError("error.proposal_decided", n=number, state=Text(f"proposal.state_{row.state}"))
        return row, suggestion

    # -- the text

    def _text(self, db: Database, suggestion: Suggestion, now: int) -> str | None:
        """The whole new text of the playbook, or None where it cannot be made or would not pass."""
        change = suggestion.change
        if isinstance(change, RuleWords):
            return None
        if isinstance(change, NewPlan):
            text = new_plan(self._fitted(change), self._owner(), day_of(now))
        else:
            entry = self._living.entry(db, suggestion.playbook)
            if entry is None:
                return None
            try:
                text = changed(change, entry)
            except (EditRefused, UserError):
                return None
            if text == entry.source:
                return None
        return None if self._living.judged(db, text, 1, now).errors else text

    def _sound(self, db: Database, suggestion: Suggestion, now: int) -> bool:
        if isinstance(suggestion.change, RuleWords):
            return self._rule(db, suggestion.change.subject) is not None
        return self._text(db, suggestion, now) is not None

    def _fitted(self, change: NewPlan) -> NewPlan:
        industry = change.industry if change.industry in KNOWN_INDUSTRIES else "general"
        return change.model_copy(update={"industry": industry})

    def _owner(self) -> str:
        """A role that somebody has and that may decide; new plans are theirs."""
        roles = {role for person in self._config.people for role in person.roles}
        return next((name for name in ("pr_head", "admin", "pr") if name in roles), "pr_head")

    def _rule(self, db: Database, subject_id: str) -> KeywordRule | None:
        live = rules.live(db)
        if subject_id in live:
            return live[subject_id][1]
        subject = next((item for item in self._config.subjects if item.id == subject_id), None)
        return subject.subject().rule if subject else None

    def _rule_words(self, db: Database) -> dict[str, list[str]]:
        found = {subject.id: self._rule(db, subject.id) for subject in self._config.subjects}
        return {name: [*rule.any, *rule.all] for name, rule in found.items() if rule is not None}


def suggestion_of(row: ProposalRow) -> Suggestion:
    return Suggestion.model_validate(orjson.loads(row.body))


def edited_texts(db: Database) -> list[Edited]:
    """Texts that came from a playbook's template, as drafted and as published; real ones only."""
    found = []
    for statement, _, _ in statement_store.published(db, limit=MOST_TEXTS):
        if not statement.template or not statement.run or statement.status not in OUT:
            continue
        run = run_store.get(db, statement.run)
        versions = [item for item in statement_store.versions(db, statement) if not item.aside]
        if run is None or len(versions) < 2:
            continue
        last = next((item for item in versions if item.number == statement.version), versions[-1])
        found.append(
            Edited(statement.id, run.playbook, statement.template, statement.language, versions[0].body, last.body)
        )
    return found


def _notes(db: Database, cases: Sequence[Case]) -> dict[str, list[HandNote]]:
    """What people wrote down on incidents that went without a plan."""
    found: dict[str, list[HandNote]] = {}
    for case in cases:
        if case.plans or not case.incident:
            continue
        found[case.incident] = [
            HandNote(str(entry.params.get("text", "")), entry.actor, max(1, entry.happened_at - case.opened_at))
            for entry in incident_store.timeline(db, case.incident, ("note", "decision"))
            if entry.actor
        ]
    return found
