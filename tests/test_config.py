"""A wrong configuration is told file, line and mend; a right one is read whole; secrets never show."""

from pathlib import Path

import pytest
from factories import CONFIG, config
from hypothesis import given
from hypothesis import strategies as st

from bot import config as configuration
from bot.clock import DAY, HOUR, MINUTE, SECOND
from bot.config import Config, ConfigError, TokenConfig, parse_duration
from bot.model.grade import Grade
from bot.model.text import LANGUAGES
from bot.texts import render

PROJECT = Path(__file__).resolve().parent.parent
EXAMPLE = PROJECT.parent / "shared" / "examples" / "fengbo.yaml"


def problems(text: str) -> list[tuple[str, str, str]]:
    """``(place, key, English sentence)`` of every problem; each must render in both languages."""
    with pytest.raises(ConfigError) as error:
        configuration.parse(text, "fengbo.yaml")
    for language in LANGUAGES:
        for _, sentence in error.value.problems:
            assert "{" not in render(sentence, language).replace("{where}", "")
    return [(place, sentence.key, render(sentence, "en")) for place, sentence in error.value.problems]


SUBJECT = "subjects:\n  - id: pay\n    name: Pay\n    match: {any: [pay]}\n"


@pytest.mark.parametrize(
    ("text", "line", "key", "words"),
    [
        ("language: fr\n", 1, "config.not_one_of", ["language", "fr", "'zh-CN' or 'en'"]),
        ("language: en\nlisten: nowhere\n", 2, "config.bad_listen", ["listen", "nowhere", "127.0.0.1:8080"]),
        ("listen: 127.0.0.1:99999\n", 1, "config.bad_listen", ["99999"]),
        ("\n\nsubject: []\n", 3, "config.unknown_key", ["subject"]),
        ("subjects:\n  - name: Pay\n    match: {any: [pay]}\n", 2, "config.required", ["subjects[0].id"]),
        (SUBJECT + "    kin: own\n", 5, "config.unknown_key", ["subjects[0].kin"]),
        (SUBJECT + "    kind: ours\n", 5, "config.not_one_of", ["ours", "'own'"]),
        (
            "subjects:\n  - {id: pay, name: Pay,\n     match: {none: [x]}}\n",
            3,
            "config.bad_empty_rule",
            ["any, all or regex"],
        ),
        ("subjects:\n  - {id: 'p a', name: Pay, match: {any: [x]}}\n", 2, "config.bad_identifier", ["p a"]),
        (
            SUBJECT + "    channel: nowhere\nchannels: {alerts: {console: a}}\n",
            5,
            "config.unknown_channel",
            ["nowhere", "alerts"],
        ),
        (SUBJECT + SUBJECT.partition("\n")[2], 5, "config.twice", ["pay"]),
        ("sources:\n  - {id: a, every: soon}\n", 2, "config.bad_duration", ["sources[0].every", "soon", "30s"]),
        ("sources:\n  - {id: a, every: 0s}\n", 2, "config.bad_duration", ["0s"]),
        (
            "sources:\n  - {id: a, timezone: Nowhere/Town}\n",
            2,
            "config.bad_timezone",
            ["Nowhere/Town", "Asia/Shanghai"],
        ),
        ("sources:\n  - id: a\n    page: {max: 500}\n", 3, "config.invalid", ["sources[0].page.max", "500"]),
        (
            "people: [{id: a, name: A}]\nrota:\n  pr:\n    people:\n      - a\n      - b\n",
            6,
            "config.unknown_person",
            ["rota.pr.people[1]", "b"],
        ),
        (
            "people: [{id: a, name: A}]\nrota:\n  pr: {people: [a], shift: 0d}\n",
            3,
            "config.bad_duration",
            ["rota.pr.shift"],
        ),
        (
            "people: [{id: a, name: A}]\nrota:\n  pr: {people: [a], starts: 2026-01-05T09:00:00}\n",
            3,
            "config.bad_moment",
            ["+08:00"],
        ),
        (
            "people: [{id: a, name: A}]\nrota:\n  pr: {people: [a], starts: yesterday}\n",
            3,
            "config.bad_moment",
            ["yesterday"],
        ),
        ("rota:\n  pr: {people: []}\n", 2, "config.invalid", ["rota.pr.people"]),
        ("channels:\n  a: {min_grade: purple}\n", 2, "config.bad_grade", ["purple", "orange"]),
        ("channels:\n  a: {min_grade: none}\n", 2, "config.bad_grade", ["none"]),
        ("channels:\n  a: {quiet: [night]}\n", 2, "config.bad_span", ["channels.a.quiet[0]", "23:00-07:00"]),
        ("channels:\n  a: {quiet: ['25:00-07:00']}\n", 2, "config.bad_span", ["25:00"]),
        ("channels:\n  a: {timezone: Mars}\n", 2, "config.bad_timezone", ["Mars"]),
        ("channels:\n  a: {wecom_robot: r}\n", 2, "config.unknown_robot", ["r"]),
        ("channels:\n  a: {wecom_group: wrk1}\n", 2, "config.no_aibot", ["wrk1", "bot_id"]),
        ("channels:\n  a: {email: [bob]}\n", 2, "config.unknown_person", ["channels.a.email[0]", "bob"]),
        ("grading:\n  escalate_after: {purple: 3m}\n", 2, "config.not_one_of", ["purple"]),
        (
            "grading:\n  sensitive_periods:\n    - {name: x, from: 2026-03-14T00:00:00+08:00}\n",
            3,
            "config.required",
            ["to"],
        ),
        ("privacy: {mask: [phone, face]}\n", 1, "config.not_one_of", ["face"]),
        ("language: en\nlanguage: zh-CN\n", 2, "config.key_twice", ["language"]),
        ("chat:\n  console: {}\n  console: {public_url: 'https://x'}\n", 3, "config.key_twice", ["console"]),
        ("language: en\n  store: x\n", 2, "config.not_yaml", ["indentation"]),
        ("language: [en\n", 2, "config.not_yaml", []),
        ("- a\n- b\n", 1, "config.not_a_mapping", []),
        ("just words\n", 1, "config.not_a_mapping", []),
    ],
)
def test_every_error_names_its_line_and_the_mend(text: str, line: int, key: str, words: list[str]) -> None:
    found = problems(text)
    assert (f"fengbo.yaml:{line}", key) in [(place, kind) for place, kind, _ in found], found
    sentence = next(said for place, kind, said in found if kind == key and place.endswith(f":{line}"))
    assert all(word in sentence for word in words), sentence


