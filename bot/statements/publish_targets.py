"""Handing a text to one target, and asking what became of it. Every function runs inside the caller's transaction and
after the gate; nothing here decides whether a text may be published."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from sqlite_utils import Database

from bot.clock import SECOND
from bot.config import Config
from bot.config_statements import PublisherConfig
from bot.delivery import outbox, timers
from bot.incidents import people
from bot.incidents.notices import Notices, live_destinations
from bot.incidents.words import CHINA
from bot.incidents.words import role as role_words
from bot.model.incident import Actor
from bot.model.intake import iso
from bot.model.message import Message, masked
from bot.model.publication import NewsroomItem, Publication, Receipt, ReceiptState
from bot.model.statement import DIGEST_SHOWN, Statement, StatementKind
from bot.model.text import Text, UserError
from bot.response.customers import Customers
from bot.response.linkage import WOULD_HAVE, Linkage
from bot.statements import publish_shapes as shapes
from bot.statements import publish_words
from bot.store import calls
from bot.store import incidents as incident_store
from bot.store import notices as notice_store
from bot.store import publications as store
from bot.store.calls import Call
from bot.texts import render

FOLDER = "publish_folder"
KEY = "publish"


class Targets:
    """``hand_over`` gives the receipt as it stands after the text was handed over."""

    def __init__(self, config: Config, notices: Notices, linkage: Linkage | None, customers: Customers | None) -> None:
        self._config = config
        self._notices = notices
        self._linkage = linkage
        self._customers = customers

    def hand_over(
        self, db: Database, publication: Publication, publisher: PublisherConfig, receipt: Receipt, now: int
    ) -> Receipt:
        """Raises ``UserError`` where the target cannot take it; nothing has been handed over then."""
        handed = replace(receipt, state=ReceiptState.SENDING, handed_at=now, error="")
        match publisher.kind:
            case "newsroom":
                return self._newsroom(db, publication, publisher, handed, now)
            case "webhook":
                return self._webhook(db, publication, publisher, handed, now)
            case "customers":
                return self._to_customers(db, publication, publisher, handed, now)
            case "manual":
                return self._by_hand(db, publication, publisher, handed, now)
            case _:
                return self._letters(db, publication, publisher, handed, now)

    def take_back(self, db: Database, receipt: Receipt, actor: Actor, now: int) -> None:
        """Undo a handing-over of which nothing has left; ask ``left`` first."""
        if receipt.kind == "customers" and receipt.reference and self._customers is not None:
            notice = notice_store.get(db, int(receipt.reference))
            if notice is not None and notice.state in ("counting", "counted"):
                self._customers.stop(db, notice.id, actor, now)
        store.take_letters_back(db, f"{key_of(receipt)}:")
        db.conn.execute(
            "UPDATE call SET state = 'failed', error = 'cancelled', finished_at = ?"
            " WHERE key = ? AND state = 'waiting'",
            (now, key_of(receipt)),
        )

    @staticmethod
    def left(db: Database, receipt: Receipt) -> bool:
        """Whether anything of it may have left the house."""
        if not receipt.handed or receipt.state in (ReceiptState.SIMULATED, ReceiptState.STOPPED):
            return False
        if receipt.kind == "manual":
            return receipt.state is ReceiptState.DONE
        if receipt.kind == "customers":
            notice = notice_store.get(db, int(receipt.reference or 0))
            return notice is not None and notice.state not in ("counting", "counted", "failed")
        if receipt.kind == "webhook":
            call = calls.by_key(db, key_of(receipt))
            return call is not None and (call.state != "waiting" or call.attempts > 0)
        if receipt.kind == "newsroom":
            return True
        return store.letters_left(db, f"{key_of(receipt)}:")

    # -- kinds

    def _newsroom(
        self, db: Database, publication: Publication, publisher: PublisherConfig, receipt: Receipt, now: int
    ) -> Receipt:
        item = item_of(publication, publisher.id, now)
        store.add_item(db, item)
        if publication.replaces and publication.kind is not StatementKind.ORIGINAL:
            store.replace_item(db, publication.replaces, publication.statement, publication.kind.value, now)
        link = f"{newsroom_address(self._config)}/{item.slug}"
        if publisher.folder:
            timers.schedule(db, FOLDER, publisher.id, now, now)
            return replace(receipt, link=link, reference=item.slug)
        return replace(receipt, state=ReceiptState.DONE, link=link, reference=item.slug, settled_at=now)

    def _webhook(
        self, db: Database, publication: Publication, publisher: PublisherConfig, receipt: Receipt, now: int
    ) -> Receipt:
        if self._linkage is None:
            raise UserError("error.no_such_action", name=publisher.action, known=["—"])
        params = {
            "statement": publication.statement, "digest": publication.digest, "version": publication.version,
            "kind": publication.kind.value, "replaces": publication.replaces, "audience": publication.audience,
            "language": publication.language, "title": publication.title, "body": publication.body,
            "html": shapes.as_html(publication.body), "published_at": iso(now),
            "embargo": iso(publication.embargo) if publication.embargo > now else "",
        }  # fmt: skip
        self._linkage.request(
            db, key=key_of(receipt), action=publisher.action, params=params, incident=publication.incident,
            drill=publication.drill, now=now,
        )  # fmt: skip
        return receipt

    def _to_customers(
        self, db: Database, publication: Publication, publisher: PublisherConfig, receipt: Receipt, now: int
    ) -> Receipt:
        incident = incident_store.get(db, publication.incident)
        if self._customers is None or incident is None:
            raise UserError("error.no_such_segment", name=publisher.segment, known=["—"])
        actor = Actor(publication.actor, publication.actor_name, publication.chat)
        title = publication.title or publication.statement
        notice = self._customers.prepare(
            db, incident, publisher.segment, title, publication.body, actor, now, exact=True
        )
        return replace(receipt, state=ReceiptState.WAITING, reference=str(notice.id))

    def _by_hand(
        self, db: Database, publication: Publication, publisher: PublisherConfig, receipt: Receipt, now: int
    ) -> Receipt:
        incident = incident_store.get(db, publication.incident)
        if incident is not None:
            params = {
                "statement": publication.statement, "target": publisher.name, "id": publisher.id,
                "role": role_words(publisher.role), "digest": publication.digest[:DIGEST_SHOWN],
            }  # fmt: skip
            said = Text("publish.by_hand", params)
            self._notices.say(db, incident, said, now, key=key_of(receipt), reason="publish")
        return replace(receipt, state=ReceiptState.WAITING, link=publisher.url)

    def _letters(
        self, db: Database, publication: Publication, publisher: PublisherConfig, receipt: Receipt, now: int
    ) -> Receipt:
        """One outbox row a receiver: the text itself, or where it stands if the chat cannot show it exactly."""
        line = shapes.embargo_line(publication, now)
        destinations = self.destinations(publisher)
        if not destinations:
            raise UserError("error.publisher_empty", target=publisher.name)
        for number, destination in enumerate(destinations):
            chat = destination.partition(":")[0]
            text = shapes.around(publication.text, line)
            if not shapes.fits(chat, text):
                where = self._where_whole(db, publication)
                text = shapes.pointer(publication, where)
                if not shapes.fits(chat, text):  # the title alone is too much for this chat
                    text = shapes.pointer(replace(publication, title=""), where)
            message = Message(
                f"{destination}#publish", text=text, language=publication.language, reason="publish", verbatim=True,
                subject=shapes.subject(publication, now) if chat == "email" else "", drill=publication.drill,
            )  # fmt: skip
            outbox.enqueue(db, message, f"{key_of(receipt)}:{number}", now)
        return replace(receipt, counts={"all": len(destinations)})

    def destinations(self, publisher: PublisherConfig) -> Sequence[str]:
        """Whom a publisher of messages reaches, each once."""
        if publisher.kind == "channel":
            channel = self._config.channels.get(publisher.channel)
            return list(live_destinations(channel)) if channel else []
        found = []
        for receiver in publisher.to:
            person = self._config.person(receiver)
            address = people.account(person, publisher.kind) if person else receiver
            if address:
                found.append(f"{publisher.kind}:{address}")
        return list(dict.fromkeys(found))

    def _where_whole(self, db: Database, publication: Publication) -> str:
        """Where the whole text can be read: the newsroom if it stands there, else the approval page inside."""
        item = store.item_of(db, publication.statement)
        if item is not None and not item.drill:
            return f"{newsroom_address(self._config)}/{item.slug}"
        public_url = self._config.chat.console.public_url.rstrip("/")
        page = f"/statements/{publication.statement}"
        if public_url:
            return public_url + page
        return render(Text("publish.in_the_console", {"page": page}), publication.language)


def look(db: Database, receipt: Receipt, now: int) -> Receipt:
    """What the outbox, the call or the notice says about a receipt that is not settled."""
    if not receipt.handed or not receipt.state.open:
        return receipt
    if receipt.kind == "webhook":
        call = calls.by_key(db, key_of(receipt))
        return receipt if call is None else of_call(receipt, call, now)
    if receipt.kind == "customers":
        return _of_notice(db, receipt, now)
    if receipt.kind in ("email", "slack", "wecom", "channel"):
        return _of_letters(db, receipt, now)
    return receipt


def receipts_of(db: Database, statement_id: str) -> list[Receipt]:
    """What each target of a statement's newest publication says now; nothing is written."""
    publication = store.latest(db, statement_id)
    if publication is None:
        return []
    return [look(db, one, publication.begun_at) for one in store.receipts(db, publication.id)]


