"""Suggestions from how people rewrote a playbook's texts: the same passage, the same way, time after time. Pure."""

import difflib
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from bot.learning.suggestion import LEAST_SHARE, Rephrase, Suggestion, at_least
from bot.response.schema import Playbook

LEAST_TEXTS = 3
SHORTEST, LONGEST = 2, 120
_TOKEN = re.compile(r"[\u3400-\u9fff]|[^\W\u3400-\u9fff]+|\s+|[^\w\s]")


@dataclass(frozen=True, slots=True)
class Edited:
    """A text as it was drafted from a playbook's template, and as it was approved in the end."""

    statement: str
    playbook: str
    template: str
    language: str
    before: str
    after: str


def text_suggestions(edited: Sequence[Edited], playbooks: Mapping[str, Playbook]) -> list[Suggestion]:
    """Passages of a template that at least three texts changed alike, and most of them."""
    groups: dict[tuple[str, str, str], list[Edited]] = defaultdict(list)
    for item in edited:
        if item.playbook in playbooks and item.template in playbooks[item.playbook].templates:
            groups[item.playbook, item.template, item.language].append(item)
    found = []
    for (playbook, template, language), group in groups.items():
        body = playbooks[playbook].templates[template].body.in_language(language)
        pairs: dict[tuple[str, str], list[str]] = defaultdict(list)
        for item in group:
            changes = {standing(body, around) for around in passages(item.before, item.after)}
            for pair in filter(None, changes):
                pairs[pair].append(item.statement)
        for (old, new), statements in pairs.items():
            bound = at_least(len(statements), len(group))
            if len(statements) < LEAST_TEXTS or bound < LEAST_SHARE / 2:
                continue
            params = {"template": template, "old": old, "new": new, "n": len(statements), "of": len(group),
                      "bound": f"{bound:.0%}"}  # fmt: skip
            found.append(Suggestion(
                key=f"text:{playbook}:{template}:{language}:{old}", kind="text", playbook=playbook,
                said="proposal.text", params=params, evidence=tuple(statements), weight=len(statements),
                change=Rephrase(old=old, new=new),
            ))  # fmt: skip
    return found


def standing(body: str, passage: tuple[str, str, str, str]) -> tuple[str, str] | None:
    """The passage with as little around it as makes it stand in the template exactly once; None where it does not."""
    lead, gone, tail, come = passage
    for before, after in (("", ""), (lead[-1:], ""), ("", tail[:1]), (lead, ""), ("", tail), (lead, tail)):
        old, new = before + gone + after, before + come + after
        if SHORTEST <= len(old) <= LONGEST and len(new) <= LONGEST and body.count(old) == 1:
            return old, new
    return None


def passages(before: str, after: str) -> Iterator[tuple[str, str, str, str]]:
    """``(what stands before it, what was replaced, what stands behind it, what took its place)``, on one line."""
    old, new = _TOKEN.findall(before), _TOKEN.findall(after)
    matcher = difflib.SequenceMatcher(None, old, new, autojunk=False)
    for tag, old_from, old_to, new_from, new_to in matcher.get_opcodes():
        if tag != "equal":
            parts = (old[max(0, old_from - 2) : old_from], old[old_from:old_to], old[old_to : old_to + 2])
            lead, gone, tail = ("".join(part) for part in parts)
            come = "".join(new[new_from:new_to])
            if "\n" not in lead + gone + tail + come:
                yield lead, gone, tail, come
