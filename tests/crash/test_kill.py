"""The real process, killed at random instants while posts, commands and events come in."""

import asyncio
import os
from pathlib import Path

import pytest

from bench import crash


@pytest.mark.crash
def test_nothing_accepted_is_lost_and_nothing_happens_twice_when_the_process_is_killed(tmp_path: Path) -> None:
    rows = asyncio.run(crash.run(int(os.environ.get("FENGBO_KILLS", "3")), seed=11, folder=tmp_path))
    assert [(what, figures) for what, figures, holds in rows if not holds] == []
