"""What Slack delivers, read into events: one key per thing a member did, so that a second delivery is the same row.

Slack delivers events again when an answer is late; commands, clicks and submissions come once, each with a trigger of
its own, so that two clicks in one second stay two.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bot.chat.slack.safe import clean, said
from bot.chat.slack.views import FormContext, read_fields
from bot.clock import SECOND
from bot.model.message import Event

Body = Mapping[str, Any]
ADD_POST = "add_post"
REPORT_POST = "report_post"
# A post dragged in by shortcut: as long as a stored post may be.
SHARED = 20_000


@dataclass(frozen=True, slots=True)
class Arrival:
    """An event and its key in the inbox."""

    key: str
    event: Event


def destination(channel: str, account: str) -> str:
    """Where an answer goes: the channel, on a lane of this member's own, so that it never waits behind alerts."""
    return f"slack:{channel}#reply-{account}"


def command(body: Body) -> Arrival:
    """``/crisis …``: answered privately through the response URL."""
    channel, account = str(body.get("channel_id", "")), str(body.get("user_id", ""))
    event = Event(
        chat="slack",
        account=account,
        account_name=str(body.get("user_name", "")),
        destination=destination(channel, account),
        line=said(str(body.get("text", ""))) or "help",
        private=True,
        reply=_reply(channel=channel, response_url=body.get("response_url")),
    )
    return Arrival(f"command:{body.get('trigger_id') or _digestible(body)}", event)


def message(body: Body) -> Arrival | None:
    """An ``app_mention`` or a direct message; ``None`` for what is not a person's words to us: bots (ourselves among
    them), edits, joins, and the mentions in direct messages that arrive as messages anyway."""
    event = body["event"]
    kind, subtype = event.get("type"), event.get("subtype")
    account, channel = str(event.get("user", "")), str(event.get("channel", ""))
    bot_user = _bot_user(body)
    direct = event.get("channel_type") == "im" or channel.startswith("D")
    if event.get("bot_id") or event.get("bot_profile") or not account or account == bot_user:
        return None
    if subtype not in (None, "file_share", "thread_broadcast") or direct != (kind == "message"):
        return None
    ts, thread = str(event.get("ts", "")), str(event.get("thread_ts") or "")
    # In a channel the answer opens a thread; in direct messages it stands below, as people expect of a conversation.
    under = "" if direct else ts
    arrived = Event(
        chat="slack",
        account=account,
        destination=destination(channel, account),
        line=said(str(event.get("text", "")), bot_user) or "help",
        anchor=f"{channel}/{thread or ts}",
        reply=_reply(channel=channel, thread_ts=thread, under=under),
        happened_at=_moment(ts),
    )
    return Arrival(f"event:{body.get('event_id') or f'{channel}/{ts}'}", arrived)


def home(body: Body) -> Arrival | None:
    """Somebody opened the home tab (its messages tab says nothing new)."""
    event = body["event"]
    account = str(event.get("user", ""))
    if not account or event.get("tab", "home") != "home":
        return None
    arrived = Event(
        chat="slack",
        account=account,
        destination=destination(account, account),
        line="home",
        private=True,
        reply={"home": True, "user": account},
        happened_at=_moment(str(event.get("event_ts", ""))),
        origin="menu",
    )
    return Arrival(f"event:{body.get('event_id') or event.get('event_ts')}", arrived)


def click(body: Body, action: Body) -> Arrival | None:
    """A pressed button; ``None`` for one that says nothing."""
    line = chosen(action)
    if not line:
        return None
    context = context_of(body, action)
    account = str(body.get("user", {}).get("id", ""))
    stamp = "/".join(str(part) for part in (action.get("action_ts"), account, context.anchor, line))
    trigger = body.get("trigger_id")
    key = f"action:{trigger}:{action.get('action_id')}" if trigger else f"action:{stamp}"
    return Arrival(key, _pressed(body, context, line, _moment(str(action.get("action_ts", ""))), "button"))


def chosen(action: Body) -> str:
    """The command line a button or an option carries."""
    option = action.get("selected_option") or {}
    return clean(str(action.get("value") or option.get("value") or "")).strip()


def context_of(body: Body, action: Body | None = None) -> FormContext:
    """Where something was pressed. A button in the home tab has no channel: its answer goes to the member."""
    container, account = body.get("container") or {}, str(body.get("user", {}).get("id", ""))
    channel = str((body.get("channel") or {}).get("id") or container.get("channel_id") or account)
    message_ts = str(container.get("message_ts") or (body.get("message") or {}).get("ts") or "")
    ephemeral = bool(container.get("is_ephemeral"))
    thread = str(container.get("thread_ts") or (body.get("message") or {}).get("thread_ts") or "")
    # An ephemeral message has no place of its own; what was said in a thread belongs to what the thread is about.
    anchored = thread if ephemeral else message_ts
    return FormContext(
        command=chosen(action or {}),
        form=form_of(action or {}),
        channel=channel,
        anchor=f"{channel}/{anchored}" if anchored else "",
        thread_ts=thread,
        private=ephemeral,
        response_url=str(body.get("response_url") or ""),
    )


