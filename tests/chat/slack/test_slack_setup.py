"""Setting Slack up: the manifest that installs in one paste, the check that says what to mend, and the forms."""

from typing import Any

import pytest

from bot.chat.slack import limits
from bot.chat.slack.check import check
from bot.chat.slack.manifest import SCOPES, manifest
from bot.chat.slack.views import FormContext, modal, read_fields
from bot.config import ChannelConfig, ChatConfig, Config, SlackConfig
from bot.model.card import Form, FormField
from bot.model.text import LANGUAGES, Text
from bot.testkit.fake_slack import APP_TOKEN, BOT_TOKEN, FakeSlack
from bot.testkit.slack_blocks import check_view
from bot.testkit.slack_people import SCOPES as SCOPE_OF_METHOD
from bot.texts import catalogue, placeholders, render

ENVIRONMENT = {"BOT": BOT_TOKEN, "APP": APP_TOKEN, "SIGNING": "s"}
# Methods the program calls; each must be covered by the manifest.
CALLED = {
    "chat.postMessage", "chat.update", "chat.delete", "chat.postEphemeral", "conversations.history",
    "conversations.replies", "conversations.join", "conversations.open", "conversations.info",
    "files.getUploadURLExternal", "files.completeUploadExternal",
}  # fmt: skip


def config(base_url: str, channels: dict[str, str] | None = None, **slack: str) -> Config:
    names = {"bot_token_env": "BOT", "app_token_env": "APP", **slack}
    return Config(
        chat=ChatConfig(slack=SlackConfig(base_url=base_url, **names)),
        channels={name: ChannelConfig(slack=channel) for name, channel in (channels or {}).items()},
    )


async def findings(config: Config, environment: dict[str, str] | None = None) -> list[tuple[str, str]]:
    found = await check(config, environment or ENVIRONMENT)
    for _, text in found:
        assert render(text, "en") != render(text, "zh-CN")
    return [(level, text.key) for level, text in found]


async def test_a_sound_setup_is_all_fine(fake_slack: FakeSlack) -> None:
    fake_slack.scopes |= set(SCOPES)
    found = await findings(config(fake_slack.base_url, {"pr": "C0ALERTS"}))
    assert [level for level, _ in found] == ["ok"] * 4
    assert [key for _, key in found][-1] == "slack.check.socket"
    assert fake_slack.screen("C0ALERTS") == []


async def test_missing_scopes_are_named(fake_slack: FakeSlack) -> None:
    fake_slack.scopes = set(SCOPES) - {"files:write", "channels:join"}
    found = await check(config(fake_slack.base_url), ENVIRONMENT)
    scopes = next(text for level, text in found if text.key == "slack.check.scopes" and level == "error")
    assert scopes.params["scopes"] == ["channels:join", "files:write"]
    assert "channels:join, files:write" in render(scopes, "en")


@pytest.mark.parametrize(
    ("environment", "key"),
    [
        ({"APP": APP_TOKEN}, "slack.check.no_token"),
        ({"BOT": "xoxb-wrong", "APP": APP_TOKEN}, "slack.check.token_refused"),
        ({"BOT": BOT_TOKEN, "APP": "xapp-wrong"}, "slack.check.app_token"),
        ({"BOT": BOT_TOKEN}, "slack.check.no_inbound"),
    ],
)
async def test_a_missing_or_wrong_token_is_an_error_of_its_own(
    fake_slack: FakeSlack, environment: dict[str, str], key: str
) -> None:
    assert ("error", key) in await findings(config(fake_slack.base_url), environment)


async def test_http_needs_only_the_signing_secret(fake_slack: FakeSlack) -> None:
    found = await findings(config(fake_slack.base_url, signing_secret_env="SIGNING", app_token_env=""))
    assert ("ok", "slack.check.http") in found


async def test_each_channel_is_looked_at(fake_slack: FakeSlack) -> None:
    fake_slack.workspace.add_channel("C0OUT", "out", with_bot=False)
    fake_slack.workspace.add_channel("C0PRIV", "private", with_bot=False, is_private=True)
    fake_slack.workspace.add_channel("C0OLD", "old").is_archived = True
    channels = {"a": "C0ALERTS", "b": "C0OUT", "c": "C0PRIV", "d": "C0OLD", "e": "C0NOWHERE"}
    found = await findings(config(fake_slack.base_url, channels))
    assert [one for one in found if "channel" in one[1]] == [
        ("ok", "slack.check.channel"),
        ("warning", "slack.check.channel_join"),
        ("error", "slack.check.channel_private"),
        ("error", "slack.check.channel_archived"),
        ("error", "slack.check.channel_refused"),
    ]


