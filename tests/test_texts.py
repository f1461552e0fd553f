"""Every sentence exists in both languages, fits its parameters, and stands in a catalogue and not in the code."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

import handlers
from bot.model.grade import Carrier, CrisisType, Grade
from bot.model.incident import Status
from bot.model.text import LANGUAGES, Text
from bot.texts import MissingText, catalogue, has, placeholders, render
from bot.warning.assess import DIMENSION

PROJECT = Path(__file__).resolve().parent.parent
FILES = sorted([*PROJECT.glob("bot/**/*.py"), *PROJECT.glob("handlers/**/*.py")])
KEY = re.compile(r"[a-z][a-z_-]*(\.[a-z0-9_-]+)+\Z|plain\Z")

# Modules that hold words of Chinese as data: what people may type, what posts contain, how platforms name things.
# Nothing of theirs is shown to anybody except names that are proper nouns.
CJK_ALLOWED = {
    "bot/analysis": "lexicons, character classes and separators of the analysis",
    "bot/sources/mapping.py": "column names that vendors use",
    "bot/sources/files.py": "column names of exported tables",
    "bot/sources/dates.py": "dates as Chinese platforms write them",
    "bot/sources/article.py": "words that pages use",
    "bot/testkit": "what the fake platforms say",
    "bot/demo": "the demonstration's invented posts",
    "bot/bench": "what the benchmarks post",
    "bot/statements/review": "how numbers, names and sentences are written in Chinese",
    "bot/statements/consistency.py": "Chinese words that only join others",
    "bot/chat/wecom/client.py": "the units in WeCom's own error messages",
    "bot/chat/slack/manifest.py": "what Slack's administration shows, in both languages at once",
    "bot/reports/png.py": "a character to try a font with",
    "handlers": "synonyms of commands, grades and roles",
}
CJK = re.compile(r"[\u3400-\u9fff]")


def trees() -> Iterator[tuple[str, ast.Module]]:
    for file in FILES:
        yield str(file.relative_to(PROJECT)), ast.parse(file.read_text(encoding="utf-8"))


def name_of(call: ast.Call) -> str:
    function = call.func
    return (
        function.id if isinstance(function, ast.Name) else function.attr if isinstance(function, ast.Attribute) else ""
    )


def keys_in_code() -> list[tuple[str, str, set[str] | None]]:
    """``(place, key, parameter names or None where they are not written out)`` of every literal key."""
    found = []
    for path, tree in trees():
        for node in ast.walk(tree):
            if not isinstance(node, ast.Call):
                continue
            name, args = name_of(node), node.args
            place = f"{path}:{node.lineno}"
            if (
                name in ("_say", "say", "_words")
                and path.startswith(("handlers", "bot/incidents"))
                and name != "_words"
            ):
                key, given = (args[1:2] if name == "_say" else args[:1]), node.keywords
                if len(key) == 1 and isinstance(key[0], ast.Constant) and isinstance(key[0].value, str):
                    found.append((place, key[0].value, _keywords(given)))
            elif name in ("UserError", "UnknownCommand") and args and isinstance(args[0], ast.Constant):
                found.append((place, args[0].value, _keywords(node.keywords)))
            elif name == "Text" and args and isinstance(args[0], ast.Constant) and isinstance(args[0].value, str):
                found.append((place, args[0].value, _dict(args[1]) if len(args) > 1 else set()))
    return found


def _keywords(keywords: list[ast.keyword]) -> set[str] | None:
    names = {keyword.arg for keyword in keywords}
    return None if None in names else {name for name in names if name}


def _dict(node: ast.expr) -> set[str] | None:
    if not isinstance(node, ast.Dict):
        return None
    names = {key.value if isinstance(key, ast.Constant) else None for key in node.keys}
    return None if None in names else {str(name) for name in names}


def test_both_catalogues_have_the_same_keys() -> None:
    chinese, english = (set(catalogue(language)) for language in LANGUAGES)
    assert chinese - english == set(), "missing in English"
    assert english - chinese == set(), "missing in Chinese"


def test_both_catalogues_have_the_same_placeholders() -> None:
    chinese, english = (catalogue(language) for language in LANGUAGES)
    differing = {
        key: (chinese[key], english[key]) for key in chinese if placeholders(chinese[key]) != placeholders(english[key])
    }
    assert differing == {}


def test_no_entry_is_empty_or_left_untranslated() -> None:
    chinese, english = (catalogue(language) for language in LANGUAGES)
    blank = [key for key in chinese if not chinese[key].strip() and english[key].strip()]
    assert blank == []
    # An English sentence in the Chinese catalogue: several words, no Chinese character, the same in both.
    same = [
        key
        for key, text in chinese.items()
        if text == english[key] and len(re.findall(r"[a-z]{3,}", re.sub(r"\{\w+\}", "", text))) > 2
    ]
    assert same == []
    assert [key for key in english if CJK.search(english[key]) and key not in {"wecom.part_continued"}] == []


def test_no_file_defines_a_key_twice() -> None:
    for file in (PROJECT / "bot/texts").glob("*.yaml"):
        lines = [
            line.partition(":")[0] for line in file.read_text(encoding="utf-8").splitlines() if re.match(r"[a-z]", line)
        ]
        assert len(lines) == len(set(lines)), file.name
        assert set(yaml.safe_load(file.read_text(encoding="utf-8"))) == set(lines), file.name


def test_placeholders_are_plain_names() -> None:
    for language in LANGUAGES:
        for key, template in catalogue(language).items():
            rest = re.sub(r"\{[a-z_][a-z0-9_]*\}", "", template)
            assert "{" not in rest and "}" not in rest, (key, template)


def test_every_key_that_the_code_names_exists_and_gets_its_parameters() -> None:
    found = keys_in_code()
    assert len(found) > 150, "the walk over the code still finds the calls"
    missing = [(place, key) for place, key, _ in found if not has(key)]
    assert missing == []
    short = [
        (place, key, sorted(placeholders(catalogue("en")[key]) - given))
        for place, key, given in found
        if given is not None and not placeholders(catalogue("en")[key]) <= given
    ]
    assert short == []


@pytest.mark.parametrize(
    ("prefix", "names"),
    [
        ("grade", [grade.word for grade in Grade]),
        ("status", [status.value for status in Status]),
        ("type", [kind.value for kind in CrisisType]),
        ("carrier", [carrier.word for carrier in Carrier]),
        ("signal", list(DIMENSION)),
        ("health", ["new", "measured", "silent", "failing", "missing", "paused"]),
        ("rule_state", ["proposed", "live", "replaced"]),
        ("kind", ["own", "competitor", "policy", "industry"]),
        ("duration", ["seconds", "minutes", "hours", "days"]),
    ],
)
def test_every_word_of_a_closed_vocabulary_has_its_entry(prefix: str, names: list[str]) -> None:
    assert [name for name in names if not has(f"{prefix}.{name}")] == []


def test_roles_and_platforms_that_are_known_have_names() -> None:
    from bot.incidents.words import KNOWN_PLATFORMS, KNOWN_ROLES

    assert [name for name in sorted(KNOWN_ROLES) if not has(f"role.{name}")] == []
    assert [name for name in sorted(KNOWN_PLATFORMS) if not has(f"platform.{name}")] == []


def test_every_timeline_entry_that_is_written_can_be_read() -> None:
    kinds = set()
    for path, tree in trees():
        if not path.startswith(("bot/incidents", "handlers", "bot/app.py")):
            continue
        for node in ast.walk(tree):
            if (
                isinstance(node, ast.Call)
                and name_of(node) == "note"
                and len(node.args) > 2
                and isinstance(node.args[2], ast.Constant)
            ):
                kinds.add(node.args[2].value)
            if isinstance(node, ast.Call) and name_of(node) == "_done" and isinstance(node.args[3], ast.Constant):
                kinds.add(node.args[3].value)
    assert len(kinds) > 12
    assert [kind for kind in sorted(kinds) if not has(f"timeline.{kind}")] == []


def test_every_button_form_and_command_has_its_words() -> None:
    registry = handlers.load()
    assert [name for name in registry.forms if not has(f"form.{name}.title")] == []
    buttons = (
        "ack",
        "assign",
        "why",
        "chart",
        "mute",
        "false-alarm",
        "note",
        "grade",
        "resolve",
        "close",
        "reopen",
        "open",
        "apply",
    )
    assert [name for name in buttons if not has(f"button.{name}")] == []


def strings(tree: ast.Module) -> Iterator[ast.Constant]:
    """String literals that are not docstrings."""
    docstrings = set()
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if (
            isinstance(body, list)
            and body
            and isinstance(body[0], ast.Expr)
            and isinstance(body[0].value, ast.Constant)
        ):
            docstrings.add(id(body[0].value))
        # A string that stands alone below a name documents it.
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            docstrings.add(id(node.value))
        # What a field of a file format means goes into its JSON Schema, in both languages at once.
        if isinstance(node, ast.keyword) and node.arg == "description":
            docstrings.update(id(inner) for inner in ast.walk(node.value))
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docstrings:
            yield node


def test_no_chinese_stands_in_the_code_outside_catalogues_and_word_lists() -> None:
    found = [
        f"{path}:{node.lineno} {node.value[:30]!r}"
        for path, tree in trees()
        if not any(path == allowed or path.startswith(f"{allowed}/") for allowed in CJK_ALLOWED)
        for node in strings(tree)
        if CJK.search(node.value)
    ]
    assert found == []


def test_the_list_of_exceptions_is_still_needed() -> None:
    for allowed in CJK_ALLOWED:
        assert (PROJECT / allowed).exists(), allowed


# -- rendering


def test_values_are_inserted_as_they_are_and_never_parsed_again() -> None:
    said = render(Text("timeline.note", {"actor": "{text}", "text": "{actor} {0} %s ${x}"}), "en")
    assert said == "{text}: {actor} {0} %s ${x}"


@pytest.mark.parametrize(
    ("value", "zh", "en"),
    [
        (Text("grade.red"), "红色", "red Ⅰ"),
        (["a", "b"], "a、b", "a, b"),
        ((Text("grade.blue"), "x"), "蓝色", "blue Ⅳ, x"),
        (2.50, "2.5", "2.5"),
        (3, "3", "3"),
        ([], "", ""),
    ],
)
def test_texts_lists_and_numbers_inside_a_sentence(value: object, zh: str, en: str) -> None:
    assert render(Text("plain", {"text": value}), "en") == en
    assert render(Text("plain", {"text": value}), "zh-CN").startswith(zh)


def test_a_missing_key_or_language_is_a_defect_that_is_named() -> None:
    with pytest.raises(MissingText, match=r"no\.such"):
        render(Text("no.such"), "en")
    with pytest.raises(ValueError, match="unknown language"):
        catalogue("fr")
    assert render("collected words", "en") == "collected words"


def test_texts_survive_being_stored_with_their_nested_texts() -> None:
    text = Text("status.line", {"id": "I-1", "grade": Text("grade.red"), "n": 3})
    assert Text.from_json(text.to_json()) == text