def form_of(action: Body) -> str:
    """The form a button opens, empty where it opens none: its ``action_id`` is ``form:<id>:<number>``."""
    kind, _, rest = str(action.get("action_id", "")).partition(":")
    return rest.rpartition(":")[0] if kind == "form" else ""


def submission(body: Body) -> Arrival | None:
    """A submitted form; ``None`` for a view that this program did not open."""
    view = body.get("view") or {}
    try:
        context = FormContext.from_metadata(str(view.get("private_metadata", "")))
    except (ValueError, TypeError):
        return None
    event = _pressed(body, context, context.command, 0, "form", read_fields(view))
    return Arrival(f"view:{view.get('id')}:{view.get('hash')}", event)


def add_post(body: Body) -> Arrival:
    """The message shortcut: what somebody posted becomes a found post."""
    account, channel = str(body.get("user", {}).get("id", "")), str((body.get("channel") or {}).get("id", ""))
    posted = body.get("message") or {}
    ts = str(body.get("message_ts") or posted.get("ts") or "")
    thread = str(posted.get("thread_ts") or "")
    event = Event(
        chat="slack",
        account=account,
        account_name=_name(body),
        destination=destination(channel, account),
        line="add",
        anchor=f"{channel}/{thread or ts}",
        private=True,
        reply=_reply(channel=channel, thread_ts=thread, response_url=body.get("response_url")),
        shared=said(_words(posted))[:SHARED],
        shared_url=_permalink(body, channel, ts, thread),
        happened_at=_moment(ts),
        origin="shortcut",
    )
    return Arrival(f"shortcut:{body.get('trigger_id') or body.get('action_ts')}", event)


def shortcut(body: Body, line: str) -> Arrival:
    """A global shortcut: there is no channel, the answer goes to the member."""
    context = FormContext(command=line, channel=str(body.get("user", {}).get("id", "")), private=True)
    event = _pressed(body, context, line, _moment(str(body.get("action_ts", ""))), "shortcut")
    return Arrival(f"shortcut:{body.get('trigger_id') or body.get('action_ts')}", event)


def _pressed(
    body: Body,
    context: FormContext,
    line: str,
    happened_at: int,
    origin: str,
    fields: dict[str, str] | None = None,
) -> Event:
    account = str(body.get("user", {}).get("id", ""))
    channel = context.channel or account
    # An answer for everybody stands below the card; one for a member only in a thread they are looking at already.
    under = context.anchor.partition("/")[2]
    return Event(
        chat="slack",
        account=account,
        account_name=_name(body),
        destination=destination(channel, account),
        line=line,
        fields=fields or {},
        anchor=context.anchor,
        private=context.private,
        reply=_reply(channel=channel, thread_ts=context.thread_ts, under=under, response_url=context.response_url),
        happened_at=happened_at,
        origin=origin,
    )


def _reply(**given: Any) -> dict[str, Any]:
    return {name: value for name, value in given.items() if value}


def _name(body: Body) -> str:
    user = body.get("user") or {}
    return str(user.get("name") or user.get("username") or "")


def _bot_user(body: Body) -> str:
    authorizations = body.get("authorizations") or [{}]
    return str(authorizations[0].get("user_id") or "")


def _moment(ts: str) -> int:
    """Slack's time stamp (seconds with six decimals) as Unix milliseconds, 0 for none."""
    seconds, _, fraction = ts.partition(".")
    if not (seconds.isascii() and seconds.isdigit() and len(seconds) <= 11):
        return 0
    return int(seconds) * SECOND + (int(fraction[:3].ljust(3, "0")) if fraction.isascii() and fraction.isdigit() else 0)


def _words(posted: Body) -> str:
    """The text of a message; of one that has only attachments, theirs."""
    if text := str(posted.get("text") or ""):
        return text
    parts: list[str] = []
    for attachment in posted.get("attachments") or ():
        parts.extend(str(attachment.get(name) or "") for name in ("title", "text", "fallback"))
    return "\n".join(part for part in parts if part)


def _permalink(body: Body, channel: str, ts: str, thread: str) -> str:
    domain = str((body.get("team") or {}).get("domain") or "")
    if not (domain and channel and ts):
        return ""
    link = f"https://{domain}.slack.com/archives/{channel}/p{ts.replace('.', '')}"
    return f"{link}?thread_ts={thread}&cid={channel}" if thread and thread != ts else link


def _digestible(body: Body) -> str:
    """A key for a command without a trigger (never seen, but a key must not be empty)."""
    return "/".join(str(body.get(name, "")) for name in ("response_url", "user_id", "channel_id", "text"))
