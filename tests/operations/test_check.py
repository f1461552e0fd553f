"""``fengbo check``: each mistake a person can make in the file is named; none of their secrets is."""

import asyncio
import sqlite3
from importlib import resources
from pathlib import Path

import pytest

from bot.check import run_checks, secrets
from bot.clock import DAY, VirtualClock
from bot.config import Config, parse
from bot.intake import accept
from bot.intake.minimise import Minimiser
from bot.store.database import Store
from bot.testkit.fake_feeds import FakeFeeds
from bot.testkit.fake_mail import FakeMail
from bot.texts import render

NOW = 1_790_000_000_000
SOUND = {
    "store": "",
    "subjects": "[{id: brand, name: 星河, match: {any: [星河支付]}, channel: alerts}]",
    "sources": "[{id: archive, kind: file}]",
    "people": "[{id: lina, name: 李娜, roles: [pr, pr_head], console: lina}]",
    "channels": "{alerts: {console: alerts}, drill: {console: drill}}",
}


def configured(tmp_path: Path, **changes: str) -> Config:
    settings = {**SOUND, "store": str(tmp_path / "var" / "fengbo.db"), **changes}
    return parse("\n".join(f"{key}: {value}" for key, value in settings.items()), "test.yaml")


async def findings(
    config: Config, *, offline: bool = True, now: int = NOW, **environ: str
) -> list[tuple[str, str, str]]:
    found = await run_checks(config, offline=offline, clock=VirtualClock(now), environ=environ)
    for _, text in found:
        render(text, "zh-CN")
    return [(level, text.key.removeprefix("check."), render(text, "en")) for level, text in found]


async def keys(config: Config, **more: str) -> dict[str, str]:
    return {key: level for level, key, _ in await findings(config, **more)}


async def test_a_sound_configuration_has_nothing_to_mend(tmp_path: Path) -> None:
    found = await findings(configured(tmp_path))
    assert {level for level, _, _ in found} <= {"ok", "note"}
    assert found[-1][1] == "all_well"
    assert not (tmp_path / "var").exists(), "a check must not create the store"


