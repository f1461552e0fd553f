"""Restoring, importing and forgetting: what operators do with the data."""

import asyncio
import json
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from sqlite_utils import Database

from bot.clock import VirtualClock
from bot.config import Config, parse
from bot.delivery import outbox
from bot.intake import accept
from bot.intake.minimise import Minimiser, install_key
from bot.maintenance import RestoreRefused, forget, import_file, restore_store
from bot.model.incident import Actor
from bot.model.message import Message
from bot.model.text import Text, UserError
from bot.sources.base import SourceError
from bot.store import audit, posts
from bot.store.database import Store

NOW = 1_790_000_000_000
OPERATOR = Actor("", "ops", "cli")
SPEAKS = "提现三天了还没有到账，客服一直不回"


def configured(tmp_path: Path) -> Config:
    return parse(
        f"store: {tmp_path / 'fengbo.db'}\n"
        "subjects: [{id: brand, name: 星河, match: {any: [星河]}, channel: alerts}]\n"
        "sources: [{id: archive, kind: file, platform: weibo}, {id: other, kind: hook}]\n"
        "channels: {alerts: {console: alerts}}\n",
        "test.yaml",
    )


def fill(config: Config, items: list[dict[str, object]], source: str = "archive") -> None:
    store = Store(config.store)
    key = store.write_now(lambda db: install_key(db, ""))
    reading = accept.read(items, Minimiser(config.privacy.mask, key), source=source, platform="weibo", now=NOW)
    store.write_now(lambda db: accept.keep(db, reading, items, source, NOW))
    store.close()


def post(number: int, text: str = SPEAKS, author: str = "u1") -> dict[str, object]:
    return {"id": str(number), "text": text, "published_at": NOW, "author": {"id": author, "name": "张三"}}


def count(path: Path | str) -> int:
    with sqlite3.connect(path) as connection:
        return int(connection.execute("SELECT COUNT(*) FROM post").fetchone()[0])


def backup_of(config: Config, target: Path) -> Path:
    store = Store(config.store)
    store.backup_to(target)
    store.close()
    return target


# -- restore


def test_a_backup_takes_the_place_of_the_store_and_the_old_one_is_kept(tmp_path: Path) -> None:
    config = configured(tmp_path)
    fill(config, [post(1)])
    backup = backup_of(config, tmp_path / "backup.db")
    fill(config, [post(2), post(3)])
    kept = restore_store(backup, Path(config.store), clock=VirtualClock(NOW), actor=OPERATOR)
    assert count(config.store) == 1
    assert kept is not None and kept.name == "fengbo.db.before-20260921T141320Z" and count(kept) == 3
    again = restore_store(backup, Path(config.store), clock=VirtualClock(NOW), actor=OPERATOR)
    assert again is not None and again != kept, "an earlier kept store is never overwritten"
    assert not list(tmp_path.glob("*restoring*"))
    store = Store(config.store)
    assert store.read_now(audit.verify) is None
    assert store.read_now(lambda db: db.conn.execute("SELECT action, actor FROM audit").fetchall()) == [
        ("restored", "ops")
    ]
    store.close()


def test_restoring_where_there_is_no_store_yet_keeps_nothing(tmp_path: Path) -> None:
    config = configured(tmp_path)
    fill(config, [post(1)])
    backup = backup_of(config, tmp_path / "backup.db")
    target = tmp_path / "new" / "fengbo.db"
    assert restore_store(backup, target, clock=VirtualClock(NOW)) is None
    assert count(target) == 1


def test_what_waited_in_a_backup_is_looked_for_before_it_is_sent_again(tmp_path: Path) -> None:
    config = configured(tmp_path)
    store = Store(config.store)
    store.write_now(lambda db: outbox.enqueue(db, Message("slack:C0", text="x"), "k", NOW))
    store.close()
    backup = backup_of(config, tmp_path / "backup.db")
    restore_store(backup, Path(config.store), clock=VirtualClock(NOW))
    store = Store(config.store)
    row = store.write_now(lambda db: outbox.claim(db, "slack:C0", NOW))
    store.close()
    assert row is not None and row.unclear


