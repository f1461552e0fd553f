"""The linter names what would go wrong, the line, and the mend."""

import pytest

from bot.model.text import LANGUAGES, Text
from bot.response.findings import Finding
from bot.response.library import Library, parse_playbook
from bot.response.lint import lint_entry
from bot.texts import catalogue, placeholders, render
from tests.response.playbooks import SOUND, TODAY, bent, findings_of

LOOP = ("    due: 15m\n", "    due: 15m\n    after: [tell]\n")

FIELDS = "    fields:\n      - {id: what, fact: what, label: {zh-CN: 现象, en: What}}\n"

CASES = [
    # reading
    ("version: 1", "version: one", "error", "invalid", 2),
    ("version: 1\n", "", "error", "required", 1),
    ("owner: pr_head", "ownr: pr_head", "error", "unknown_key", 10),
    ("due: 15m", "due: 15", "error", "bad_duration", 20),
    ("due: 15m", "due: -15m", "error", "bad_duration", 20),
    ("{from: yellow}", "{from: purple}", "error", "bad_grade", 7),
    ("kind: question", "kind: quiz", "error", "unknown_kind", 16),
    ("    kind: question\n", "", "error", "no_kind", 16),
    ("id: outage", "id: Out age", "error", "bad_identifier", 1),
    ("title: {zh-CN: 中断, en: Outage}", "title: 中断", "error", "bad_words", 3),
    ("{zh-CN: 中断, en: Outage}", "{zh-CN: 中断, en: Outage, or not}", "error", "unknown_key", 3),
    ("cluster: accidental", "cluster: guilty", "error", "not_one_of", 8),
    ("2027-01-31", "someday", "error", "bad_day", 11),
    ("2027-01-31", "2027-02-31", "error", "yaml", 1),
    ("version: 1", "version: 1\nversion: 2", "error", "key_twice", 3),
    ("version: 1", "version: 1\n version: 2", "error", "yaml", 3),
    ("{id: pay,", "{id: yes,", "error", "bad_truth", 30),
    ("when: decision.decide = pay", "when: decision.decide =", "error", "condition_no_value", 38),
    ("when: decision.decide = pay", "when: yes", "error", "bad_condition_not_text", 38),
    ("crisis_types: [outage]", "crisis_types: []", "error", "needs_one", 5),
    ("crisis_types: [outage]", "crisis_types: outage", "error", "not_a_list", 5),
    ("scct: {cluster: accidental, strategies: [apology]}", "scct: apology", "error", "not_a_group", 8),
    # order
    ("after: [check]", "after: [chek]", "error", "lint_unknown_after", 28),
    (*LOOP, "error", "lint_loop", 21),
    ("after: [decide]", "after: [tell]", "error", "lint_loop", 37),
    ("    after: [check]\n", "    after: [check, decide]\n", "error", "lint_unreachable", 32),
    ("  - id: decide", "  - id: check", "error", "lint_id_twice", 23),
    # deadlines
    ("due: 30m", "due: 10m", "error", "lint_due_before", 27),
    ("    due: 15m\n", "", "warning", "lint_no_deadline", 16),
    ("due: 15m", "due: 15m\n    remind_before: 20m", "warning", "lint_reminder_too_early", 21),
    ("due: 15m", "due: 15m\n    repeat: {every: 30m}", "error", "lint_repeat_endless", 21),
    ("due: 15m", "due: 15m\n    repeat: {every: 1m, at_most: 3}", "warning", "lint_repeat_often", 21),
    # people
    ("    role: engineer\n", "", "error", "lint_no_role", 16),
    ("role: engineer", "role: enginer", "error", "lint_unknown_role", 19),
    ("approve: [lead]\ntemplates", "approve: [led]\ntemplates", "error", "lint_unknown_role", 41),
    ("    approve: [lead]\ntemplates", "templates", "warning", "lint_no_approval", 32),
    ("role: engineer", "role: engineer\n    escalate: {to: engineer}", "warning", "lint_escalates_to_itself", 20),
    # questions and decisions
    (FIELDS, "", "error", "lint_question_without_fields", 16),
    ("fact: what", "fact: waht", "error", "lint_unknown_fact", 22),
    ("{id: what, fact", "{id: what, type: choice, fact", "error", "lint_choice_without_options", 22),
    ("      - {id: wait, label: {zh-CN: 等待, en: Wait}}\n", "", "error", "lint_decision_without_options", 23),
    ("after: [check]", "after: [check]\n    quorum: 2", "warning", "lint_quorum_without_voters", 29),
    # conditions
    ("decision.decide = pay", "facts.nobody = yes", "error", "lint_unknown_fact", 38),
    ("decision.decide = pay", "facts.why = x", "warning", "lint_fact_never_asked", 38),
    ("decision.decide = pay", "decision.other = pay", "error", "lint_unknown_decision", 38),
    ("decision.decide = pay", "decision.decide = paid", "error", "lint_impossible_value", 38),
    ("decision.decide = pay", "answers.check.who = x", "error", "lint_unknown_answer", 38),
    ("decision.decide = pay", "negative_shre < 20%", "error", "lint_unknown_name", 38),
    ("decision.decide = pay", "negative_share < low", "error", "lint_needs_number", 38),
    ("decision.decide = pay", "grade >= purple", "error", "lint_impossible_value", 38),
    ("decision.decide = pay", "type = outtage", "warning", "lint_impossible_value", 38),
    ("decision.decide = pay", "grade = blue", "error", "lint_never_true", 38),
    ("decision.decide = pay", "hours > 5 and hours < 4", "error", "lint_never_true", 38),
    ("decision.decide = pay", "decision.decide = pay and decision.decide = wait", "error", "lint_never_true", 38),
    ("due: 15m", "due: 15m\n    when: decision.decide = pay", "error", "lint_waits_for_itself", 21),
    ("close_when: hours >= 24", "close_when: hour >= 24", "error", "lint_unknown_name", 51),
    # texts
    ("en: Outage}", "en: ''}", "error", "lint_language_missing", 3),
    (", en: Outage}", "}", "error", "lint_language_missing", 3),
    ("template: first", "template: frist", "error", "lint_unknown_template", 40),
    ("template: first", "template: frist", "note", "lint_template_unused", 43),
    ('en: "{what}"', 'en: "{waht}"', "error", "lint_unknown_field", 46),
    ('en: "{what}"', 'en: "{What happened}"', "error", "lint_unknown_field", 46),
    ('en: "{what}"', 'en: "something"', "warning", "lint_languages_differ", 46),
    ('zh-CN: "{what}", en: "{what}"', "zh-CN: 抱歉, en: Sorry", "warning", "lint_template_without_fields", 46),
    ('"{what}", en: "{what}"', '"{why}", en: "{why}"', "warning", "lint_fact_never_asked", 46),
    ("audience: public\n    template", "audience: staff\n    template", "warning", "lint_audience_differs", 39),
    ("from_grade: yellow", "from_grade: red", "warning", "lint_not_released", 40),
    ("facts: [what]}]", "facts: [who]}]", "warning", "lint_not_released", 40),
    # the whole
    ("2027-01-31", "2026-11-21", "note", "lint_review_passed", 11),
    ("support: {role", "related: [nowhere]\nsupport: {role", "note", "lint_unknown_related", 52),
    ("strategies: [apology]", "strategies: [apology], avoid: [apology]", "error", "lint_strategy_both", 8),
    ("accidental, strategies: [apology]", "preventable, strategies: [denial]", "warning", "lint_strategy_denies", 8),
    ("facts: [what]", "facts: [secret]", "error", "lint_unknown_fact", 49),
    ("id: outage", "id: outages", "warning", "lint_file_name", 1),
    ("owner: pr_head", "auto_start: blue\nowner: pr_head", "warning", "lint_auto_start_early", 10),
    ("industries: [general]", "industries: [cloud]", "note", "lint_folder", 6),
]  # fmt: skip


