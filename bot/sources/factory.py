"""From a source's settings to the thing that polls it."""

from collections.abc import Mapping, Sequence
from typing import Any

import aiohttp

from bot.config import SourceConfig
from bot.sources.base import Batch, Source, SourceError, problem
from bot.sources.feed import FeedSource
from bot.sources.files import FileSource
from bot.sources.json_api import JsonSource
from bot.sources.preset import merged, resolve
from bot.sources.template import fill


def source_from(
    config: SourceConfig, session: aiohttp.ClientSession, environ: Mapping[str, str] | None = None
) -> Source | None:
    """The polled source for ``config``; None for those that are pushed, imported by hand or played (demo).

    Raises ``SourceError`` where the settings cannot work: unknown preset, missing parameter, bad expression.
    """
    resolved = resolve(config)
    merged = resolved.config
    if merged.kind == "json":
        _need_url(merged)
        return JsonSource(resolved, session, environ)
    if merged.kind == "feed":
        _need_url(merged)
        url = fill(merged.url, merged.with_, f"sources.{merged.id}.url")
        return FeedSource(merged.model_copy(update={"url": url}), session)
    if merged.kind == "file" and merged.path:
        return FileSource(merged)
    return None


class BrokenSource:
    """A source whose settings cannot work: every poll says so, and the others go on."""

    def __init__(self, config: SourceConfig, error: SourceError) -> None:
        self.id = config.id
        self.platform = config.platform or "other"
        self._error = error

    async def poll(self, cursor: Mapping[str, Any], now: int) -> Batch:
        raise self._error


def sources_from(
    configs: Sequence[SourceConfig], session: aiohttp.ClientSession, environ: Mapping[str, str] | None = None
) -> list[tuple[SourceConfig, Source | None]]:
    """Every configured source with its settings merged from the preset, None beside those that are not polled or
    switched off. Never raises: see ``BrokenSource``."""
    found: list[tuple[SourceConfig, Source | None]] = []
    for config, full in zip(configs, merged(configs), strict=True):
        try:
            found.append((full, source_from(config, session, environ) if config.enabled else None))
        except SourceError as error:
            found.append((full, BrokenSource(config, error)))
    return found


def _need_url(config: SourceConfig) -> None:
    if not config.url:
        raise problem("no_url", permanent=True, where=f"sources.{config.id}")
