"""Looking back from chat: the retrospective, the questions to the team, and figures of what it came to outside."""

import re
from collections.abc import Sequence

from bot.learning.retro_cards import name_of, retro_card
from bot.learning.retro_picture import RETRO
from bot.learning.retrospectives import IMPACTS, Retrospectives
from bot.learning.survey import MARKS, QUESTIONS
from bot.model.card import Form, FormField
from bot.model.message import Attachment
from bot.model.text import Text, UserError
from bot.texts import render
from handlers.registry import Reply, Request, narrow, registry

ANSWER = ("answer", "回答", "答卷", "作答")
ANONYMOUS = re.compile(r"(?:^|\s)(?:anonymous(?:ly)?|匿名)(?=\s|$|[:：,，])[\s:：,，]*", re.IGNORECASE)
_NUMBERED = re.compile(r"(?:^|\n|[|｜;；])\s*([1-5])\s*[.、:：)）\s]\s*(?=\S)")
_PARTS = re.compile(r"[|｜\n]")
_VALUE = re.compile(r"[-+−]?\d[\d,.]*\s*(?:%|％|pp|个百分点|百分点|万|亿|分|[A-Za-z元]{0,6})?(?=\s|$|[,，;；])")
_SOURCE = re.compile(r"(?:\bsource|来源|出处)[\s:：=]*(.+)$", re.IGNORECASE | re.DOTALL)
_BEFORE = re.compile(r"(?:\bbefore|之前|此前|危机前)[\s:：=]*([-+−]?\d\S*)", re.IGNORECASE)
_AFTER = re.compile(r"(?:\bafter|之后|此后|危机后)[\s:：=]*([-+−]?\d\S*)", re.IGNORECASE)
KIND_WORDS = {
    "reputation": ("reputation", "trust", "survey", "声誉", "口碑", "信任", "调查", "满意度"),
    "share": ("share", "stock", "股价", "市值", "股票"),
    "churn": ("churn", "customers lost", "流失", "退订", "销户", "卸载"),
    "finance": ("revenue", "sales", "cost", "finance", "refund", "营收", "收入", "销售", "成本", "赔付", "退款"),
    "media": ("media", "exposure", "articles", "曝光", "媒体", "报道"),
}


@registry.command("retro", "复盘", "retrospective", "post-mortem", "postmortem", group="incident")
def retro(request: Request) -> Reply | Sequence[Reply]:
    """``retro I-12``; ``retro answer I-12 what went well | what held us up | 4 | what was missing | threshold``."""
    rest = request.rest.strip()
    verb = next((word for word in ANSWER if narrow(rest).lower().startswith(word)), "")
    if verb:
        return _answer(request, rest[len(verb) :].strip())
    incident, config = request.incident(), request.services.config
    found = _service(request).look(request.db, incident, request.now)
    card = retro_card(found, request.language, config.chat.console.public_url, name_of(config))
    picture = Attachment(RETRO, {"incident": incident.id})
    return [Reply(card=card), Reply(attachment=picture)] if found.moments.heard else Reply(card=card)


@registry.command("retro-answer", "答复盘", "复盘问卷", group="incident")
def retro_answer(request: Request) -> Reply:
    """``retro-answer I-12 …``: what the button of the survey says."""
    return _answer(request, request.rest.strip())


def _answer(request: Request, rest: str) -> Reply:
    anonymous = bool(ANONYMOUS.search(rest)) or request.fields.get("named") == "no"
    given = {name: request.fields.get(name, "") for name in QUESTIONS}
    if not any(given.values()):
        given = answers_in(ANONYMOUS.sub(" ", rest, count=1).strip())
    said = _service(request).survey.answer(
        request.db, request.incident(), given, request.actor, request.now, anonymous=anonymous
    )
    key = "done.retro_answer_anonymous" if anonymous else "done.retro_answer"
    return Reply(Text(key, {"n": len(said)}), private=True)


def answers_in(line: str) -> dict[str, str]:
    """``1 … 3 4`` by number, else the parts between bars in the order of the questions."""
    found = list(_NUMBERED.finditer(line))
    if found and not line[: found[0].start()].strip():
        ends = [match.start() for match in found[1:]] + [len(line)]
        return {
            QUESTIONS[int(match[1]) - 1]: line[match.end() : end].strip()
            for match, end in zip(found, ends, strict=True)
        }  # fmt: skip
    return dict(zip(QUESTIONS, (part.strip() for part in _PARTS.split(line)), strict=False))


@registry.form("retro-answer")
def answer_form(command: str, language: str) -> Form:
    def say(key: str) -> str:
        return render(Text(key), language)

    marks = tuple((mark, mark) for mark in MARKS)
    threshold = tuple((say(f"retro.threshold_{name}"),) * 2 for name in ("keep", "earlier", "later"))
    named = (("yes", say("retro.named_yes")), ("no", say("retro.named_no")))
    fields = (
        FormField("well", say("retro.question_well"), "multiline", required=False),
        FormField("held", say("retro.question_held"), "multiline", required=False),
        FormField("usable", say("retro.question_usable"), "choice", required=False, options=marks),
        FormField("missing", say("retro.question_missing"), "multiline", required=False),
        FormField("threshold", say("retro.question_threshold"), "choice", required=False, options=threshold),
        FormField("named", say("retro.question_named"), "choice", options=named, initial="yes"),
    )
    return Form("retro-answer", say("form.retro-answer.title"), command, fields, say("form.submit"), say("form.cancel"))


@registry.command("impact", "影响评估", "影响", "损失", group="incident")
def impact(request: Request) -> Reply:
    """``impact I-12 share price -3.2 % before 10.1 after 9.8 source Wind``."""
    incident = request.incident()
    line, source = request.rest.strip(), ""
    if match := _SOURCE.search(line):
        line, source = line[: match.start()], match[1]
    before, after = _BEFORE.search(line), _AFTER.search(line)
    line = _AFTER.sub(" ", _BEFORE.sub(" ", line)).strip(" ,，;；")
    value = list(_VALUE.finditer(line))[-1:]
    measure = line[: value[0].start()] if value else line
    measure = request.field("measure", measure.strip(" :：,，"))
    kind = request.field("kind") or next(
        (name for name, known in KIND_WORDS.items() if any(word in measure.lower() for word in known)), "other"
    )
    kept = _service(request).impact(
        request.db, incident, kind, measure, request.field("value", value[0][0] if value else ""),
        request.field("source", source), request.actor, request.now,
        before=request.field("before", before[1] if before else ""),
        after=request.field("after", after[1] if after else ""),
    )  # fmt: skip
    params = {"id": incident.id, "measure": kept.measure, "value": kept.value or kept.after, "source": kept.source}
    return Reply(Text("done.impact", params))


@registry.form("impact")
def impact_form(command: str, language: str) -> Form:
    def say(key: str) -> str:
        return render(Text(key), language)

    kinds = tuple((name, say(f"retro.impact_{name}")) for name in IMPACTS)
    fields = (
        FormField("kind", say("form.impact.kind"), "choice", options=kinds, initial="reputation"),
        FormField("measure", say("form.impact.measure")),
        FormField("value", say("form.impact.value")),
        FormField("before", say("form.impact.before"), required=False),
        FormField("after", say("form.impact.after"), required=False),
        FormField("source", say("form.impact.source")),
    )
    return Form("impact", say("form.impact.title"), command, fields, say("form.submit"), say("form.cancel"))


def _service(request: Request) -> Retrospectives:
    if request.services.learning is None:
        raise UserError("error.retro_off")
    return request.services.learning.retrospectives