def test_the_sound_playbook_has_no_findings() -> None:
    assert findings_of(SOUND) == []


@pytest.mark.parametrize(
    ("old", "new", "severity", "key", "line"), CASES, ids=[f"{case[3]}-{case[4]}" for case in CASES]
)
def test_a_mistake_is_found_on_its_line(old: str, new: str, severity: str, key: str, line: int) -> None:
    found = [(item.severity, item.text.key, item.line) for item in findings_of(bent(old, new))]
    assert (severity, f"playbook.{key}", line) in found


@pytest.mark.parametrize(("old", "new"), [case[:2] for case in CASES])
def test_every_finding_is_a_whole_sentence_in_both_languages(old: str, new: str) -> None:
    for finding in findings_of(bent(old, new)):
        for language in LANGUAGES:
            template = catalogue(language)[finding.text.key]
            assert placeholders(template) <= set(finding.text.params), finding.text.key
            assert render(finding.text, language).strip()


def test_every_text_of_the_linter_can_be_met() -> None:
    """A sentence for a finding that no case produces is dead, or its case is missing."""
    met = {item.text.key for case in CASES for item in findings_of(bent(case[0], case[1]))}
    elsewhere = {
        "lint_counts", "lint_clean", "lint_unknown_playbook", "lint_starts_itself", "lint_options_differ",
        "lint_role_unused", "lint_field_unused", "lint_no_section", "lint_grade_says_nothing", "lint_kind_needs_words",
        "lint_template_no_moment", "lint_template_unknown_kind", "lint_template_avoided", "lint_template_closed",
    }  # fmt: skip
    keys = {key for key in catalogue("en") if key.startswith("playbook.lint_")}
    assert keys - met <= {f"playbook.{key}" for key in elsewhere}


