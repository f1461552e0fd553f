"""A change touches what it says and nothing else, in every playbook there is."""

from datetime import date
from functools import cache
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from plans import PLAN

from bot.learning.changes import changed
from bot.learning.experience import RunPast, StepPast
from bot.learning.filing import both
from bot.learning.suggest_steps import step_suggestions
from bot.learning.suggestion import AddStep, AddWords, DropStep, SetValues
from bot.learning.yaml_edits import EditRefused
from bot.model.grade import Grade
from bot.response.library import Entry, Library, load_library, parse_playbook
from bot.response.lint import lint_entry

ROOT = Path(__file__).resolve().parents[2] / "playbooks"
TODAY = date(2026, 11, 27)
TEXTS = st.text(st.characters(codec="utf-8", exclude_categories=("C", "Z")), min_size=2, max_size=20)


@cache
def load() -> Library:
    return load_library(ROOT)


@cache
def entries() -> list[Entry]:
    return sorted(load().entries.values(), key=lambda item: item.playbook.id)


def after(entry: Entry, change):
    text = changed(change, entry)
    again, findings = parse_playbook(text, entry.file)
    assert again is not None, [finding.text for finding in findings]
    return text, again.playbook


@settings(max_examples=20)
@given(st.data())
def test_a_step_can_be_taken_out_and_the_others_stay_as_they_are(data) -> None:
    entry = data.draw(st.sampled_from(entries()))
    step = data.draw(st.sampled_from(entry.playbook.steps))
    text, plan = after(entry, DropStep(step=step.id))
    assert [item.id for item in plan.steps] == [item.id for item in entry.playbook.steps if item.id != step.id]
    for item in plan.steps:
        before = entry.playbook.step(item.id)
        wanted = dict.fromkeys(o for name in before.after for o in (step.after if name == step.id else (name,)))
        assert item == before.model_copy(update={"after": tuple(wanted)})
    assert plan.model_copy(update={"steps": ()}) == entry.playbook.model_copy(update={"steps": ()})
    assert text.count("#") >= entry.source.count("#") - 2, "comments of others stay"


@settings(max_examples=10)
@given(st.data())
def test_words_values_and_steps_are_added_and_nothing_else_changes(data) -> None:
    entry = data.draw(st.sampled_from(entries()))
    words = tuple(data.draw(st.lists(TEXTS, min_size=1, max_size=3)))
    _, plan = after(entry, AddWords(words=words))
    clean = tuple(" ".join(word.split()) for word in words)
    assert plan.match.words == entry.playbook.match.words + clean
    title = data.draw(TEXTS)
    _, plan = after(entry, AddStep(id="by-hand-1", title=both(title), role=next(iter(plan.roles)), due="20m"))
    assert plan.steps[:-1] == entry.playbook.steps and plan.steps[-1].title.zh == " ".join(title.split())
    step = data.draw(st.sampled_from(entry.playbook.steps))
    _, plan = after(entry, SetValues(values=((step.id, "from_grade", "red"),)))
    changed_step = plan.step(step.id)
    assert changed_step == step.model_copy(update={"from_grade": changed_step.from_grade})
    assert [item for item in plan.steps if item.id != step.id] == [
        item for item in entry.playbook.steps if item.id != step.id
    ]


OUTCOMES = st.tuples(st.sampled_from(["done", "skipped", "not_applicable", "left", "failed"]), st.integers(1, 3_000))


@settings(max_examples=12)
@given(st.data())
def test_whatever_the_record_says_a_proposal_applies_cleanly_and_passes_the_linter(data) -> None:
    entry = data.draw(st.sampled_from(entries()))
    usual = {step.id: data.draw(OUTCOMES) for step in entry.playbook.steps}
    runs = [past(entry, usual, number) for number in range(data.draw(st.integers(5, 9)))]
    library = load()
    found = step_suggestions(entry.playbook, runs)
    for suggestion in data.draw(st.lists(st.sampled_from(found), max_size=3)) if found else ():
        try:
            text = changed(suggestion.change, entry)
        except EditRefused:
            continue
        again, findings = parse_playbook(text, entry.file)
        assert again is not None, findings
        around = Library({**library.entries, entry.playbook.id: again}, library.templates)
        errors = [item.text for item in lint_entry(again, around, TODAY) if item.severity == "error"]
        if isinstance(suggestion.change, SetValues):
            assert errors == [], suggestion.change
        # A step that others need by name may not go; such a proposal is not made (``Proposals.look``).
        assert all(error.key != "playbook.lint_unknown_after" for error in errors)


def past(entry: Entry, usual, number: int) -> RunPast:
    minutes = 60_000
    steps = {
        step.id: StepPast(
            step, usual[step.id][0], 1, usual[step.id][1] * minutes, step.due or step.within or 0, "somebody"
        )
        for step in entry.playbook.steps
    }
    return RunPast(f"R-{number}", f"I-{number}", "", entry.playbook.id, Grade.YELLOW, {}, steps)


def test_what_cannot_be_changed_in_place_is_refused() -> None:
    entry, _ = parse_playbook(PLAN, "small.yaml")
    with pytest.raises(EditRefused):
        changed(DropStep(step="no-such"), entry)