def test_all_errors_are_told_at_once() -> None:
    assert len(problems("language: fr\nlisten: x\nsources: [{id: a, every: x}]\n")) == 3


@pytest.mark.parametrize(
    "line",
    [
        "bot_token: {secret}",
        "bot_token_env: [{secret}]",
        "signing_secret: {secret}",
        "base_url: [{secret}]",
        "apptoken: {secret}",
    ],
)
def test_a_secret_written_into_the_file_by_mistake_is_not_repeated(line: str) -> None:
    secret = "xoxb-" + "123456789012-abcdefSECRET"
    text = "chat:\n  slack:\n    " + line.replace("{secret}", secret) + "\n"
    with pytest.raises(ConfigError) as error:
        configuration.parse(text, "fengbo.yaml")
    shown = str(error.value) + "".join(str(text.to_json()) + render(text, "en") for _, text in error.value.problems)
    assert "abcdefSECRET" not in shown


def test_secrets_come_from_the_environment_or_a_file_and_the_environment_outranks(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("from file\n", encoding="utf-8")
    token = TokenConfig(name="a", token_env="T", token_file=str(tmp_path / "token"))
    assert token.secret("token", {"T": " from environment "}) == "from environment"
    assert token.secret("token", {"T": ""}) == "from file"
    assert token.secret("token", {}) == "from file"
    assert TokenConfig(name="a", token_env="T").secret("token", {}) == ""
    assert TokenConfig(name="a").secret("token", {"": "x"}) == ""


def test_a_secret_does_not_stand_in_what_is_printed_of_the_configuration(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLACK_BOT_TOKEN", "xoxb-real")
    settings = config()
    assert settings.chat.slack is not None and settings.chat.slack.secret("bot_token") == "xoxb-real"
    assert "xoxb-real" not in repr(settings) + settings.model_dump_json()


def test_a_missing_or_unreadable_file_says_so(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as missing:
        configuration.load(tmp_path / "no.yaml")
    assert "fengbo init" in render(missing.value.problems[0][1], "en")
    (tmp_path / "gbk.yaml").write_bytes("language: 中文".encode("gbk"))
    with pytest.raises(ConfigError) as unreadable:
        configuration.load(tmp_path / "gbk.yaml")
    assert unreadable.value.problems[0][1].key == "config.unreadable"


@pytest.mark.parametrize("text", ["", "# nothing\n", "{}\n", "language: en\n"])
def test_everything_has_a_default(text: str) -> None:
    settings = configuration.parse(text, "fengbo.yaml")
    assert settings.address == ("127.0.0.1", 8080) and settings.subjects == []


def test_what_is_written_is_what_is_read() -> None:
    settings = config(CONFIG)
    assert settings.rota["pr"].shift == 7 * DAY
    assert settings.channels["management"].min_grade is Grade.ORANGE
    assert settings.channel_language("management") == "en" and settings.channel_language("pr-alerts") == "zh-CN"
    subject = settings.subjects[0].subject()
    assert (subject.id, subject.rule.any, subject.watch) == ("xinghe-pay", ("星河支付", "星河钱包"), ("跑路",))


@pytest.mark.parametrize(
    ("listen", "override", "address"),
    [
        ("127.0.0.1:8080", None, ("127.0.0.1", 8080)),
        ("0.0.0.0:80", None, ("0.0.0.0", 80)),
        ("'[::1]:8080'", None, ("::1", 8080)),
        ("8081", None, ("127.0.0.1", 8081)),
        ("127.0.0.1:8080", "0.0.0.0:9000", ("0.0.0.0", 9000)),
    ],
)
def test_the_address_and_its_override(
    monkeypatch: pytest.MonkeyPatch, listen: str, override: str | None, address: tuple
) -> None:
    monkeypatch.delenv("FENGBO_LISTEN", raising=False)
    if override:
        monkeypatch.setenv("FENGBO_LISTEN", override)
    assert configuration.parse(f"listen: {listen}\n", "f").address == address


@pytest.mark.parametrize(
    ("value", "milliseconds"),
    [
        ("500ms", 500),
        ("90s", 90 * SECOND),
        ("5m", 5 * MINUTE),
        ("2h", 2 * HOUR),
        ("1.5h", 90 * MINUTE),
        ("7d", 7 * DAY),
        ("1w", 7 * DAY),
        (30, 30_000),
        (0.5, 500),
        (" 5 m ", 5 * MINUTE),
    ],
)
def test_durations(value: object, milliseconds: int) -> None:
    assert parse_duration(value) == milliseconds


@pytest.mark.parametrize("value", ["", "5", "m", "-5m", "5 minutes", "5M", True, None, [], "1h30m"])
def test_what_is_no_duration(value: object) -> None:
    with pytest.raises(ValueError, match="duration"):
        parse_duration(value)


@given(
    text=st.text(max_size=80)
    | st.from_regex(
        r"(subjects|sources|people|rota|channels|chat|grading): [\[\]{}a-z:, 0-9'\-]{0,60}\n", fullmatch=True
    )
)
def test_no_text_breaks_the_reader(text: str) -> None:
    try:
        assert isinstance(configuration.parse(text, "f"), Config)
    except ConfigError as error:
        assert error.problems
        for place, sentence in error.problems:
            assert place.startswith("f")
            assert render(sentence, "zh-CN") and render(sentence, "en")


def test_the_example_loads() -> None:
    if not EXAMPLE.is_file():
        pytest.skip(f"the example is not beside the project: {EXAMPLE}")
    settings = configuration.load(EXAMPLE)
    assert [subject.id for subject in settings.subjects] == ["xinghe-pay"]
    assert settings.grading.escalate_after["red"] == 3 * MINUTE
