"""The fake group in a browser: what the robot said, its buttons, a line to say. For trying it without an account."""

from html import escape

from bot.testkit.aibot_state import GROUP, AibotMessage, AibotState, Conversation

_STYLE = (
    "body{font:15px/1.5 system-ui,sans-serif;max-width:44rem;margin:2rem auto;padding:0 1rem;background:#f4f5f7}"
    "article{background:#fff;border-radius:8px;padding:.7rem 1rem;margin:.6rem 0;white-space:pre-wrap}"
    "form{display:inline-block;margin:.4rem .4rem 0 0}button{padding:.3rem .8rem}"
)
_MEMBERS = "".join(f"<option>{name}</option>" for name in ("lina", "zhaolei", "chenjing"))


def page(state: AibotState, connected: bool) -> str:
    """The whole page; everything in it is escaped."""
    link = "connected" if connected else "not connected"
    rooms = "".join(_room(one) for one in state.conversations.values())
    head = f'<meta charset="utf-8"><meta http-equiv="refresh" content="5"><title>WeCom</title><style>{_STYLE}</style>'
    return f"<!doctype html><html><head>{head}</head><body><p>{link}</p>{rooms}</body></html>"


def _room(room: Conversation) -> str:
    messages = "".join(_message(one) for one in room.messages[-30:])
    say = (
        f'<form method="post" action="/groups/{escape(room.chat_id)}/say"><select name="user">{_MEMBERS}</select> '
        f'<input name="words" size="40"> <button>@</button></form>'
    )
    return f"<h2>{escape(room.chat_id)}</h2>{messages}{say if room.kind == GROUP else ''}"


def _message(message: AibotMessage) -> str:
    buttons = "".join(
        f'<form method="post" action="/groups/{escape(message.chat_id)}/press">'
        f'<input type="hidden" name="task_id" value="{escape(message.task_id)}">'
        f'<input type="hidden" name="key" value="{escape(key)}">'
        f'<select name="user">{_MEMBERS}</select> <button>{escape(text)}</button></form>'
        for key, text in message.buttons.items()
    )
    return f"<article>{escape(message.text)}\n{buttons}</article>"