async def test_a_slack_that_cannot_be_reached_is_said_in_words() -> None:
    found = await findings(config("http://127.0.0.1:9/api/"))
    assert found[0] == ("error", "slack.check.unreachable")


def test_the_manifest_covers_every_method_that_is_called() -> None:
    scopes = manifest()["oauth_config"]["scopes"]["bot"]
    assert {SCOPE_OF_METHOD[method] for method in CALLED} <= set(scopes)
    assert {"commands", "app_mentions:read", "im:history"} <= set(scopes)


@pytest.mark.parametrize("url", ["https://bot.example", "https://bot.example/", "https://bot.example/slack/events"])
def test_a_manifest_with_an_address_uses_it_everywhere(url: str) -> None:
    whole = manifest(url)
    address = "https://bot.example/slack/events"
    assert whole["features"]["slash_commands"][0]["url"] == address
    assert whole["settings"]["event_subscriptions"]["request_url"] == address
    assert whole["settings"]["interactivity"]["request_url"] == address
    assert whole["settings"]["socket_mode_enabled"] is False


def test_a_manifest_without_an_address_uses_socket_mode_and_keeps_to_slacks_lengths() -> None:
    whole: dict[str, Any] = manifest()
    assert whole["settings"]["socket_mode_enabled"] is True
    assert "request_url" not in str(whole) and "'url'" not in str(whole)
    # docs.slack.dev/reference/app-manifest: name 35, description 140; shortcut name 24, command description 2,000
    assert len(whole["display_information"]["description"]) <= 140
    assert all(len(shortcut["name"]) <= 24 for shortcut in whole["features"]["shortcuts"])
    assert all(len(shortcut["description"]) <= 150 for shortcut in whole["features"]["shortcuts"])


@pytest.mark.parametrize(
    "field",
    [
        FormField("a", "文字", placeholder="x" * 400, initial="y" * 4_000),
        FormField("a", "", "multiline", required=False),
        FormField("a", "选择", "choice", options=tuple((f"v{n}", "label " * 30) for n in range(250)), initial="v7"),
        FormField("a", "选择", "choice", options=(("v" * 200, "too long for a menu"),)),
        FormField("a", "选择", "choice"),
        FormField("a", "谁", "person", initial="@U0LINA"),
        FormField("a", "谁", "person", initial="lina"),
    ],
)
@pytest.mark.parametrize("language", LANGUAGES)
def test_every_form_is_a_view_that_slack_takes(field: FormField, language: str) -> None:
    form = Form("f", "a title that is longer than a modal's title", "mute I-1", (field,), submit="s" * 40)
    context = FormContext(
        "mute I-1 " + "长" * 1_800, "f", "C1", "C1/1.1", response_url="https://hooks.example/" + "x" * 2_000
    )
    view = modal(form, context, language)
    assert check_view(view) == []
    read = FormContext.from_metadata(view["private_metadata"])
    assert (read.command, read.anchor, read.response_url) == (context.command, "C1/1.1", "")


def test_a_form_without_fields_still_shows_something() -> None:
    assert check_view(modal(Form("f", "", "x"), FormContext("x"), "en")) == []


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"command": 1}', "no json"])
def test_metadata_that_is_not_ours_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        FormContext.from_metadata(text)


def test_empty_fields_are_left_out() -> None:
    values = {"b": {"note": {"value": None}, "who": {"selected_user": None}, "x": {"selected_option": None}}}
    assert read_fields({"state": {"values": values}}) == {}


def test_both_languages_have_the_same_slack_texts_with_the_same_places() -> None:
    chinese, english = (
        {key: value for key, value in catalogue(language).items() if key.startswith("slack.")} for language in LANGUAGES
    )
    assert chinese.keys() == english.keys()
    for key, template in chinese.items():
        assert placeholders(template) == placeholders(english[key]), key
    for language in LANGUAGES:  # these stand in fields with a limit of their own
        assert limits.units(render(Text("slack.confirm.no"), language)) <= limits.CONFIRM_BUTTON
        assert limits.units(render(Text("slack.confirm.title"), language)) <= 100
        assert limits.units(render(Text("slack.form.submit"), language)) <= limits.VIEW_TITLE