@pytest.mark.parametrize(
    ("changes", "level", "key"),
    [
        ({"subjects": "[]"}, "error", "no_subjects"),
        ({"subjects": "[{id: a, name: A, match: {any: [星河支付]}}]", "channels": "{drill: {console: d}}"},
         "error", "subject_without_channel"),
        ({"subjects": "[{id: a, name: A, match: {any: [星河支付]}}]"}, "note", "subject_to_common"),
        ({"subjects": "[{id: a, name: A, kind: competitor, match: {any: [星河支付]}, channel: alerts}]",
          "channels": "{alerts: {console: a, min_grade: orange}}"}, "error", "subject_never_shown"),
        ({"channels": "{alerts: {}}"}, "error", "channel_without_destination"),
        ({"channels": "{alerts: {slack: C0}}"}, "error", "channel_without_chat"),
        ({"channels": "{alerts: {console: a}}"}, "note", "no_drill_channel"),
        ({"channels": "{alerts: {console: a, email: [lina]}}"}, "error", "receiver_without_account"),
        ({"grading": "{preset: shoes}"}, "warn", "unknown_preset"),
        ({"grading": "{thresholds: {negatives: {blue: 3}}}"}, "error", "unknown_metric"),
        ({"grading": "{thresholds: {negative_60m: {blue: 30, yellow: 3}}}"}, "error", "ladder_falls"),
        ({"people": "[]"}, "warn", "no_people"),
        ({"people": "[{id: a, name: A, roles: [admin]}]"}, "warn", "person_unreachable"),
        ({"people": "[{id: a, name: A, slack: U1}]"}, "warn", "person_unreachable"),
        ({"people": "[{id: a, name: A, console: x}, {id: b, name: B, console: x}]"}, "error", "account_shared"),
        ({"people": "[{id: a, name: A, roles: [pr], console: a}]"}, "warn", "no_manager"),
        ({"people": "[{id: a, name: A, roles: [admin], console: a}]"}, "warn", "nobody_on_duty"),
        ({"rota": "{pr: {people: [lina], starts: '2026-01-05T09:00:00+08:00'}}"}, "warn", "rota_one_person"),
        ({"rota": "{pr: {people: [lina], starts: '2036-01-05T09:00:00+08:00'}}"}, "warn", "rota_not_begun"),
        ({"subjects": "[{id: a, name: A, match: {any: [星]}, channel: alerts}]"}, "warn", "rule_short"),
        ({"subjects": "[{id: a, name: A, match: {any: [AI]}, channel: alerts}]"}, "warn", "rule_short"),
        ({"subjects": "[{id: a, name: A, match: {regex: ['.']}, channel: alerts}]"}, "error", "rule_everything"),
        ({"subjects": "[{id: a, name: A, match: {any: [的, 了, a]}, channel: alerts}]"}, "error", "rule_everything"),
        ({"subjects": "[{id: a, name: A, match: {regex: ['(']}, channel: alerts}]"}, "error", "rule_bad_regex"),
        ({"subjects": "[{id: a, name: A, match: {regex: ['.*']}, channel: alerts}]"},
         "error", "rule_regex_matches_everything"),
        ({"subjects": "[{id: a, name: A, match: {any: [星河], none: [星河]}, channel: alerts}]"},
         "error", "rule_contradiction"),
        ({"listen": "0.0.0.0:8080"}, "error", "listen_open"),
        ({"listen": "0.0.0.0:8080", "tokens": "[{name: t, token_env: T}]",
          "sources": "[{id: v, kind: hook, preset: hook_generic}]"}, "error", "hooks_open"),
        ({"tokens": "[{name: t, token_env: T, may: [act]}]"}, "error", "token_acts_for_nobody"),
        ({"tokens": "[{name: t}]"}, "error", "token_without_secret"),
        ({"tokens": "[{name: t, token_env: T, person: nobody}]"}, "error", "token_unknown_person"),
        ({"sources": "[]"}, "warn", "no_sources"),
        ({"sources": "[{id: x, kind: json, preset: nothing}]"}, "error", "source_bad"),
        ({"sources": "[{id: x, kind: json, preset: hackernews}]"}, "error", "source_bad"),
        ({"sources": "[{id: x, kind: hook, items: '((', map: {text: t}}]"}, "error", "source_bad"),
        ({"sources": "[{id: x, kind: feed}]"}, "error", "source_bad"),
        ({"sources": "[{id: x, kind: feed, url: 'https://news.example/rss'}]"}, "ok", "source_settings"),
        ({"sources": "[{id: x, kind: file, path: not-there.jsonl}]"}, "warn", "source_no_file"),
        ({"sources": "[{id: x, kind: hook, preset: hook_generic}]"}, "note", "source_pushed_open"),
        ({"chat": "{slack: {}}"}, "error", "slack_no_token"),
        ({"chat": "{slack: {}}"}, "error", "slack_no_way_in"),
        ({"chat": "{sms: {url: sms.example}}"}, "error", "bad_url"),
        ({"chat": "{sms: {url: 'https://sms.example', body: {to: '{phone}'}}}"}, "error", "sms_missing_field"),
        ({"chat": "{sms: {url: 'https://sms.example', body: {to: '{phone}', text: '{txt}'}}}"},
         "error", "sms_unknown_field"),
    ],
)  # fmt: skip
async def test_every_mistake_is_named(tmp_path: Path, changes: dict[str, str], level: str, key: str) -> None:
    assert (await keys(configured(tmp_path, **changes))).get(key) == level


async def test_a_missing_secret_is_named_by_its_variable_and_a_present_one_is_never_shown(tmp_path: Path) -> None:
    file = tmp_path / "token"
    config = configured(
        tmp_path,
        tokens=f"[{{name: a, token_env: FENGBO_A}}, {{name: b, token_file: {file}}}]",
        chat="{slack: {bot_token_env: SLACK_BOT_TOKEN, signing_secret_env: SLACK_SIGNING_SECRET}}",
    )
    found = await findings(config, SLACK_BOT_TOKEN="xoxb-very-secret-value-1234", FENGBO_A="short-one")
    said = "\n".join(text for _, _, text in found)
    assert "SLACK_SIGNING_SECRET" in said and str(file) in said
    assert "very-secret" not in said and "short-one" not in said
    assert ("warn", "token_short") in [(level, key) for level, key, _ in found]
    file.write_text("a-long-enough-secret-value")
    file.chmod(0o644)
    assert (await keys(config))["secret_file_open"] == "warn"


def test_every_section_with_secrets_is_looked_at(tmp_path: Path) -> None:
    config = configured(
        tmp_path,
        sources="[{id: v, kind: json, url: 'https://x.example', auth: {header: A, value_env: SOURCE_KEY}}]",
        chat="{wecom: {robots: {r: {key_env: ROBOT_KEY}}}, email: {host: h, sender: s, password_env: MAIL_KEY}}",
        privacy="{author_key_env: AUTHOR_KEY}",
    )
    missing = {text.params["variable"] for level, text in secrets.check(config, {}) if level == "error"}
    assert missing == {"SOURCE_KEY", "ROBOT_KEY", "MAIL_KEY", "AUTHOR_KEY"}


