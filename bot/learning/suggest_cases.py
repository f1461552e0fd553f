"""Suggestions from what incidents came to: plans that people overrule, words that nothing knew, kinds of crisis that no
plan covers. Pure; only real incidents speak here."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence

from bot.learning.case import Case
from bot.learning.experience import HandNote
from bot.learning.suggest_steps import clusters, rounded_up
from bot.learning.suggestion import (
    LEAST_RUNS,
    LEAST_SHARE,
    AddWords,
    NewPlan,
    NewStep,
    RuleWords,
    SetValues,
    Suggestion,
    at_least,
)
from bot.learning.terms import terms
from bot.model.grade import Grade
from bot.response.schema import Playbook
from bot.response.similarity import folded
from bot.response.values import show_duration

LEAST_OVERRULED = 3
LEAST_INCIDENTS, LEAST_PEOPLE = 2, 5
LEAST_NEW = 3
MOST_WORDS = 6
SHARED = 3  # words in common that make two incidents one kind
SHARED_PART = 0.3
COMMON = 200  # a word of so many incidents tells none of them apart
NEXT_GRADE = {Grade.BLUE: Grade.YELLOW, Grade.YELLOW: Grade.ORANGE, Grade.ORANGE: Grade.RED}


def case_suggestions(
    cases: Sequence[Case], playbooks: Mapping[str, Playbook], notes: Mapping[str, Sequence[HandNote]],
    rules: Mapping[str, Sequence[str]],
) -> list[Suggestion]:  # fmt: skip
    """``notes`` are what people wrote down, by incident; ``rules`` the words of each subject's keyword rule."""
    ours = [case for case in cases if case.kind == "own"]
    return [
        *_overruled(ours, playbooks),
        *_never_chosen(ours, playbooks),
        *_new_words(ours, playbooks),
        *_rule_words(ours, rules),
        *_new_kinds(ours, playbooks, notes),
    ]


def _overruled(cases: Sequence[Case], playbooks: Mapping[str, Playbook]) -> list[Suggestion]:
    """People took another plan than the recommended one: its words should have found it."""
    groups: dict[tuple[str, str], list[Case]] = defaultdict(list)
    for case in cases:
        used = [plan.playbook for plan in case.plans]
        if case.recommended and used and case.recommended not in used and used[0] in playbooks:
            groups[case.recommended, used[0]].append(case)
    found = []
    for (recommended, chosen), group in groups.items():
        whole = sum(case.recommended == recommended and bool(case.plans) for case in cases)
        words = _fresh(_common(group, LEAST_OVERRULED), playbooks[chosen])
        if len(group) < LEAST_OVERRULED or at_least(len(group), whole) < LEAST_SHARE / 2 or not words:
            continue
        params = {"recommended": recommended, "n": len(group), "of": whole, "words": list(words),
                  "bound": f"{at_least(len(group), whole):.0%}"}  # fmt: skip
        found.append(_of_cases("overruled", chosen, recommended, "proposal.overruled", params, group,
                               AddWords(words=words)))  # fmt: skip
    return found


def _never_chosen(cases: Sequence[Case], playbooks: Mapping[str, Playbook]) -> list[Suggestion]:
    """Recommended again and again, started by nobody: it asks too early."""
    found = []
    for name, playbook in playbooks.items():
        shown = [case for case in cases if case.recommended == name]
        ignored = [case for case in shown if not case.plans]
        bound = at_least(len(ignored), len(shown))
        higher = NEXT_GRADE.get(playbook.grades.start)
        if len(shown) < LEAST_RUNS or bound < LEAST_SHARE or higher is None:
            continue
        if any(case.grade >= higher for case in ignored):
            continue  # they passed it over where it was meant: the grade is not the reason
        params = {"n": len(ignored), "of": len(shown), "bound": f"{bound:.0%}", "grade": higher.word,
                  "now_grade": playbook.grades.start.word}  # fmt: skip
        found.append(_of_cases("unused", name, higher.word, "proposal.unused", params, ignored,
                               SetValues(values=(("", "grades.from", higher.word),))))  # fmt: skip
    return found


def _new_words(cases: Sequence[Case], playbooks: Mapping[str, Playbook]) -> list[Suggestion]:
    """Words that rose in posts whose kind nobody recognised: for the plan that people took then."""
    groups: dict[str, list[Case]] = defaultdict(list)
    for case in cases:
        if case.unknown and case.plans and case.plans[0].playbook in playbooks:
            groups[case.plans[0].playbook].append(case)
    found = []
    for name, group in groups.items():
        words = _fresh(_risen(group, "unknown"), playbooks[name])
        if not words:
            continue
        speaking = [case for case in group if set(words) & case.unknown.keys()]
        params = {"words": list(words), "n": len(speaking), "people": _people(speaking, words, "unknown")}
        found.append(_of_cases("words", name, "", "proposal.words", params, speaking, AddWords(words=words)))
    return found


def _rule_words(cases: Sequence[Case], rules: Mapping[str, Sequence[str]]) -> list[Suggestion]:
    """Words of posts that no keyword rule let in, though they speak of the same incident."""
    groups: dict[str, list[Case]] = defaultdict(list)
    for case in cases:
        if case.strays and case.subject in rules:
            groups[case.subject].append(case)
    found = []
    for subject, group in groups.items():
        known = " ".join(rules[subject]).lower()
        words = tuple(word for word in _risen(group, "strays") if word not in known)[:MOST_WORDS]
        if not words:
            continue
        speaking = [case for case in group if set(words) & case.strays.keys()]
        params = {"subject": subject, "words": list(words), "n": len(speaking),
                  "people": _people(speaking, words, "strays")}  # fmt: skip
        found.append(_of_cases("rule", "", subject, "proposal.rule", params, speaking,
                               RuleWords(subject=subject, words=words)))  # fmt: skip
    return found


