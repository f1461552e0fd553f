"""``fengbo backup``, ``restore``, ``import``, ``forget`` and ``audit verify``."""

import asyncio
from pathlib import Path

import click

from bot.clock import SystemClock
from bot.model.text import Text, UserError
from bot.terminal import config_option, read_config, say, terminal_language


@click.command()
@click.argument("target", type=click.Path())
@config_option
def backup(target: str, config_path: str | None) -> None:
    """Copy the running store into TARGET, whole and consistent."""
    from bot.store.database import Store

    config, _ = read_config(config_path)
    store = Store(config.store)
    try:
        store.backup_to(target)
    except FileExistsError:
        say(Text("cli.exists", {"file": target}), terminal_language())
        raise SystemExit(2) from None
    finally:
        store.close()
    size = Path(target).stat().st_size
    say(Text("cli.backed_up", {"file": target, "size": f"{size / 1e6:.1f} MB"}), terminal_language())


@click.command()
@click.argument("source", type=click.Path(exists=True))
@config_option
def restore(source: str, config_path: str | None) -> None:
    """Put the backup SOURCE in the place of the store. Stop Fengbo first; the old store is kept beside it."""
    from bot.maintenance import RestoreRefused, restore_store

    config, _ = read_config(config_path)
    try:
        kept = restore_store(Path(source), Path(config.store))
    except RestoreRefused as error:
        say(error.text, terminal_language())
        raise SystemExit(2) from None
    say(Text("cli.restored", {"file": source, "kept": str(kept) if kept else "—"}), terminal_language())


@click.command("import")
@click.argument("source_id")
@click.argument("file", type=click.Path(exists=True))
@config_option
def import_(source_id: str, file: str, config_path: str | None) -> None:
    """Import a CSV, XLSX or JSONL file as posts of SOURCE_ID."""
    from bot.maintenance import import_file
    from bot.sources.base import SourceError

    config, _ = read_config(config_path)
    language = terminal_language()
    try:
        accepted, duplicates, rejected = asyncio.run(
            import_file(config, source_id, Path(file), lambda text: say(text, language))
        )
    except (UserError, SourceError) as error:
        say(error.text, language)
        raise SystemExit(2) from None
    params = {"accepted": accepted, "duplicates": duplicates, "rejected": len(rejected)}
    say(Text("cli.imported", params), terminal_language())
    for line, cause in rejected[:20]:
        click.echo(f"{file}:{line}: {cause}", err=True)
    raise SystemExit(1 if rejected else 0)


@click.command()
@click.argument("source_id")
@click.argument("author_id")
@config_option
def forget(source_id: str, author_id: str, config_path: str | None) -> None:
    """Blank everything that the author AUTHOR_ID wrote in SOURCE_ID. Counts stay; this cannot be undone."""
    from bot.maintenance import forget as forget_author
    from bot.maintenance import operator
    from bot.store.database import Store

    config, _ = read_config(config_path)
    store = Store(config.store)
    now = SystemClock().now()
    try:
        done = store.write_now(lambda db: forget_author(db, config, source_id, author_id, operator(), now))
    finally:
        store.close()
    params = {"source": source_id, "posts": done.posts, "quotations": done.quotations}
    say(Text("cli.forgotten" if done.posts else "cli.forgotten_nothing", params), terminal_language())
    raise SystemExit(0 if done.posts else 1)


@click.group()
def audit() -> None:
    """The append-only trail of privileged acts."""


@audit.command()
@config_option
def verify(config_path: str | None) -> None:
    """Check the hash chain of the audit trail from its first row to its last."""
    from bot.store import audit as audit_store
    from bot.store.database import Store

    config, _ = read_config(config_path)
    store = Store(config.store)
    broken = store.read_now(audit_store.verify)
    count = store.read_now(lambda db: db.conn.execute("SELECT COUNT(*) FROM audit").fetchone()[0])
    store.close()
    key = "cli.audit_broken" if broken else "cli.audit_whole"
    say(Text(key, {"row": broken or 0, "n": count}), terminal_language())
    raise SystemExit(1 if broken else 0)