def receipt_lines(db: Database, statement: Statement, language: str) -> list[str]:
    """The same in words, for a card."""
    return [render(publish_words.receipt(one), language) for one in receipts_of(db, statement.id)]


def newsroom_address(config: Config) -> str:
    """The public address of the newsroom, as far as it is configured."""
    publisher = next((one for one in config.publishers if one.kind == "newsroom"), None)
    if publisher is not None and publisher.url:
        return publisher.url.rstrip("/")
    if config.chat.console.public_url:
        return config.chat.console.public_url.rstrip("/") + "/newsroom"
    host, port = config.address
    return f"http://{host}:{port}/newsroom"


def item_of(publication: Publication, publisher: str, now: int) -> NewsroomItem:
    """The newsroom's entry of a publication. Its address says the day and the number, so that it never changes."""
    day = datetime.fromtimestamp(now / 1000, CHINA).strftime("%Y%m%d")
    return NewsroomItem(
        slug=f"{day}-{publication.statement.lower()}", statement=publication.statement, publication=publication.id,
        publisher=publisher, incident=publication.incident, drill=publication.drill, kind=publication.kind,
        replaces=publication.replaces, audience=publication.audience, language=publication.language,
        title=publication.title, body=publication.body, digest=publication.digest, published_at=now, updated_at=now,
    )  # fmt: skip


