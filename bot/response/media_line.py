"""The media line of the plans at work: who speaks, what is said, what never, and the approved answer to a question."""

from collections.abc import Sequence
from dataclasses import dataclass

from bot.response.meanings import question_words
from bot.response.parts import Answer
from bot.response.schema import Playbook
from bot.response.similarity import Similarity, folded

# Cosines of the same question in other words, and of one that touches the same thing.
SAME, NEAR = 0.22, 0.08
NEAREST = 3


@dataclass(frozen=True, slots=True)
class Found:
    """An approved answer with the plan it stands in and how alike (0–1) its question is."""

    answer: Answer
    playbook: Playbook
    alike: float


@dataclass(frozen=True, slots=True)
class Reply:
    """``best``: the approved answer to the question, None where there is none yet; ``near``: answers that touch it."""

    best: Found | None
    near: tuple[Found, ...]


def answer_to(question: str, playbooks: Sequence[Playbook], library: Sequence[Playbook]) -> Reply:
    """The approved answer of the plans at work that fits a question.

    Args:
        library: all plans; their questions say which words are common and which tell questions apart.
    """
    found = [(playbook, answer) for playbook in playbooks for answer in _answers(playbook)]
    at_work = {playbook.id for playbook in playbooks}
    others = [answer for playbook in library if playbook.id not in at_work for answer in _answers(playbook)]
    if not found or not question.strip():
        return Reply(None, ())
    asked = [text for _, answer in found for text in (answer.question.zh, answer.question.en)]
    common = [text for answer in others for text in (answer.question.zh, answer.question.en)]
    documents = [folded(text) for text in (*asked, *common)]
    alike = Similarity(documents, question_words()).to(folded(question))
    ranked = sorted(
        (Found(answer, playbook, float(max(alike[2 * place], alike[2 * place + 1])))
         for place, (playbook, answer) in enumerate(found)),
        key=lambda item: -item.alike,
    )  # fmt: skip
    best = ranked[0] if ranked[0].alike >= SAME else None
    near = tuple(item for item in ranked[:NEAREST] if item is not best and item.alike >= NEAR)
    return Reply(best, near)


def _answers(playbook: Playbook) -> tuple[Answer, ...]:
    return playbook.media_line.answers if playbook.media_line else ()
