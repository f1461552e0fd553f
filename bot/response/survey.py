"""What came out of a survey: counted where answers can be counted, else in the words they were given."""

from collections import Counter
from collections.abc import Mapping, Sequence

import orjson

from bot.model.text import Text
from bot.response.run_state import StepState
from bot.response.steps import QuestionField, Survey
from bot.texts import render

WORDS_SHOWN = 10
CHARACTERS = 200


def pack(answers: Mapping[str, str]) -> str:
    """One person's answers by field, as they are kept under the person."""
    return orjson.dumps(dict(answers)).decode()


def results(step: Survey, state: StepState, language: str) -> list[str]:
    """One line a field that somebody answered. Nobody is named: who answers a survey of staff should say what is so."""
    given: list[dict[str, str]] = [orjson.loads(packed) for packed in state.answers.values()]
    lines = []
    for field in step.fields:
        values = [answers[field.id].strip() for answers in given if answers.get(field.id, "").strip()]
        if values:
            params = {"label": field.label.in_language(language), "n": len(values)}
            lines.append(
                render(Text("run.survey_line", {**params, "result": _result(field, values, language)}), language)
            )
    return lines


def _result(field: QuestionField, values: Sequence[str], language: str) -> str:
    numbers = _numbers(values) if field.type == "number" else []
    if numbers:
        shown = {
            "mean": f"{sum(numbers) / len(numbers):.3g}",
            "least": f"{min(numbers):g}",
            "most": f"{max(numbers):g}",
        }
        return render(Text("run.survey_number", shown), language)
    if field.type in ("yes_no", "choice"):
        labels = {name: render(Text(f"run.survey_{name}"), language) for name in ("yes", "no")}
        labels |= {option.id: option.label.in_language(language) for option in field.options}
        return " · ".join(f"{labels.get(value, value)} {count}" for value, count in Counter(values).most_common())
    said = [value if len(value) <= CHARACTERS else value[:CHARACTERS] + "…" for value in values[:WORDS_SHOWN]]
    quoted = render(Text("plain", {"text": said}), language)
    left = len(values) - len(said)
    return quoted + (render(Text("run.survey_more", {"n": left}), language) if left else "")


def _numbers(values: Sequence[str]) -> list[float]:
    try:
        return [float(value.replace(",", "")) for value in values]
    except ValueError:
        return []
