"""The machine: address, store, disk, clock, time zones, font."""

import ipaddress
import os
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from bot.check.findings import Finding, error, note, ok, warn
from bot.clock import MINUTE
from bot.config import Config, SourceConfig
from bot.model.intake import iso
from bot.reports.fonts import FILE
from bot.store.files import State, examine, read_only

LEAST_FREE = 1_000_000_000
# Before this program existed no clock was right.
EARLIEST = 1_735_689_600_000  # 2025-01-01
STORE_AHEAD = 5 * MINUTE


def check(config: Config, now: int, environ: Mapping[str, str] | None = None) -> list[Finding]:
    environ = os.environ if environ is None else environ
    return [*_address(config, environ), *_tokens(config), *_store(Path(config.store)), *_clock(config, now), *_font()]


def listens(config: Config, environ: Mapping[str, str]) -> tuple[str, str]:
    """The address as written, and its host; an empty host where it is no ``host:port``."""
    listen = environ.get("FENGBO_LISTEN") or config.listen
    host, _, port = listen.rpartition(":")
    if not port.isdigit() or int(port) > 65_535:
        return listen, ""
    return listen, host.strip("[]") or "127.0.0.1"


def is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _address(config: Config, environ: Mapping[str, str]) -> Iterator[Finding]:
    listen, host = listens(config, environ)
    if not host:
        yield error("bad_listen", listen=listen)
        return
    if is_loopback(host):
        yield ok("listen", listen=listen)
    elif not config.tokens:
        yield error("listen_open", listen=listen)
    else:
        open_sources = [source.id for source in config.sources if _open(source)]
        if open_sources:
            yield error("hooks_open", listen=listen, sources=open_sources)
    public = config.chat.console.public_url
    if public and (urlsplit(public).scheme not in ("http", "https") or not urlsplit(public).hostname):
        yield error("bad_url", where="chat.console.public_url", value=public)
    elif not public and (config.chat.slack or config.chat.wecom or config.chat.email or config.chat.sms):
        yield note("no_public_url")


def _open(source: SourceConfig) -> bool:
    """A push source that anybody who reaches the address may write to."""
    secured = source.token_env or source.token_file or source.hmac_env or source.hmac_file
    return source.enabled and source.kind in ("hook", "alertmanager") and not secured


def _tokens(config: Config) -> Iterator[Finding]:
    names: set[str] = set()
    for token in config.tokens:
        if token.name in names:
            yield error("token_twice", name=token.name)
        names.add(token.name)
        if not (token.token_env or token.token_file):
            yield error("token_without_secret", name=token.name)
        if token.person and config.person(token.person) is None:
            yield error("token_unknown_person", name=token.name, person=token.person)
        if "act" in token.may and not token.person:
            yield error("token_acts_for_nobody", name=token.name)


def _store(path: Path) -> Iterator[Finding]:
    folder = path.parent
    nearest = folder
    while not nearest.exists() and nearest != nearest.parent:
        nearest = nearest.parent
    try:
        with tempfile.TemporaryFile(dir=nearest):
            pass
        if path.exists() and not os.access(path, os.W_OK):
            raise PermissionError(13, "read-only")
    except OSError as problem:
        yield error("store_unwritable", path=str(path), cause=problem.strerror or type(problem).__name__)
        return
    if path.is_file() and path.stat().st_size:
        state, cause = examine(path)
        if state is not State.OURS:
            yield error(f"store_{state.value}", path=str(path), cause=cause)
            return
    free = shutil.disk_usage(nearest).free
    if free < LEAST_FREE:
        yield warn("disk_full", path=str(nearest), free=f"{free / 1e9:.1f} GB")
    yield ok("store", path=str(path))


def _clock(config: Config, now: int) -> Iterator[Finding]:
    if now < EARLIEST:
        yield error("clock_wrong", now=iso(now))
    newest = _newest(Path(config.store))
    if newest > now + STORE_AHEAD:
        yield error("clock_behind_store", now=iso(now), newest=iso(newest))
    if not _zone("Asia/Shanghai"):
        yield error("no_timezones")


def _zone(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True


def _newest(path: Path) -> int:
    """When the newest post of the store was collected, 0 if there is none."""
    if not path.is_file():
        return 0
    try:
        with closing(read_only(path)) as connection:
            row = connection.execute("SELECT collected_at FROM post ORDER BY seq DESC LIMIT 1").fetchone()
    except sqlite3.Error:  # the store check has said what is wrong with it
        return 0
    return int(row[0]) if row else 0


def _font() -> Iterator[Finding]:
    if not FILE.is_file():
        yield warn("no_font")
