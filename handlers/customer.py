"""Commands on notices to affected customers: prepare and count, send, stop, see how far it has come."""

from bot.model.card import Button, Card, Items, Paragraph
from bot.model.text import Text, UserError
from bot.response.customers import sendable
from bot.store import notices as store
from bot.store.notices import Notice
from bot.texts import render
from handlers.linkage import linked, number_of
from handlers.registry import Reply, Request, registry

SENDERS = ("pr", "pr_head", "customer_service", "executive")
SHOWN_FAILURES = 15


@registry.command("notice", "客户通知", "通知客户", roles=SENDERS, group="response")
def notice(request: Request) -> Reply:
    """``notice I-12 segment | subject | text``: counted first, never sent by this."""
    incident = request.incident()
    segment, _, rest = request.rest.replace("｜", "|").partition("|")
    title, _, text = rest.partition("|")
    made = linked(request).customers.prepare(
        request.db, incident, request.field("segment", segment.strip()), request.field("title", title.strip()),
        request.field("text", text.strip()), request.actor, request.now,
    )  # fmt: skip
    params = {"number": made.id, "segment": made.segment}
    return Reply(Text("customer.simulated" if made.drill else "customer.preparing", params))


@registry.command("notice-send", "发送通知", "继续通知", roles=SENDERS, group="response")
def notice_send(request: Request) -> Reply:
    made = linked(request).customers.send(request.db, number_of(request, "3"), request.actor, request.now)
    return Reply(Text("customer.sending", {"number": made.id, "count": sendable(made.counts)}), private=False)


@registry.command("notice-stop", "停止通知", roles=SENDERS, group="response")
def notice_stop(request: Request) -> Reply:
    made, progress = linked(request).customers.stop(request.db, number_of(request, "3"), request.actor, request.now)
    params = {"number": made.id, "sent": progress.get("sent", 0), "waiting": progress.get("waiting", 0)}
    return Reply(Text("customer.stopped", params), private=False)


@registry.command("notices", "通知记录", "通知进度", roles=SENDERS, group="response")
def notices(request: Request) -> Reply:
    """How far the notices have come; with a number also whom one did not reach, without names or addresses."""
    service = linked(request).customers
    if request.rest.strip():
        return Reply(card=_card(request, service.known(request.db, number_of(request, "3"))))
    found = store.recent(request.db, request.incident_id)
    if not found:
        segments = list(request.services.config.linkage.customers.segments) or ["—"]
        raise UserError("customer.none", segments=segments)
    title = render(Text("customer.title"), request.language)
    lines = tuple(render(_status(request, item), request.language) for item in found)
    return Reply(card=Card(title, sections=(Items("", lines),)))


def _card(request: Request, found: Notice) -> Card:
    def say(key: str, **params: object) -> str:
        return render(Text(key, params), request.language)

    failures = [
        say("customer.person", number=number, channel=channel, state=Text(f"person_state.{state}"), error=error[:120])
        for number, channel, state, error in store.people(request.db, found.id)
        if state == "failed"
    ]
    sections = [Paragraph(render(_status(request, found), request.language)), Paragraph(found.text)]
    count = sendable(found.counts)
    buttons = []
    if found.state in ("counted", "stopped") and count:
        sure = say("customer.send_sure", count=count)
        label = say("customer.send", count=count)
        buttons.append(Button(label, f"notice-send {found.id}", "primary", sure))
    if found.state == "sending":
        buttons.append(Button(say("customer.stop"), f"notice-stop {found.id}", "danger"))
    lists = (Items(say("customer.people"), tuple(failures[:SHOWN_FAILURES])),) if failures else ()
    return Card(found.title, sections=(*sections, *lists), buttons=tuple(buttons))


def _status(request: Request, found: Notice) -> Text:
    became = {name: 0 for name in ("sent", "queued", "waiting", "failed", "excluded")}
    became |= {name.removeprefix("was_"): count for name, count in found.counts.items() if name.startswith("was_")}
    became |= store.progress(request.db, found.id)
    state = Text(f"notice_state.{found.state}")
    return Text("customer.status", {"number": found.id, "segment": found.segment, "state": state, **became})
