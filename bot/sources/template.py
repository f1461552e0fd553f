"""Addresses with ``{placeholders}``: page, since and the source's ``with:`` parameters."""

import re
from collections.abc import Mapping
from urllib.parse import quote

from bot.sources.base import problem

_PLACEHOLDER = re.compile(r"\{([a-z_][a-z0-9_]*)\}")
# A parameter in the path may be a whole address or route of its own (an RSSHub route, a base address).
_PATH_SAFE = "/:%~,@=+&;?!$'()*.-_[]"


def placeholders(url: str) -> set[str]:
    return set(_PLACEHOLDER.findall(url))


def fill(url: str, values: Mapping[str, str], where: str) -> str:
    """Put values in, percent-encoded after the question mark. Raises ``SourceError`` for a name nobody gives.

    A value is never parsed again, so text with braces in it stays text.
    """
    question = url.find("?")

    def value(match: re.Match[str]) -> str:
        name = match[1]
        if name not in values:
            known = ", ".join(sorted(values)) or "-"
            raise problem("unknown_placeholder", permanent=True, where=where, name=name, known=known)
        in_query = 0 <= question < match.start()
        return quote(values[name], safe="" if in_query else _PATH_SAFE)

    return _PLACEHOLDER.sub(value, url)


def add_query(url: str, parameters: Mapping[str, str]) -> str:
    """The address with more query parameters."""
    if not parameters:
        return url
    joined = "&".join(f"{quote(name, safe='')}={quote(value, safe='')}" for name, value in parameters.items())
    base, hash_mark, fragment = url.partition("#")
    return f"{base}{'&' if '?' in base else '?'}{joined}{hash_mark}{fragment}"
