"""Response codes: the single-use tickets with which WeCom lets a card be rewritten.

One comes back from the send, one with every click; each works once, for 72 hours (developer page 94888). They live in
``Placement.reference``; a copy in memory closes the gap between a click and an edit that is already under way.
"""

from collections import OrderedDict
from typing import Any

from sqlite_utils import Database

from bot.clock import HOUR
from bot.delivery import outbox
from bot.delivery.outbox import Placement

CODE_LIFE = 72 * HOUR
KEPT_CLICKS = 3
REMEMBERED = 5_000

Reference = dict[str, Any]


def new_reference(task_id: str, send_code: str, gist: str, now: int) -> Reference:
    """What is kept of a new card: its task ids, the code of the send (empty where it gave none), what it showed."""
    return {"tasks": [task_id], "send": [send_code, now] if send_code else [], "clicks": [], "gist": gist}


def after_rewrite(reference: Reference, used: str, task_id: str, gist: str) -> Reference:
    """The reference without the used code. The card answers to its first task id or to that of the revision; which,
    the pages do not say, so both count."""
    send = reference.get("send") or []
    return {
        "tasks": [*reference.get("tasks", [])[:1], task_id],
        "send": [] if send and send[0] == used else send,
        "clicks": [pair for pair in reference.get("clicks", []) if pair[0] != used],
        "gist": gist,
    }


def store_click(db: Database, anchor: str, destination: str, task_id: str, code: str, now: int) -> bool:
    """Keep the code of a click with the placement of the card it was made on; False if that card is not current."""
    object_ = outbox.object_at(db, anchor)
    placement = outbox.placement(db, object_, destination) if object_ else None
    if placement is None or placement.anchor != anchor or task_id not in placement.reference.get("tasks", []):
        return False
    clicks = [[code, now], *placement.reference.get("clicks", [])][:KEPT_CLICKS]
    reference = {**placement.reference, "clicks": clicks}
    outbox.place(db, object_, destination.partition("#")[0], Placement(anchor, reference), now)
    return True


class ResponseCodes:
    """Codes of recent clicks, and which codes are used up, as this process knows them."""

    def __init__(self) -> None:
        self._clicks: OrderedDict[str, list[list[Any]]] = OrderedDict()
        self._spent: OrderedDict[str, None] = OrderedDict()

    def clicked(self, task_id: str, code: str, now: int) -> None:
        self._clicks[task_id] = [[code, now], *self._clicks.get(task_id, [])][:KEPT_CLICKS]
        _trim(self._clicks)

    def spend(self, code: str) -> None:
        self._spent[code] = None
        _trim(self._spent)

    def refreshed(self, reference: Reference) -> Reference:
        """The reference with the clicks that came in since it was read and without spent codes."""
        clicks = [pair for task in reference.get("tasks", []) for pair in self._clicks.get(task, [])]
        known: dict[str, int] = {code: at for code, at in [*reference.get("clicks", []), *clicks]}
        fresh = sorted(known.items(), key=lambda item: -item[1])
        send = reference.get("send") or []
        return {
            **reference,
            "clicks": [[code, at] for code, at in fresh if code not in self._spent][:KEPT_CLICKS],
            "send": [] if send and send[0] in self._spent else send,
        }

    def usable(self, reference: Reference, now: int) -> list[str]:
        """Codes to try, in order: the newest click first, the send's code last."""
        current = self.refreshed(reference)
        pairs = [*current["clicks"], *([current["send"]] if current["send"] else [])]
        return [str(code) for code, at in pairs if now - int(at) < CODE_LIFE]


def _trim(memory: OrderedDict[str, Any]) -> None:
    while len(memory) > REMEMBERED:
        memory.popitem(last=False)