def _new_kinds(
    cases: Sequence[Case], playbooks: Mapping[str, Playbook], notes: Mapping[str, Sequence[HandNote]]
) -> list[Suggestion]:
    """Incidents that went without a plan and resemble each other: a plan of their own, with what people did by hand."""
    alone = [case for case in cases if not case.plans and len(case.words) >= SHARED]
    found = []
    for group in _grouped(alone):
        if len(group) < LEAST_NEW:
            continue
        words = _common(group, max(2, (len(group) + 1) // 2))[: 2 * MOST_WORDS]
        kind = Counter(case.crisis_types[0] for case in group).most_common(1)[0][0]
        covered = [plan for plan in playbooks.values() if kind in plan.crisis_types and kind != "other"]
        hit = [plan.id for plan in covered if set(words[:MOST_WORDS]) & {folded(word) for word in plan.match.words}]
        if hit:
            continue  # a plan for it exists; that it was not taken is another suggestion
        steps = _steps_by_hand(group, notes)
        newest = max(group, key=lambda case: case.opened_at)
        name = f"new-{newest.id.lower()}"
        change = NewPlan(
            id=name, title=newest.title, crisis_type=kind, industry=newest.industries[0],
            grade=min(case.grade for case in group).word, words=tuple(words), steps=tuple(steps),
        )  # fmt: skip
        params = {"n": len(group), "words": list(words[:MOST_WORDS]), "steps": len(steps), "kind": kind, "id": name}
        key = f"{kind}:{'|'.join(sorted(words[:3]))}"
        found.append(_of_cases("kind", "", key, "proposal.kind", params, group, change))
    return found


def _steps_by_hand(group: Sequence[Case], notes: Mapping[str, Sequence[HandNote]]) -> list[NewStep]:
    """What people did in two of the incidents at least, in the order in which they did it."""
    told = [(case.incident, note) for case in group for note in notes.get(case.incident, ())]
    found = []
    for cluster in clusters(told):
        if len({incident for incident, _ in cluster}) >= 2:
            after = sorted(note.after for _, note in cluster)[len(cluster) // 2]
            text = min((note.text.strip() for _, note in cluster), key=len)
            found.append((after, NewStep(title=text, due=show_duration(rounded_up(after)))))
    return [step for _, step in sorted(found, key=lambda item: item[0])][:12]


def _grouped(cases: Sequence[Case]) -> list[list[Case]]:
    """Incidents of one kind, by the words they share; each joins the group of the first it resembles."""
    groups: list[list[Case]] = []
    home_of: list[int] = []  # of each case placed so far, in order
    placed: list[Case] = []
    holding: dict[str, list[int]] = defaultdict(list)
    for case in sorted(cases, key=lambda item: item.opened_at):
        own = set(case.words)
        together = Counter(other for word in own if len(holding[word]) <= COMMON for other in holding[word])
        near = (other for other, count in together.most_common() if count >= SHARED)
        alike = next((other for other in near if _one_kind(own, set(placed[other].words))), None)
        if alike is None:
            groups.append([])
        home_of.append(len(groups) - 1 if alike is None else home_of[alike])
        groups[home_of[-1]].append(case)
        for word in own:
            holding[word].append(len(placed))
        placed.append(case)
    return groups


def _one_kind(first: set[str], second: set[str]) -> bool:
    together = len(first & second)
    return together >= SHARED and together >= SHARED_PART * min(len(first), len(second))


def _common(group: Sequence[Case], least: int) -> list[str]:
    counted = Counter(word for case in group for word in case.words)
    return [word for word, count in counted.most_common() if count >= least]


def _risen(group: Sequence[Case], name: str) -> list[str]:
    """Words of at least two incidents, or of many people in one."""
    people: Counter[str] = Counter()
    incidents: Counter[str] = Counter()
    for case in group:
        counts: Mapping[str, int] = getattr(case, name)
        people.update(counts)
        incidents.update(counts.keys())
    least = [word for word in people if people[word] >= LEAST_PEOPLE]
    strong = [word for word in least if incidents[word] >= LEAST_INCIDENTS or people[word] >= 2 * LEAST_PEOPLE]
    return sorted(strong, key=lambda word: (-people[word], word))


def _fresh(words: Sequence[str], playbook: Playbook) -> tuple[str, ...]:
    """Those that the playbook does not list yet, in any inflection or as a part of a longer one."""
    listed = [folded(word) for word in playbook.match.words]
    known = set().union(*(terms(word) for word in listed)) | set(listed) if listed else set()
    against = {folded(word) for word in playbook.match.not_words}
    return tuple(word for word in words if word not in known | against and len(word) > 1)[:MOST_WORDS]


def _people(cases: Sequence[Case], words: Sequence[str], name: str) -> int:
    return max((sum(getattr(case, name).get(word, 0) for case in cases) for word in words), default=0)


def _of_cases(
    kind: str, playbook: str, what: str, said: str, params: dict[str, object], group: Sequence[Case],
    change: AddWords | SetValues | RuleWords | NewPlan,
) -> Suggestion:  # fmt: skip
    return Suggestion(
        key=f"{kind}:{playbook}:{what}", kind=kind, playbook=playbook, said=said, params=params,
        evidence=tuple(case.incident for case in group), weight=len(group), change=change,
    )  # fmt: skip
