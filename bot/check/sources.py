"""Sources: whether their settings make sense, and whether the other side answers with posts."""

import asyncio
from collections.abc import Iterator, Mapping
from pathlib import Path

import aiohttp

from bot.check.findings import Finding, error, note, ok, warn
from bot.config import Config, SourceConfig
from bot.model.intake import PostError, parse_post
from bot.sources.base import Source, SourceError
from bot.sources.factory import source_from
from bot.sources.hook import HookMapper
from bot.sources.net import new_session
from bot.sources.preset import resolve

TIMEOUT_SECONDS = 20
AT_ONCE = 8


async def check(config: Config, now: int, *, offline: bool, environ: Mapping[str, str] | None = None) -> list[Finding]:
    """One finding a source at least; reachable ones are asked once, together, each for a bounded time."""
    if not config.sources:
        return [warn("no_sources")]
    slots = asyncio.Semaphore(AT_ONCE)

    async def one(source: SourceConfig, session: aiohttp.ClientSession) -> list[Finding]:
        async with slots:
            return await _source(source, session, now, offline, environ)

    async with new_session(config.privacy.allow_hosts) as session:
        found = await asyncio.gather(*(one(source, session) for source in config.sources))
    return [finding for part in found for finding in part]


async def _source(
    config: SourceConfig, session: aiohttp.ClientSession, now: int, offline: bool, environ: Mapping[str, str] | None
) -> list[Finding]:
    if not config.enabled:
        return [note("source_disabled", source=config.id)]
    try:
        built = source_from(_one_page(config), session, environ)
        if built is None:
            return list(_pushed(config))
    except SourceError as problem:
        return [error("source_bad", source=config.id, cause=problem.text)]
    if config.kind == "file":
        return [_file(config)]
    if offline:
        return [ok("source_settings", source=config.id)]
    return [await _ask(config, built, now)]


def _file(config: SourceConfig) -> Finding:
    found = Path(config.path).exists()
    return (ok if found else warn)("source_file" if found else "source_no_file", source=config.id, path=config.path)


def _one_page(config: SourceConfig) -> SourceConfig:
    """The same source, but content with one page: a check must not use up a quota."""
    page = resolve(config).config.page
    return config if page is None else config.model_copy(update={"page": page.model_copy(update={"max": 1})})


def _pushed(config: SourceConfig) -> Iterator[Finding]:
    if config.kind == "hook":
        HookMapper(config)  # raises SourceError for a mapping that cannot work
    if config.kind in ("hook", "alertmanager"):
        secured = config.token_env or config.token_file or config.hmac_env or config.hmac_file
        yield (ok if secured else note)("source_pushed" if secured else "source_pushed_open", source=config.id)
    else:
        yield ok("source_by_hand", source=config.id)


async def _ask(config: SourceConfig, source: Source, now: int) -> Finding:
    try:
        async with asyncio.timeout(TIMEOUT_SECONDS):
            batch = await source.poll({}, now)
    except TimeoutError:
        return error("source_slow", source=config.id, seconds=TIMEOUT_SECONDS)
    except SourceError as problem:
        level = error if problem.permanent else warn
        return level("source_trouble", source=config.id, cause=problem.text)
    good, first_problem = 0, batch.rejected[0][1] if batch.rejected else ""
    for item in batch.items:
        try:
            parse_post(item, source=config.id, platform=config.platform, now=now)
            good += 1
        except PostError as problem:
            first_problem = first_problem or str(problem)
    bad = len(batch.rejected) + len(batch.items) - good
    if not good and bad:
        return error("source_not_understood", source=config.id, count=bad, cause=first_problem)
    if bad:
        return warn("source_partly", source=config.id, count=good, bad=bad, cause=first_problem)
    return ok("source_answers", source=config.id, count=good) if good else warn("source_empty", source=config.id)
