"""A retrospective is seen in the console by members, and made on the command line."""

from pathlib import Path

import aiohttp
import orjson
import pytest
from click.testing import CliRunner
from factories import CONFIG, NOW

from bot.app import App
from bot.cli import cli
from bot.clock import VirtualClock
from bot.config import parse
from bot.model.grade import Grade
from bot.store import incidents as store

QUIET = CONFIG.split("chat:\n")[0] + "chat: {console: {}}\n"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "fengbo.yaml"
    path.write_text(f"store: {tmp_path / 'fengbo.db'}\nlisten: 127.0.0.1:0\n{QUIET}", encoding="utf-8")
    return path


def app_of(file: Path) -> App:
    app = App(parse(file.read_text(encoding="utf-8"), str(file)), clock=VirtualClock(NOW), role="web")
    app.store.write_now(
        lambda db: store.create(
            db, subject="xinghe-pay", subject_name="星河支付", family="funds", crisis_type="withdrawal_failure",
            title="<b>提现</b>", grade=Grade.ORANGE, signals=(), now=NOW,
        )
    )  # fmt: skip
    return app


async def test_the_page_is_whole_escaped_and_lets_nothing_run(file: Path) -> None:
    app = app_of(file)
    await app.start()
    try:
        async with aiohttp.ClientSession(f"http://127.0.0.1:{app.port}") as web:
            async with web.get("/retrospectives/I-1") as answer:
                page, policy = await answer.text(), answer.headers["Content-Security-Policy"]
                assert answer.status == 200 and "script" not in policy and "default-src 'none'" in policy
            assert "&lt;b&gt;提现" in page and "<b>提现" not in page and "没有数据" in page
            async with web.get("/retrospectives/I-1.json") as answer:
                assert (await answer.json())["time_to_acknowledge"] is None
            async with web.get("/retrospectives/I-9") as answer:
                assert answer.status == 404
            async with web.get("/retrospectives/document.css") as answer:
                assert answer.status == 200
    finally:
        await app.stop()


def test_the_command_writes_json_and_a_page_and_refuses_a_stranger(file: Path, tmp_path: Path) -> None:
    app_of(file).store.close()
    run = CliRunner().invoke
    seen = run(cli, ["retro", "i-1", "--json", "--config", str(file)])
    assert seen.exit_code == 0 and orjson.loads(seen.stdout)["incident"] == "I-1"
    page = tmp_path / "retro.html"
    assert run(cli, ["retro", "I-1", "--html", "--out", str(page), "--config", str(file)]).exit_code == 0
    assert "复盘 I-1" in page.read_text(encoding="utf-8")
    assert run(cli, ["retro", "I-7", "--config", str(file)]).exit_code == 2
