"""Forms of statements as they stand: the text to edit, a reason, a comment, a code. Opening one changes nothing."""

import re
from collections.abc import Mapping

from sqlite_utils import Database

from bot.model.card import Form, FormField
from bot.model.text import Text
from bot.store import statements as store
from bot.texts import render

EDIT_FORM = "statement-edit"
FORMS = (EDIT_FORM, "statement-reject", "statement-comment", "statement-retract", "statement-code")
_ADDRESS = re.compile(r"\b[Ss]-(\d{1,9})\b")
# One input of a chat holds 3,000 UTF-16 units; a longer text is edited in several, cut between paragraphs.
INPUT = 2_900
MOST_INPUTS = 12


def statement_form(db: Database, form_id: str, command: str, language: str) -> Form | None:
    """The form of a button on a statement's card; None where it is none of ours or the text is too long for a form."""
    match = _ADDRESS.search(command)
    if form_id not in FORMS or not match:
        return None
    if form_id == EDIT_FORM:
        return _edit(db, f"S-{match[1]}", command, language)
    field = {
        "statement-reject": FormField("reason", _say("form.reason", language), "multiline"),
        "statement-retract": FormField("reason", _say("form.reason", language), "text", required=False),
        "statement-comment": FormField("text", _say("form.statement_comment", language), "multiline"),
        "statement-code": FormField("code", _say("form.statement_code", language), "text"),
    }[form_id]
    return _form(form_id, command, language, (field,))


def inputs_of(body: str) -> list[str]:
    """A body in pieces that an input holds; together they are the body."""
    pieces = [""]
    for paragraph in re.findall(r"[^\n]*\n|[^\n]+", body):
        rest = paragraph
        while rest:
            room = INPUT - _units(pieces[-1])
            if _units(rest) <= room:
                pieces[-1] += rest
                break
            if _units(rest) <= INPUT and pieces[-1]:
                pieces.append("")
                continue
            cut = max(1, room // 2)
            pieces[-1] += rest[:cut]
            rest = rest[cut:]
            pieces.append("")
    return pieces


def joined(opened: str, fields: Mapping[str, str]) -> str:
    """The body from several inputs. Chats trim what is typed: the blanks and line ends at the cuts are put back."""
    body = ""
    for number, piece in enumerate(inputs_of(opened), 1):
        given = fields.get(f"body_{number}", "")
        if not piece.strip():
            body += given or piece  # nothing but blank lines: trimmed, nothing is left of them
        elif given:
            begins, ends = piece[: len(piece) - len(piece.lstrip())], piece[len(piece.rstrip()) :]
            body += ("" if given[0].isspace() else begins) + given + ("" if given[-1].isspace() else ends)
    return body


def _edit(db: Database, statement_id: str, command: str, language: str) -> Form | None:
    statement = store.get(db, statement_id)
    version = store.version(db, statement) if statement else None
    if statement is None or version is None:
        return None
    pieces = inputs_of(version.body)
    if len(pieces) > MOST_INPUTS:
        return None
    line = f"edit {statement.id} v{version.number}"
    title = FormField("title", _say("form.statement_title", language), "text", False, initial=version.title)
    label = _say("form.statement_body", language)
    if len(pieces) == 1:
        bodies = [FormField("body", label, "multiline", initial=pieces[0])]
    else:
        bodies = [
            FormField(f"body_{number}", f"{label} {number}/{len(pieces)}", "multiline", False, initial=piece)
            for number, piece in enumerate(pieces, 1)
        ]
    return _form("statement-edit", line, language, (title, *bodies))


def _form(form_id: str, command: str, language: str, fields: tuple[FormField, ...]) -> Form:
    title = _say(f"form.{form_id}.title", language)
    return Form(form_id, title, command, fields, _say("form.submit", language), _say("form.cancel", language))


def _units(text: str) -> int:
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def _say(key: str, language: str) -> str:
    return render(Text(key), language)