ONE = "{id: a, label: {zh-CN: 甲, en: A}}"


def _line(begins: str) -> str:
    return next(line for line in SOUND.splitlines(keepends=True) if line.startswith(begins))


EXTRA = [
    (_line("match:"), "", "crisis_types: [outage]", "crisis_types: [flood]", "lint_kind_needs_words"),
    (_line("support:"), "", "", "", "lint_no_section"),
    ("role: engineer", "role: lead", "", "", "lint_role_unused"),
    ("due: 15m", "due: 15m\n    from_grade: yellow", "", "", "lint_grade_says_nothing"),
    ("    body:", "    fields: {extra: {zh-CN: 甲, en: A}}\n    body:", "", "", "lint_field_unused"),
    (
        "fact: what,", f"fact: cause, type: choice, options: [{ONE}, {ONE.replace('id: a', 'id: b')}],",
        "steps:\n", f"facts: [{{id: cause, of: why, label: {{zh-CN: 因, en: Why}}, options: [{ONE}]}}]\nsteps:\n",
        "lint_options_differ",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new", "old_too", "new_too", "key"), EXTRA, ids=[case[4] for case in EXTRA])
def test_a_mistake_of_two_places_is_found(old: str, new: str, old_too: str, new_too: str, key: str) -> None:
    found = findings_of(bent(old, new).replace(old_too, new_too, 1))
    assert f"playbook.{key}" in {item.text.key for item in found}, found


def _with_sub(name: str, sub: str) -> str:
    step = (
        f"  - {{id: sub, kind: sub_playbook, title: {{zh-CN: 子, en: Sub}}, role: lead, playbook: {sub}}}\ntemplates:\n"
    )
    return SOUND.replace("id: outage", f"id: {name}").replace("templates:\n", step)


def _lint_together(sources: dict[str, str]) -> list[Finding]:
    library = Library()
    for name, source in sources.items():
        entry, findings = parse_playbook(source, f"general/{name}.yaml")
        assert entry is not None, findings
        library.entries[name] = entry
    return [item for entry in library.entries.values() for item in lint_entry(entry, library, TODAY)]


def test_playbooks_that_would_start_each_other_without_end_are_named() -> None:
    found = _lint_together({"one": _with_sub("one", "two"), "two": _with_sub("two", "one")})
    assert [item.text.key for item in found] == ["playbook.lint_starts_itself"] * 2


def test_a_sub_playbook_that_is_not_there_is_named_with_what_is_near() -> None:
    (found,) = _lint_together({"one": _with_sub("one", "onn")})
    assert found.text == Text("playbook.lint_unknown_playbook", {"name": "onn", "near": "one"})


def test_a_loop_is_told_step_by_step() -> None:
    loops = [item.text.params["loop"] for item in findings_of(bent(*LOOP)) if item.text.key == "playbook.lint_loop"]
    assert "check → tell → decide → check" in loops


def test_a_deadline_counts_the_waiting_before_it() -> None:
    waiting = "  - {id: pause, kind: wait_time, title: {zh-CN: 等, en: Wait}, wait: 2h, after: [check]}\n  - id: tell\n"
    source = SOUND.replace("  - id: tell\n", waiting).replace("after: [decide]", "after: [decide, pause]")
    (found,) = findings_of(source)
    assert found.text.key == "playbook.lint_due_before"
    assert found.text.params["other_due"] == "135m"