def key_of(receipt: Receipt) -> str:
    """What its rows elsewhere are known by: the same after a restart, another one when a person tries again."""
    return f"{KEY}:{receipt.publication}:{receipt.target}:{receipt.attempt}"


def of_call(receipt: Receipt, call: Call, now: int) -> Receipt:
    """How a call stands, as a receipt."""
    states = {"done": ReceiptState.DONE, "failed": ReceiptState.FAILED, "unclear": ReceiptState.UNCLEAR}
    state = states.get(call.state, ReceiptState.SENDING)
    if state is ReceiptState.DONE and call.error == WOULD_HAVE:
        state = ReceiptState.SIMULATED
    return replace(
        receipt, state=state, link=call.result.get("link", ""), reference=call.result.get("id", ""),
        error="" if state.good else call.error, settled_at=0 if state.open else now,
    )  # fmt: skip


def _of_letters(db: Database, receipt: Receipt, now: int) -> Receipt:
    prefix = f"{key_of(receipt)}:"
    states = store.letters(db, prefix)
    counts = {
        "all": receipt.counts.get("all", sum(states.values())), "sent": states.get("sent", 0),
        "failed": states.get("failed", 0) + states.get("collapsed", 0),
        "waiting": states.get("waiting", 0) + states.get("sending", 0),
    }  # fmt: skip
    if counts["waiting"]:
        return replace(receipt, counts=counts)
    errors = [
        f"{masked(place)}: {error.replace(_address(place), '…')}" for place, error in store.letter_errors(db, prefix)
    ]
    state = ReceiptState.FAILED if counts["failed"] else ReceiptState.DONE
    return replace(receipt, state=state, counts=counts, error="; ".join(errors), settled_at=now)


def _address(destination: str) -> str:
    return destination.partition(":")[2].partition("#")[0]


def _of_notice(db: Database, receipt: Receipt, now: int) -> Receipt:
    notice = notice_store.get(db, int(receipt.reference or 0))
    if notice is None:
        return replace(receipt, state=ReceiptState.FAILED, error="the notice is gone", settled_at=now)
    if notice.state == "simulated":
        return replace(receipt, state=ReceiptState.SIMULATED, settled_at=now)
    if notice.state == "failed":
        return replace(receipt, state=ReceiptState.FAILED, error=notice.error, settled_at=now)
    progress = notice_store.progress(db, notice.id)
    became: dict[str, int] = {name: progress[name] for name in ("sent", "failed", "queued") if name in progress}
    counts: dict[str, int] = {**notice.counts, **became}
    if notice.state == "done":
        # Removed with its people before anybody released it: nobody was told.
        told = "was_sent" in notice.counts or "was_failed" in notice.counts
        state = ReceiptState.DONE if told else ReceiptState.FAILED
        error = "" if told else "nobody released the notice before its people were removed"
        return replace(receipt, state=state, counts=counts, error=error, settled_at=now)
    state = ReceiptState.SENDING if notice.state == "sending" else ReceiptState.WAITING
    return replace(receipt, state=state, counts=counts)


def next_look(publication: Publication, now: int) -> int:
    """When to ask again: often at first, then at longer intervals."""
    return now + max(SECOND, min(60 * SECOND, (now - max(publication.begun_at, publication.at)) // 10))
