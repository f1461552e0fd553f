"""The recommendation of playbooks on the written situations of ``bench/matching_situations.yaml``."""

import pytest
import yaml

from bot.bench.matching import FILE, FRESH, Verdict, judge, rates, read_situations, split
from bot.response.library import load_library, shipped_folder

# Some points below what was reached when this was written, so that only a clear loss fails.
LEAST = {"tune": (90.0, 97.0), "held-out": (88.0, 96.0), "fresh": (58.0, 88.0)}


@pytest.fixture(scope="module")
def verdicts() -> list[Verdict]:
    return judge([*read_situations(), *read_situations(FRESH)], load_library(shipped_folder()).playbooks())


@pytest.mark.parametrize("half", sorted(LEAST))
def test_the_right_playbook_is_recommended_as_often_as_it_was(half: str, verdicts: list[Verdict]) -> None:
    first, top = rates([verdict for verdict in verdicts if verdict.told.half == half])
    misses = [
        f"{verdict.told.id}/{verdict.told.wording}" for verdict in verdicts if verdict.place != 1 and half == "tune"
    ]
    assert (first >= LEAST[half][0], top >= LEAST[half][1]) == (True, True), (first, top, misses)


def test_all_situations_have_their_playbook_in_the_library(verdicts: list[Verdict]) -> None:
    assert len(verdicts) == 180


def test_the_halves_written_in_the_file_follow_from_the_ids() -> None:
    rows = yaml.safe_load(FILE.read_text(encoding="utf-8"))["situations"]
    assert len(rows) == 60
    assert {row["id"]: row["half"] for row in rows} == split([row["id"] for row in rows])


def test_no_playbook_quotes_a_situation() -> None:
    """Otherwise the figure would measure copying: no run of twelve characters (32 letters) may stand in a playbook."""
    listed = [
        "".join([*playbook.match.words, *playbook.match.examples]).replace(" ", "").casefold()
        for playbook in load_library(shipped_folder()).playbooks()
    ]
    copied = []
    for told in [*read_situations(), *read_situations(FRESH)]:
        length = 32 if told.language == "en" else 12
        for post in told.posts:
            plain = post.replace(" ", "").casefold()
            pieces = {plain[start : start + length] for start in range(len(plain) - length + 1)}
            copied += [(told.id, piece) for piece in pieces if any(piece in text for text in listed)]
    assert copied == []


def test_the_later_situations_are_told_twice_and_held_out() -> None:
    told = read_situations(FRESH)
    assert len(told) == 60 and {item.half for item in told} == {"fresh"}
    assert not {item.id for item in told} & {item.id for item in read_situations()}
