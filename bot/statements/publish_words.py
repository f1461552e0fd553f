"""Receipts and publications in words."""

from collections.abc import Sequence

from bot.model.publication import Publication, Receipt, ReceiptState
from bot.model.text import Text

COUNTS = ("sent", "failed", "waiting")


def receipt(one: Receipt) -> Text:
    """``Newsroom: published https://…``, ``Media list: 40 sent, 2 failed``, ``Weibo: simulated …``."""
    params = {"target": one.title, "state": Text(f"receipt_state.{one.state.value}"), "where": where(one)}
    return Text("publish.receipt", params)


def where(one: Receipt) -> Text | str:
    """Where it stands, how many it reached, or why it did not."""
    if one.state is ReceiptState.SIMULATED:
        return Text("publish.would_have", {"target": one.title})
    parts: list[Text | str] = [one.link] if one.link else [one.reference] if one.kind == "webhook" else []
    parts += [Text(f"publish.count_{name}", {"n": one.counts[name]}) for name in COUNTS if one.counts.get(name)]
    if one.error:
        parts.append(one.error)
    shown = [part for part in parts if part]
    return Text("publish.parts", {"parts": shown}) if shown else "—"


def settled(publication: Publication, receipts: Sequence[Receipt], *, ok: bool) -> Text:
    """What the thread is told when every target has answered."""
    key = "publish.simulated" if publication.drill else "publish.settled" if ok else "publish.settled_failing"
    return Text(key, {"statement": publication.statement, "receipts": [receipt(one) for one in receipts] or ["—"]})
