"""The approval file as a document of plain blocks, which become HTML or PDF. Pure."""

from collections.abc import Sequence

from bot.incidents import words
from bot.model.statement import DIGEST_SHOWN
from bot.model.text import Text
from bot.reports.document import Block, Writer
from bot.statements import publish_words
from bot.statements.approval_file import ApprovalFile, FileVersion
from bot.statements.publish_shapes import moment
from bot.statements.wording import Piece, changes
from bot.texts import has

MARKS = {"same": "=", "gone": "-", "new": "+"}


class _Writer(Writer):
    def head(self, names: Sequence[str]) -> tuple[str, ...]:
        return tuple(self.say(Text(f"export.{name}")) for name in names)

    def table(self, heading: str, names: Sequence[str], rows: Sequence[Sequence[str]], none: str) -> None:
        self.add("heading", Text(f"export.{heading}"))
        if rows:
            self.add("table", rows=[self.head(names), *rows])
        else:
            self.add("paragraph", Text(f"export.{none}"))


def document(file: ApprovalFile, language: str) -> list[Block]:
    """Everything the file holds, in the order in which an auditor asks."""
    to = _Writer(language)
    statement = file.statement
    to.add("title", Text("export.title", {"statement": statement.id}))
    to.add("facts", rows=_facts(to, file))
    _text(to, file)
    _votes(to, file)
    _findings(to, file)
    _receipts(to, file)
    _versions(to, file.versions)
    rows = [(moment(one.at, language), to.say(one.what), one.name, _chat(to, one.chat)) for one in file.events]
    to.table("timeline", ("when", "what", "who", "chat"), rows, "no_events")
    _proof(to, file)
    return to.blocks


def _facts(to: _Writer, file: ApprovalFile) -> list[tuple[str, str]]:
    statement = file.statement
    facts: list[tuple[str, Text | str]] = [
        ("incident", Text("export.two", {"first": statement.incident, "second": file.incident_title})),
        ("grade", words.grade(statement.grade)),
        ("audience", Text(f"audience.{statement.audience}")),
        ("language", Text(f"export.language_{statement.language}")),
        ("status", Text(f"export.status_{statement.status.value}")),
        ("kind", Text(f"export.kind_{statement.kind.value}")),
    ]  # fmt: skip
    if statement.replaces:
        facts.append(("replaces", statement.replaces))
    if statement.drill:
        facts.append(("drill", Text("export.drill_mark", {"drill": statement.drill})))
    facts.append(("made", moment(file.made_at, to.language)))
    return [(to.say(Text(f"export.{name}")), to.say(value)) for name, value in facts]


def _text(to: _Writer, file: ApprovalFile) -> None:
    version = file.text
    approved = version.digest == file.approved
    to.add("heading", Text("export.text_approved" if approved else "export.text_newest", {"number": version.number}))
    if version.title:
        to.add("text", version.title)
    to.add("text", version.body)
    to.add("facts", rows=[(to.say(Text("export.digest")), version.digest)])
    to.add("paragraph", Text("export.digest_how"))
    to.add("code", version.sealed.decode())


def _votes(to: _Writer, file: ApprovalFile) -> None:
    rows = []
    for vote in file.votes:
        name = vote.name
        if vote.instead_of:
            name = to.say(Text("export.instead_of", {"name": vote.name, "other": vote.instead_of}))
        roles = ", ".join(to.say(words.role(role)) for role in vote.roles)
        decision = to.say(Text(f"export.vote_{vote.decision}"))
        digest = vote.digest[:DIGEST_SHOWN]
        rows.append((moment(vote.at, to.language), name, roles, decision, digest, _chat(to, vote.chat), vote.reason))
    to.table("votes", ("when", "who", "roles", "decision", "digest", "chat", "reason"), rows, "no_votes")


def _findings(to: _Writer, file: ApprovalFile) -> None:
    rows = [
        (str(one.version.number), to.say(Text(f"export.severity_{finding.severity.value}")), finding.words or "—",
         to.say(finding.why), to.say(finding.mend))
        for one in file.versions for finding in one.findings
    ]  # fmt: skip
    to.table("findings", ("version", "severity", "words", "why", "mend"), rows, "no_findings")
    passed = [
        (moment(one.at, to.language), one.finding, one.name, to.say(words.role(one.role)), one.reason)
        for one in file.overrides
    ]
    to.table("overrides", ("when", "finding", "who", "roles", "reason"), passed, "no_overrides")


def _receipts(to: _Writer, file: ApprovalFile) -> None:
    rows = []
    for one in file.receipts:
        at = one.settled_at or one.handed_at
        where = to.say(publish_words.where(one))
        state = to.say(Text(f"receipt_state.{one.state.value}"))
        rows.append((one.title, state, moment(at, to.language) if at else "—", where, one.by))
    to.table("receipts", ("target", "state", "when", "where", "who"), rows, "no_receipts")
    if file.publication is not None:
        same = file.publication.computed_digest == file.publication.digest == file.approved
        to.add("paragraph", Text("export.bit_for_bit" if same else "export.not_bit_for_bit"))


def _versions(to: _Writer, versions: Sequence[FileVersion]) -> None:
    to.add("heading", Text("export.versions"))
    before = ""
    for one in versions:
        version = one.version
        params = {
            "number": version.number, "name": version.author_name or to.say(Text("export.machine")),
            "moment": moment(version.created_at, to.language), "chat": _chat(to, version.chat),
            "digest": version.digest[:DIGEST_SHOWN],
        }  # fmt: skip
        to.add("paragraph", Text("export.version_aside" if version.aside else "export.version_line", params))
        if version.reason:
            to.add("paragraph", Text("export.version_reason", {"reason": version.reason}))
        pieces = changes(before, version.text) if before else [Piece("same", version.text)]
        parts = [(MARKS[piece.kind], piece.text) for piece in pieces]
        to.add("change", rows=parts)
        if not version.aside:
            before = version.text


def _proof(to: _Writer, file: ApprovalFile) -> None:
    proof = file.proof
    to.add("heading", Text("export.proof"))
    params = {"length": proof.length, "at": proof.broken_at or 0}
    to.add("paragraph", Text("export.chain_whole" if proof.broken_at is None else "export.chain_broken", params))
    to.add("paragraph", Text("export.chain_how"))
    rows = [
        (
            str(row.seq), moment(row.at, to.language), row.actor, _chat(to, row.chat), row.action, row.detail,
            row.previous, row.digest,
        )
        for row in proof.rows
    ]  # fmt: skip
    if rows:
        names = ("seq", "when", "who", "chat", "action", "detail", "previous", "digest")
        to.add("table", rows=[to.head(names), *rows])


def _chat(to: _Writer, chat: str) -> str:
    key = f"export.chat_{chat}"
    return to.say(Text(key)) if has(key) else chat or "—"
