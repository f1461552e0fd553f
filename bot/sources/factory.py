"""From a source's settings to the thing that polls it."""

from collections.abc import Mapping

import aiohttp

from bot.config import SourceConfig
from bot.sources.base import Source, problem
from bot.sources.feed import FeedSource
from bot.sources.files import FileSource
from bot.sources.json_api import JsonSource
from bot.sources.preset import resolve
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


def _need_url(config: SourceConfig) -> None:
    if not config.url:
        raise problem("no_url", permanent=True, where=f"sources.{config.id}")
