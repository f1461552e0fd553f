"""A running console for every test that asks for one."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from .harness import Harness


@pytest.fixture
async def harness(tmp_path: Path) -> AsyncIterator[Harness]:
    """A console on loopback without tokens: everybody is Li Na."""
    started = Harness(tmp_path)
    await started.start()
    yield started
    await started.stop()
