"""``label``: what a person says of a post that an alert rests on. Rows for ``fengbo train``, never a silent change."""

import re

from bot.model.card import Card, Form, FormField, Items, Paragraph, Section
from bot.model.text import Text, UserError
from bot.store import labels
from bot.store.labels import Verdict
from bot.texts import render
from bot.warning.proposals import proposals
from handlers.registry import Reply, Request, registry

WORDS = {
    "not-us": Verdict.NOT_US, "not us": Verdict.NOT_US, "不是我们": Verdict.NOT_US, "与我无关": Verdict.NOT_US,
    "同名": Verdict.NOT_US, "not-negative": Verdict.NOT_NEGATIVE, "not negative": Verdict.NOT_NEGATIVE,
    "不是负面": Verdict.NOT_NEGATIVE, "非负面": Verdict.NOT_NEGATIVE, "negative": Verdict.NEGATIVE,
    "是负面": Verdict.NEGATIVE, "负面": Verdict.NEGATIVE, "advertising": Verdict.ADVERTISING,
    "ad": Verdict.ADVERTISING, "广告": Verdict.ADVERTISING, "抽奖": Verdict.ADVERTISING,
}  # fmt: skip
SHOWN = (Verdict.NOT_US, Verdict.NOT_NEGATIVE, Verdict.NEGATIVE, Verdict.ADVERTISING)
_POST = re.compile(r"^#?(\d{1,12})\s*")


@registry.command("label", "标注", "判读", group="watch")
def label(request: Request) -> Reply:
    """``label 1234 not-us``: the number stands at each post of ``why``."""
    match = _POST.match(request.field("post", request.rest))
    after = request.rest[match.end() :] if match and not request.fields else ""
    verdict = WORDS.get(request.field("verdict", after).lower())
    if match is None or verdict is None:
        raise UserError("error.label_what", example=Text("help.label.example"))
    post = int(match[1])
    subjects = labels.subjects_of_post(request.db, post)
    if request.incident_id:
        subject = request.incident().subject
        subjects = [pair for pair in subjects if pair[0] == subject]
    if not subjects:
        raise UserError("error.label_no_post", post=post)
    for subject, drill in subjects:
        labels.record(
            request.db, post=post, subject=subject, person=request.actor.person, verdict=verdict,
            incident=request.incident_id, drill=drill, now=request.now,
        )  # fmt: skip
    return Reply(Text("label.done", {"post": post, "verdict": Text(f"label.verdict.{verdict.value}")}))


@registry.command("labels", "标注汇总", "判读汇总", group="watch")
def summary(request: Request) -> Reply:
    """How many verdicts there are, what they suggest, and how they are used."""
    found = labels.labels(request.db)
    counts = tuple(
        _say(request, "label.count", verdict=Text(f"label.verdict.{verdict.value}"), n=count)
        for verdict in Verdict
        if (count := sum(item.verdict is verdict for item in found))
    )
    names = {item.id: item.name for item in request.services.watch.subjects()}
    suggested = proposals((names.get(item.subject, item.subject), item.verdict.value, item.incident) for item in found)
    sections: list[Section] = [Items(_say(request, "label.counts"), counts or (_say(request, "label.none"),))]
    if suggested:
        lines = tuple(render(text, request.language) for text in suggested)
        sections.append(Items(_say(request, "label.proposals"), lines))
    sections.append(Paragraph(_say(request, "label.use")))
    return Reply(card=Card(_say(request, "label.title"), sections=tuple(sections)))


@registry.form("label")
def label_form(command: str, language: str) -> Form:
    verdicts = tuple((item.value, render(Text(f"label.verdict.{item.value}"), language)) for item in SHOWN)

    def say(key: str) -> str:
        return render(Text(key), language)

    fields = (
        FormField("post", say("form.label.post"), placeholder=say("form.label.post_hint")),
        FormField("verdict", say("form.label.verdict"), "choice", options=verdicts, initial="not-us"),
    )
    return Form("label", say("form.label.title"), command, fields, say("form.submit"), say("form.cancel"))


def _say(request: Request, key: str, **params: object) -> str:
    return render(Text(key, params), request.language)
