"""A statement as a card: the whole text, its digest, what the review found, what changed, who has decided."""

from collections.abc import Iterable

from sqlite_utils import Database

from bot.config import Config
from bot.incidents import words
from bot.model.card import Button, Card, Facts, Items, Paragraph, Section, Whole
from bot.model.statement import DIGEST_SHOWN, Finding, Severity, Statement, StatementStatus, Version
from bot.model.text import Text
from bot.statements.approval_state import Approval
from bot.statements.policy import voters
from bot.statements.wording import change_lines
from bot.store import statements as store
from bot.texts import render

FINDINGS = 8
_MARK = {Severity.BLOCK: "⛔", Severity.WARN: "⚠️", Severity.NOTE: "ℹ️"}
_LAMP = {
    StatementStatus.DRAFT: "✏️", StatementStatus.ASKED: "🗳️", StatementStatus.APPROVED: "✅",
    StatementStatus.SCHEDULED: "⏰", StatementStatus.PUBLISHING: "📤", StatementStatus.PUBLISHED: "📣",
}  # fmt: skip


class StatementCards:
    """``receipts`` gives lines about where a publication stands."""

    def __init__(self, config: Config) -> None:
        self._config = config

    def __call__(
        self, db: Database, statement: Statement, language: str, now: int, *, receipts: Iterable[str] = (),
        offers: bool = True,
    ) -> Card:  # fmt: skip
        """The card in a language; ``offers`` False leaves the buttons out."""
        version = store.version(db, statement)
        assert version is not None
        approval = Approval.from_json(statement.status, version.digest, store.approval(db, statement.id))
        found = store.findings(db, statement.id, version.number)
        passed = {str(item.detail.get("key")) for item in store.overrides(db, statement.id, version.digest)}
        sections: list[Section] = [self._facts(db, statement, version, approval, language, now)]
        sections.append(
            Whole(version.text if version.title else version.body, self._instead(statement, version, language))
        )
        sections.extend(self._findings(found, passed, language))
        sections.extend(self._difference(db, statement, version, language))
        sections.extend(self._decided(approval, language))
        lines = tuple(receipts)
        if lines:
            sections.append(Items(_say("statement.receipts", language), lines))
        sections.extend(self._hint(statement, version, approval, language))
        params = {
            "id": statement.id, "audience": Text(f"audience.{statement.audience}"),
            "kind": Text(f"statement_kind.{statement.kind.value}"),
        }  # fmt: skip
        title = f"{_LAMP.get(statement.status, '')} {_say('statement.title', language, **params)}".strip()
        drill = _say("card.drill", language, drill=statement.drill) if statement.drill else ""
        updated = {
            "version": version.number,
            "digest": version.digest,
            "updated": words.clock_time(statement.updated_at),
        }
        return Card(
            title, object=f"statement:{statement.id}", grade=statement.grade, sections=tuple(sections),
            buttons=tuple(self._buttons(statement, version, approval, language)) if offers else (),
            footer=_say("statement.footer", language, **updated), link=self.link(statement), drill=drill,
        )  # fmt: skip

    def link(self, statement: Statement) -> str:
        """Where the whole file can be read; empty where the console has no public address."""
        base = self._config.chat.console.public_url.rstrip("/")
        return f"{base}/statements/{statement.id}" if base else ""

    def _facts(
        self, db: Database, statement: Statement, version: Version, approval: Approval, language: str, now: int
    ) -> Facts:
        rows = [(_say("statement.row_status", language), _say(f"statement_status.{statement.status.value}", language))]
        digest = f"{version.digest[:DIGEST_SHOWN]} · v{version.number}"
        rows.append((_say("statement.row_digest", language), digest))
        author = version.author_name or _say("statement.machine", language)
        rows.append((_say("statement.row_author", language), f"{author} {words.clock_time(version.created_at)}"))
        if approval.until and statement.status in (StatementStatus.ASKED, StatementStatus.APPROVED):
            rows.append((_say("statement.row_until", language), words.clock_time(approval.until)))
        if statement.replaces:
            rows.append((_say("statement.row_replaces", language), statement.replaces))
        names = [name for person, name, _ in store.editors(db, statement.id, now)]
        if names:
            rows.append((_say("statement.row_editing", language), _say("plain", language, text=names)))
        return Facts(tuple(rows))

    def _instead(self, statement: Statement, version: Version, language: str) -> str:
        where = self.link(statement) or _say("statement.in_console", language, id=statement.id)
        params = {"n": len(version.text), "digest": version.digest, "where": where}
        return _say("statement.too_long", language, **params)

    def _findings(self, found: list[Finding], passed: set[str], language: str) -> list[Section]:
        """Blocks first; each with its number, by which it is overridden."""
        if not found:
            return [Paragraph(_say("statement.no_findings", language))]
        order = sorted(enumerate(found, 1), key=lambda item: list(Severity).index(item[1].severity))
        lines = []
        for number, finding in order:
            let = _say("statement.let_pass", language) if finding.key in passed else ""
            why = render(finding.why, language)
            quoted = finding.words.strip() and finding.words.strip() not in why
            where = f"“{_short(finding.words)}” " if quoted else ""
            lines.append(f"{_MARK[finding.severity]} F{number} {where}{why} → {render(finding.mend, language)}{let}")
        blocks = sum(item.severity is Severity.BLOCK and item.key not in passed for item in found)
        title = _say("statement.findings", language, n=len(found), blocks=blocks)
        more = len(lines) - FINDINGS
        return [Items(title, tuple(lines[:FINDINGS]), _say("statement.more", language, n=more) if more > 0 else "")]

    def _difference(self, db: Database, statement: Statement, version: Version, language: str) -> list[Section]:
        before = [item for item in store.versions(db, statement) if item.number < version.number and not item.aside]
        if not before:
            return []
        lines, more = change_lines(before[-1].text, version.text)
        title = _say("statement.changed_since", language, version=before[-1].number)
        return [Items(title, tuple(lines), _say("statement.more", language, n=more) if more else "")] if lines else []

    def _decided(self, approval: Approval, language: str) -> list[Section]:
        """Every seat with who has taken it or who may."""
        if approval.policy is None:
            return []
        seated = approval.seated
        lines = []
        for item in approval.policy.requirements:
            taken = [
                f"{vote.name} {words.clock_time(vote.at)} ({_say(f'chat.{vote.chat}', language)})"
                for vote in seated.get(item.id, ())
            ]
            missing = item.count - len(taken)
            role = seat_name(item.id, language)
            if taken:
                lines.append(f"✅ {role}: {_say('plain', language, text=taken)}")
            if missing > 0:
                can = [self._name(person) for person in voters(self._config, item, approval.contributors)]
                lines.append(f"⬜ {role}: {_say('statement.waits_for', language, people=can or ['—'])}")
        title = _say("statement.decided", language, n=len(approval.policy.seats) - len(approval.open_seats),
                     all=len(approval.policy.seats))  # fmt: skip
        return [Items(title, tuple(lines))]

    def _hint(self, statement: Statement, version: Version, approval: Approval, language: str) -> list[Section]:
        if statement.status is not StatementStatus.ASKED:
            return []
        params = {"id": statement.id, "digest": version.digest[:4]}
        key = "statement.how_with_code" if approval.policy and approval.policy.second_factor else "statement.how"
        return [Paragraph(_say(key, language, **params))]

    def _buttons(self, statement: Statement, version: Version, approval: Approval, language: str) -> list[Button]:
        at, digest = statement.id, version.digest[:DIGEST_SHOWN]
        edit = Button(_say("button.statement_edit", language), f"edit {at} v{version.number}", form="statement-edit")
        match statement.status:
            case StatementStatus.DRAFT:
                ask = Button(_say("button.statement_ask", language), f"submit {at}", "primary")
                return [ask, edit, self._comment(at, language)]
            case StatementStatus.ASKED:
                code = "statement-code" if approval.policy and approval.policy.second_factor else ""
                yes = Button(_say("button.statement_yes", language), f"approve {at} {digest}", "primary", form=code)
                no = _say("button.statement_no", language)
                reject = Button(no, f"reject {at} {digest}", "danger", form="statement-reject")
                return [yes, reject, edit, self._comment(at, language)]
            case StatementStatus.APPROVED:
                sure, label = (
                    _say("statement.publish_sure", language, id=at),
                    _say("button.statement_publish", language),
                )
                publish = Button(label, f"publish {at} {digest}", "primary", confirm=sure)
                back = Button(_say("button.statement_withdraw", language), f"retract {at}", form="statement-retract")
                return [publish, back]
            case StatementStatus.SCHEDULED:
                return [Button(_say("button.statement_withdraw", language), f"retract {at}", form="statement-retract")]
            case StatementStatus.PUBLISHED:
                return [
                    Button(_say("button.statement_correct", language), f"correct {at}"),
                    Button(_say("button.statement_recall", language), f"recall {at}", form="statement-retract"),
                ]
        return []

    def _comment(self, at: str, language: str) -> Button:
        return Button(_say("button.statement_comment", language), f"comment {at}", form="statement-comment")

    def _name(self, person_id: str) -> str:
        person = self._config.person(person_id)
        return person.name if person else person_id


def seat_name(seat: str, language: str) -> str:
    """A requirement in words: the role's name, or the playbook's word for it."""
    return render(words.role(seat), language)


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= 40 else line[:39] + "…"


def _say(key: str, language: str, **params: object) -> str:
    return render(Text(key, params), language)
