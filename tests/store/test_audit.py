"""The audit trail shows whether anybody changed it behind the program's back."""

import sqlite3
from pathlib import Path

import pytest

from bot.model.incident import Actor
from bot.store import audit
from bot.store.database import Store

ACTOR = Actor("lina", "李娜", "slack")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    store = Store(tmp_path / "s.db")
    for number in range(1, 6):
        store.write_now(
            lambda db, n=number: audit.append(db, ACTOR, "closed", f"I-{n}", 1000 + n, {"reason": f"第{n}个"})
        )
    store.close()
    return tmp_path / "s.db"


def meddle(file: Path, *statements: str) -> int | None:
    """Change the file with raw SQLite, without the triggers; what does ``verify`` say then?"""
    raw = sqlite3.connect(file)
    raw.executescript("DROP TRIGGER audit_no_update; DROP TRIGGER audit_no_delete; " + ";".join(statements))
    raw.commit()
    raw.close()
    store = Store(file)
    try:
        return store.read_now(audit.verify)
    finally:
        store.close()


def test_an_untouched_chain_is_whole(file: Path) -> None:
    assert meddle(file) is None


def test_an_empty_chain_is_whole(tmp_path: Path) -> None:
    store = Store(tmp_path / "s.db")
    assert store.read_now(audit.verify) is None
    store.close()


@pytest.mark.parametrize(
    "column",
    [
        "at = at + 1",
        "actor = 'x'",
        "chat = 'x'",
        "action = 'x'",
        "object = 'I-99'",
        "detail = '{}'",
        "previous = 'x'",
        "digest = 'x'",
    ],
)
def test_a_changed_row_is_found(file: Path, column: str) -> None:
    assert meddle(file, f"UPDATE audit SET {column} WHERE seq = 3") == 3


@pytest.mark.parametrize("gone", [1, 3, 5])
def test_a_removed_row_is_found_even_the_newest(file: Path, gone: int) -> None:
    assert meddle(file, f"DELETE FROM audit WHERE seq = {gone}") == gone


def test_an_emptied_chain_is_found(file: Path) -> None:
    assert meddle(file, "DELETE FROM audit") == 1


def test_a_removed_row_is_found_although_the_others_were_renumbered(file: Path) -> None:
    found = meddle(file, "DELETE FROM audit WHERE seq = 3", "UPDATE audit SET seq = seq - 1 WHERE seq > 3")
    assert found == 3


@pytest.mark.parametrize("seq", [6, 0])
def test_an_inserted_row_is_found(file: Path, seq: int) -> None:
    copy = "at, actor, chat, action, object, detail, previous, digest"
    found = meddle(file, f"INSERT INTO audit (seq, {copy}) SELECT {seq}, {copy} FROM audit WHERE seq = 2")
    assert found == max(1, seq)


@pytest.mark.parametrize("statement", ["UPDATE audit SET actor = 'x'", "DELETE FROM audit"])
def test_the_program_itself_cannot_change_or_remove_rows(file: Path, statement: str) -> None:
    store = Store(file)
    with pytest.raises(sqlite3.IntegrityError, match="append-only"):
        store.write_now(lambda db: db.conn.execute(statement))
    store.close()


def test_an_act_that_is_undone_leaves_no_row_in_the_chain(file: Path) -> None:
    store = Store(file)

    def job(db) -> None:
        audit.append(db, ACTOR, "closed", "I-6", 2000)
        raise RuntimeError

    with pytest.raises(RuntimeError):
        store.write_now(job)
    store.write_now(lambda db: audit.append(db, ACTOR, "closed", "I-7", 2001))
    assert store.read_now(audit.verify) is None
    assert store.read_now(lambda db: db.conn.execute("SELECT MAX(seq) FROM audit").fetchone()[0]) == 6
    store.close()
