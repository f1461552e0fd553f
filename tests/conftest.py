"""Fixtures every room may use: fake platforms on loopback, the data folder, and real programs."""

import os
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from hypothesis import settings

from bot.testkit.fake_feeds import FakeFeeds
from bot.testkit.fake_mail import FakeMail
from bot.testkit.fake_slack import FakeSlack
from bot.testkit.fake_sms import FakeSms
from bot.testkit.fake_wecom import FakeWeCom

# A busy machine is no reason to fail: time is measured in benchmarks, not in tests.
settings.register_profile("fengbo", deadline=None)
settings.load_profile("fengbo")

PROJECT = Path(__file__).resolve().parent.parent


def missing(what: str) -> None:
    """Skip where a helper is not installed; in continuous integration that is a failure."""
    if os.environ.get("CI", "").lower() in ("1", "true"):
        pytest.fail(what)
    pytest.skip(what)


def program(*names: str) -> Path:
    for name in names:
        if found := shutil.which(name):
            return Path(found)
    missing(f"{names[0]} is not installed")
    raise AssertionError("not reached")


@pytest.fixture
def data_dir() -> Path:
    """The folder of real data beside the project."""
    folder = PROJECT.parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip(f"the data folder is not beside the project: {folder}")
    return folder


@pytest.fixture(scope="session")
def chromium() -> Path:
    return program("chromium", "chromium-browser", "google-chrome")


@pytest.fixture(scope="session")
def alertmanager() -> Path:
    return program("prometheus-alertmanager", "alertmanager")


@pytest.fixture
async def fake_slack() -> AsyncIterator[FakeSlack]:
    """A started Slack with three people and two channels; ``fake_slack.base_url`` is its Web API."""
    async with FakeSlack() as server:
        yield server


@pytest.fixture
async def fake_wecom() -> AsyncIterator[FakeWeCom]:
    """A started WeCom with three members, one app and one group robot; ``fake_wecom.base_url`` is its API."""
    async with FakeWeCom() as server:
        yield server


@pytest.fixture
async def fake_mail() -> AsyncIterator[FakeMail]:
    """A started SMTP server: ``fake_mail.host``, ``fake_mail.port``, ``fake_mail.mails``."""
    async with FakeMail() as server:
        yield server


@pytest.fixture
async def fake_sms() -> AsyncIterator[FakeSms]:
    """A started SMS gateway: ``fake_sms.send_url``, ``fake_sms.sent``."""
    async with FakeSms() as server:
        yield server


@pytest.fixture
async def fake_feeds() -> AsyncIterator[FakeFeeds]:
    """A started server of feeds and JSON interfaces, empty at first."""
    async with FakeFeeds() as server:
        yield server