async def test_the_rules_are_tried_on_the_last_day(tmp_path: Path) -> None:
    config = configured(tmp_path)
    store = Store(config.store)
    minimiser = Minimiser([], b"key")
    for text, at in (("星河支付提现失败", NOW), ("今天吃面", NOW), ("星河支付很好", NOW - 3 * DAY)):
        items = [{"text": text, "published_at": at}]
        reading = accept.read(items, minimiser, source="s", platform="weibo", now=at)
        store.write_now(lambda db, reading=reading, items=items, at=at: accept.keep(db, reading, items, "s", at))
    store.close()
    said = [text for _, key, text in await findings(config) if key == "rule_matched"]
    assert said == ["“星河” matched 1 of the last 24 hours' 2 posts."]


async def test_a_store_that_cannot_be_used_is_told_from_one_that_can(tmp_path: Path) -> None:
    path = tmp_path / "var" / "fengbo.db"
    config = configured(tmp_path)
    Store(path).close()
    assert (await keys(config))["store"] == "ok"
    with sqlite3.connect(path) as connection:
        connection.execute("INSERT INTO _sqlite_migrations (migration_set, name) VALUES ('fengbo', 'm999_tomorrow')")
    assert (await keys(config))["store_newer"] == "error"
    path.write_text("not a store at all, whatever its name says" * 100)
    assert (await keys(config))["store_foreign"] == "error"
    blocked = configured(tmp_path, store=str(path / "below-a-file" / "fengbo.db"))
    assert (await keys(blocked))["store_unwritable"] == "error"


async def test_a_clock_that_was_turned_back_is_noticed(tmp_path: Path) -> None:
    config = configured(tmp_path)
    store = Store(config.store)
    reading = accept.read([{"text": "a", "published_at": NOW}], Minimiser([], b""), source="s", platform="x", now=NOW)
    store.write_now(lambda db: accept.keep(db, reading, [], "s", NOW))
    store.close()
    assert "clock_behind_store" not in await keys(config, now=NOW)
    assert (await keys(config, now=NOW - DAY))["clock_behind_store"] == "error"
    assert (await keys(config, now=0))["clock_wrong"] == "error"


async def test_sources_and_mail_server_are_asked_when_online(tmp_path: Path, fake_feeds: FakeFeeds) -> None:
    async with FakeMail() as mail:
        config = configured(
            tmp_path,
            sources=f"[{{id: gone, kind: feed, url: '{fake_feeds.url}/nothing-here'}}]",
            chat=f"{{email: {{host: {mail.host}, port: {mail.port}, sender: a@corp.example}}}}",
            privacy="{allow_hosts: [127.0.0.1]}",
        )
        found = await keys(config, offline=False)
    assert found["smtp"] == "ok"
    assert found["source_trouble"] == "error"
    assert "offline" not in found


async def test_an_unreachable_mail_server_is_an_error(tmp_path: Path) -> None:
    config = configured(tmp_path, chat="{email: {host: 127.0.0.1, port: 1, sender: a@corp.example}}")
    assert (await keys(config, offline=False))["smtp_unreachable"] == "error"


async def test_checks_of_chats_are_not_even_begun_offline(tmp_path: Path) -> None:
    config = configured(tmp_path, chat="{email: {host: 127.0.0.1, port: 1, sender: a@corp.example}}")
    before = asyncio.all_tasks()
    assert (await keys(config))["offline"] == "note"
    assert asyncio.all_tasks() == before


async def test_the_first_configuration_lacks_nothing_but_its_secrets(tmp_path: Path) -> None:
    source = resources.files("bot").joinpath("first_config.yaml").read_text(encoding="utf-8")
    config = parse(source, "first").model_copy(update={"store": str(tmp_path / "fengbo.db")})
    trouble = {key for level, key, _ in await findings(config) if level in ("warn", "error")}
    assert trouble == {"secret_missing"}
    assert "all_well" in await keys(config, FENGBO_VENDOR_TOKEN="a-token-of-some-length")


async def test_an_address_of_the_environment_is_checked_too(tmp_path: Path) -> None:
    config = configured(tmp_path)
    assert (await keys(config, FENGBO_LISTEN="8080x"))["bad_listen"] == "error"
    assert (await keys(config, FENGBO_LISTEN="0.0.0.0:80"))["listen_open"] == "error"
    assert (await keys(config, FENGBO_LISTEN="[::1]:80"))["listen"] == "ok"
