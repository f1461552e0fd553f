"""``fengbo check``: what would go wrong, found before it does, in words that name the mend."""

import asyncio
from collections.abc import Mapping

from bot.check import channels, chats, linkage, machine, people, publishers, rules, secrets, sources
from bot.check.findings import Finding, ok
from bot.clock import Clock, SystemClock
from bot.config import Config

__all__ = ["Finding", "run_checks"]


async def run_checks(
    config: Config, *, offline: bool, clock: Clock | None = None, environ: Mapping[str, str] | None = None
) -> list[Finding]:
    """Every finding, in the order of the configuration file. ``offline`` contacts nobody. Secrets are never printed."""
    clock = clock or SystemClock()
    now = clock.now()
    found = [
        *secrets.check(config, environ),
        *machine.check(config, now, environ),
        *channels.check(config),
        *people.check(config, now),
        *await asyncio.to_thread(rules.check, config, now),
        *await sources.check(config, now, offline=offline, environ=environ),
        *await chats.check(config, offline=offline, environ=environ),
        *await linkage.check(config, clock, offline=offline, environ=environ),
        *publishers.check(config),
    ]
    if all(level in ("ok", "note") for level, _ in found):
        found.append(ok("all_well"))
    return found