def damaged(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[4096 * 3 : 4096 * 8] = b"\xa5" * (4096 * 5)
    path.write_bytes(content)


@pytest.mark.parametrize("trouble", ["not a store", "another database", "damaged", "newer", "empty", "itself"])
def test_a_backup_that_is_not_sound_changes_nothing(tmp_path: Path, trouble: str) -> None:
    config = configured(tmp_path)
    fill(config, [post(number) for number in range(50)])
    backup = backup_of(config, tmp_path / "backup.db")
    if trouble == "not a store":
        backup.write_text("once upon a time" * 1000)
    elif trouble == "another database":
        backup.unlink()
        with sqlite3.connect(backup) as connection:
            connection.execute("CREATE TABLE post (x)")
    elif trouble == "damaged":
        damaged(backup)
    elif trouble == "newer":
        with sqlite3.connect(backup) as connection:
            connection.execute("INSERT INTO _sqlite_migrations (migration_set, name) VALUES ('fengbo', 'm999')")
    elif trouble == "empty":
        backup.write_bytes(b"")
    else:
        backup = Path(config.store)
    before = Path(config.store).read_bytes()
    with pytest.raises(RestoreRefused) as refused:
        restore_store(backup, Path(config.store), clock=VirtualClock(NOW))
    assert refused.value.text.key in ("cli.restore_bad", "cli.restore_newer", "cli.restore_same")
    assert Path(config.store).read_bytes() == before
    assert not list(tmp_path.glob("*before*")) and not list(tmp_path.glob("*restoring*"))


def test_a_running_worker_is_known_by_its_lease(tmp_path: Path) -> None:
    config = configured(tmp_path)
    fill(config, [post(1)])
    backup = backup_of(config, tmp_path / "backup.db")
    store = Store(config.store)
    store.write_now(lambda db: db.conn.execute("INSERT INTO lease VALUES ('worker', 'host:1', ?)", (NOW + 5_000,)))
    store.close()
    with pytest.raises(RestoreRefused) as refused:
        restore_store(backup, Path(config.store), clock=VirtualClock(NOW))
    assert refused.value.text == Text("cli.restore_running", {"holder": "host:1"})
    restore_store(backup, Path(config.store), clock=VirtualClock(NOW + 6_000))


def test_a_process_that_has_the_store_open_is_noticed_without_a_lease(tmp_path: Path) -> None:
    config = configured(tmp_path)
    fill(config, [post(1)])
    backup = backup_of(config, tmp_path / "backup.db")
    script = (
        "import sqlite3, sys; c = sqlite3.connect(sys.argv[1]); c.execute('SELECT * FROM post').fetchall();"
        " print('open', flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script, config.store], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None and process.stdout.readline() == b"open\n"
        with pytest.raises(RestoreRefused):
            restore_store(backup, Path(config.store), clock=VirtualClock(NOW))
        process.communicate()
    assert restore_store(backup, Path(config.store), clock=VirtualClock(NOW)) is not None


def test_a_damaged_store_is_replaced_with_its_journal(tmp_path: Path) -> None:
    config = configured(tmp_path)
    fill(config, [post(1)])
    backup = backup_of(config, tmp_path / "backup.db")
    target = Path(config.store)
    target.write_bytes(b"rubbish" * 1000)
    target.with_name("fengbo.db-wal").write_bytes(b"stale")
    kept = restore_store(backup, target, clock=VirtualClock(NOW))
    assert kept is not None and kept.read_bytes().startswith(b"rubbish")
    assert kept.with_name(kept.name + "-wal").read_bytes() == b"stale"
    assert not target.with_name("fengbo.db-wal").exists() and count(target) == 1


# -- import


def run_import(config: Config, path: Path, said: list[Text] | None = None) -> tuple[int, int, list[tuple[int, str]]]:
    say = said.append if said is not None else lambda text: None
    return asyncio.run(import_file(config, "archive", path, say, clock=VirtualClock(NOW)))


def test_a_table_is_imported_once_masked_and_its_bad_lines_are_named(tmp_path: Path) -> None:
    config = configured(tmp_path)
    file = tmp_path / "posts.csv"
    file.write_text(
        "编号,内容,发布时间,作者\n1,电话13812345678打不通,2026-09-01 10:00:00,张三\n2,好,昨天吧,李四\n"
        "3,星河很好,2026-09-01 11:00:00,王五\n",
        encoding="utf-8",
    )
    accepted, duplicates, rejected = run_import(config, file)
    assert (accepted, duplicates) == (2, 0)
    assert [line for line, _ in rejected] == [3] and "昨天吧" in rejected[0][1]
    assert run_import(config, file)[:2] == (0, 2)
    with sqlite3.connect(config.store) as connection:
        rows = connection.execute("SELECT text, author_name, source, platform FROM post ORDER BY id").fetchall()
    assert rows[0] == ("电话138******78打不通", "张**", "archive", "weibo")


def test_a_large_file_tells_how_far_it_is(tmp_path: Path) -> None:
    config = configured(tmp_path)
    file = tmp_path / "posts.jsonl"
    lines = [json.dumps({"id": number, "text": "好", "published_at": NOW}) for number in range(12_000)]
    lines[7_000] = "not json"
    lines[7_001] = '{"text": "no date"}'
    file.write_text("\n".join(lines))
    said: list[Text] = []
    accepted, duplicates, rejected = run_import(config, file, said)
    assert (accepted, duplicates, [line for line, _ in rejected]) == (11_998, 0, [7_001, 7_002])
    assert said == [Text("cli.import_progress", {"n": 10_000})]


def test_an_import_goes_on_beside_a_store_in_use(tmp_path: Path) -> None:
    config = configured(tmp_path)
    running = Store(config.store)
    file = tmp_path / "posts.jsonl"
    file.write_text("\n".join(json.dumps(post(number)) for number in range(3_000)))
    try:
        assert run_import(config, file)[0] == 3_000
        assert running.read_now(posts.backlog) == 3_000
    finally:
        running.close()


def test_an_unknown_source_and_a_table_without_text_are_refused(tmp_path: Path) -> None:
    config = configured(tmp_path)
    file = tmp_path / "posts.csv"
    file.write_text("a,b\n1,2\n")
    with pytest.raises(UserError) as refused:
        asyncio.run(import_file(config, "nobody", file, lambda text: None, clock=VirtualClock(NOW)))
    assert refused.value.text == Text("cli.import_unknown_source", {"source": "nobody", "known": "archive, other"})
    with pytest.raises(SourceError):
        run_import(config, file)


# -- forget


def prepared_to_forget(tmp_path: Path) -> tuple[Config, Store]:
    config = configured(tmp_path)
    fill(config, [post(1), post(2, "星河又出问题了，我不会再用了"), post(3, "星河真不错，一直在用", "u2")])
    fill(config, [post(1, "同一个编号，别的信源里的人")], "other")
    store = Store(config.store)

    def job(db: Database) -> None:
        outbox.enqueue(db, Message("slack:C0", text=f"有人说：{SPEAKS[:20]}…"), "quoting", NOW)
        outbox.enqueue(db, Message("slack:C0", text="与此无关的一句话"), "other", NOW)
        db.conn.execute(
            "INSERT INTO rejected_post (source, error, item, rejected_at) VALUES ('archive', 'x', ?, ?)",
            (json.dumps({"author": {"id": "u1"}}), NOW),
        )
        db.conn.execute(
            "INSERT INTO mention (subject, post, published_at, family, sentiment, score, types, words, story, carrier,"
            " influence, engagement, platform) VALUES ('brand', 1, ?, 'general', -1, -1, '[]', '[]', 0, 0, 0, 0, 'x')",
            (NOW,),
        )
        db.conn.execute("INSERT INTO bucket VALUES ('brand', '', 1, 'general', 'x', -1, 7, 0, 0, 0, 0, 0)")

    store.write_now(job)
    return config, store


def test_forgetting_leaves_the_counts_and_not_a_word_of_the_person(tmp_path: Path) -> None:
    config, store = prepared_to_forget(tmp_path)
    done = store.write_now(lambda db: forget(db, config, "archive", "u1", OPERATOR, NOW))
    assert (done.posts, done.quotations) == (2, 1)
    rows = store.read_now(
        lambda db: db.conn.execute("SELECT id, text, author_key, author_name FROM post ORDER BY seq").fetchall()
    )
    assert rows[:2] == [("", "", None, None)] * 2
    assert [row[1] for row in rows[2:]] == ["星河真不错，一直在用", "同一个编号，别的信源里的人"]
    messages = [row[0] for row in store.read_now(lambda db: db.conn.execute("SELECT message FROM outbox").fetchall())]
    assert all(SPEAKS[:10] not in message for message in messages) and any("与此无关" in text for text in messages)
    for table, left in (("mention", 0), ("rejected_post", 0), ("bucket", 1)):
        assert store.read_now(lambda db, t=table: db.conn.execute(f"SELECT COUNT(*) FROM {t}").fetchone()[0]) == left
    trail = store.read_now(lambda db: db.conn.execute("SELECT action, object, detail FROM audit").fetchall())
    assert trail == [("forgotten", "archive", '{"posts":2,"quotations":1}')]
    store.close()
    assert SPEAKS.encode() not in Path(config.store).read_bytes(), "nothing is left in freed pages either"


def test_a_forgotten_post_is_not_collected_again(tmp_path: Path) -> None:
    config, store = prepared_to_forget(tmp_path)
    store.write_now(lambda db: forget(db, config, "archive", "u1", OPERATOR, NOW))
    store.close()
    fill(config, [post(1)])
    with sqlite3.connect(config.store) as connection:
        assert connection.execute("SELECT COUNT(*) FROM post WHERE text = ?", (SPEAKS,)).fetchone() == (0,)


def test_forgetting_nobody_says_so(tmp_path: Path) -> None:
    config, store = prepared_to_forget(tmp_path)
    assert store.write_now(lambda db: forget(db, config, "archive", "nobody", OPERATOR, NOW)).posts == 0
    store.close()
