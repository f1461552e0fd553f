"""Publishing an approved text: to every target once, bit for bit, inside before outside, with a receipt from each.

A publication is a row with a frozen copy of the approved version; each target's hand-over, its receipt and whatever it
puts into the outbox, the calls or the newsroom are one transaction, in which the gate is asked and the digest computed
again. Time passes by timer rows, so a restart goes on where it stood.
"""

import logging
from collections.abc import Sequence
from dataclasses import replace

from sqlite_utils import Database

from bot.config import Config
from bot.config_statements import PublisherConfig
from bot.delivery import timers
from bot.delivery.alarm import Handler
from bot.incidents import words
from bot.incidents.notices import Notices
from bot.model.incident import Actor
from bot.model.publication import Publication, PublicationState, Receipt, ReceiptState
from bot.model.statement import DIGEST_SHOWN, Statement, Version
from bot.model.text import Text, UserError
from bot.response.customers import Customers
from bot.response.linkage import Linkage
from bot.statements.publish_targets import FOLDER, KEY, Targets, look, of_call, receipts_of
from bot.statements.publish_way import DUE, OPEN, SETTLED, TICK, Approved, Gate, OnSettled, Way, by_hand
from bot.store import audit
from bot.store import incidents as incident_store
from bot.store import publications as store
from bot.store.calls import Call
from bot.store.notices import Notice
from bot.texts import render

log = logging.getLogger(__name__)

LONGEST_LINK = 500
HAND = "by-hand"


class Publishing:
    """Every method runs inside the caller's transaction."""

    def __init__(
        self, config: Config, notices: Notices, linkage: Linkage | None, customers: Customers | None, gate: Gate, *,
        approved: Approved | None = None,
    ) -> None:  # fmt: skip
        self._config = config
        self._notices = notices
        self._gate = gate
        self._targets = Targets(config, notices, linkage, customers)
        self._way = Way(config, notices, self._targets, gate, approved or (lambda db, incident: ()))
        if customers is not None:
            customers.ask_before_sending(self._may_send_notice)

    def listen(self, on_settled: OnSettled) -> None:
        """Who hears that all targets have answered, in that transaction: whether at least one has the text. Heard again
        when a person mends what failed."""
        self._way.on_settled = on_settled

    def timers(self) -> dict[str, Handler]:
        """What its timers do, by kind."""
        return {DUE: self._way.due, TICK: self._way.tick}

    # -- what people do

    def targets(self, audience: str, channels: Sequence[str], language: str) -> list[PublisherConfig]:
        """The publishers that serve this audience in this language, in their order: those named by ``channels``, all
        where none is named. What no publisher stands for is published by hand."""
        serving = [
            one for one in self._config.publishers
            if audience in one.audiences and (not one.languages or language in one.languages)
        ]  # fmt: skip
        if channels:
            known = {name: one for one in self._config.publishers for name in (one.id, one.name)}
            serving = [one for one in serving if one.id in channels or one.name in channels]
            serving += [by_hand(name, audience) for name in dict.fromkeys(channels) if name not in known]
        if not serving:  # nobody set anything up for them: somebody tells them, and says where
            serving = [by_hand(HAND, audience, render(Text("publish.hand"), self._config.language))]
        return sorted(serving, key=lambda one: (one.order, one.kind != "newsroom", one.kind == "manual"))

    def begin(
        self, db: Database, statement: Statement, version: Version, actor: Actor, now: int, *, at: int = 0,
        embargo: int = 0,
    ) -> Publication:  # fmt: skip
        """Publish ``version`` now or ``at`` a moment, once per statement and digest. Before ``embargo`` only embargoed
        targets get it. Raises ``UserError`` where it may not be published."""
        digest = version.digest
        known = store.by_digest(db, statement.id, digest)
        if known is not None and not self._nowhere(db, known):
            return known
        if at <= now:  # a scheduled one is asked about when its moment has come
            self._gate.may_publish(db, statement.id, digest, now)
        targets = self.targets(statement.audience, statement.channels, statement.language)
        if known is not None:
            attempt = store.revive(db, known.id, at, embargo, now)
            publication = self._way.known(db, known.id)
        else:
            attempt = 1
            publication = store.create(db, self._publication(db, statement, version, actor, now, at, embargo))
        for position, target in enumerate(targets):
            receipt = Receipt(
                publication.id, statement.id, target.id, target.kind, target.name, position, target.embargoed,
                ReceiptState.WAITING, attempt=attempt,
            )  # fmt: skip
            store.add_receipt(db, receipt)
        detail = {"digest": digest, "targets": [target.id for target in targets], "at": at, "embargo": embargo}
        audit.append(db, actor, "publication_begun", statement.id, now, detail)
        self._way.note(db, publication, "publication_begun", now, actor)
        if at > now:
            timers.schedule(db, DUE, str(publication.id), at, now)
            params = {"statement": statement.id, "at": words.clock_time(at)}
            self._way.say(db, publication, Text("publish.scheduled", params), "scheduled", now)
        else:
            self._way.start(db, publication, now)
        return self._way.known(db, publication.id)

    def cancel(self, db: Database, statement_id: str, actor: Actor, now: int, reason: str) -> bool:
        """Take a publication back before anything of it has left; False where it is too late or there is none."""
        publication = store.latest(db, statement_id)
        if publication is None or not publication.state.open:
            return False
        receipts = store.receipts(db, publication.id)
        if any(self._targets.left(db, one) for one in receipts):
            return False
        for one in receipts:
            if one.handed:
                self._targets.take_back(db, one, actor, now)
            store.put_receipt(db, replace(one, state=ReceiptState.STOPPED, settled_at=now))
        self._way.quiet(db, publication)
        store.move(db, publication.id, PublicationState.CANCELLED, only_from=OPEN, settled_at=now, error=reason)
        detail = {"digest": publication.digest, "reason": reason}
        audit.append(db, actor, "publication_cancelled", statement_id, now, detail)
        self._way.note(db, publication, "publication_cancelled", now, actor)
        self._way.wake_followers(db, publication, now)
        return True

    def receipts(self, db: Database, statement_id: str) -> list[Receipt]:
        """What each target of the newest publication says now."""
        return receipts_of(db, statement_id)

    def publication(self, db: Database, statement_id: str) -> Publication | None:
        """The newest publication of a statement."""
        return store.latest(db, statement_id)

    def confirm(
        self, db: Database, statement_id: str, target: str, actor: Actor, now: int, *, link: str = "", done: bool = True
    ) -> Receipt:
        """A person says that they published it there, or how an unclear or failed target really ended."""
        publication, receipt = self._receipt(db, statement_id, target)
        asked = receipt.kind == "manual" and receipt.handed and receipt.state is ReceiptState.WAITING
        if publication.drill or not (asked or receipt.state in (ReceiptState.UNCLEAR, ReceiptState.FAILED)):
            raise UserError("error.receipt_not_open", target=receipt.title, state=_state(receipt))
        if link and not link.startswith(("https://", "http://")):
            raise UserError("error.receipt_link")
        state = ReceiptState.DONE if done else ReceiptState.FAILED
        told = replace(
            receipt, state=state, link=link[:LONGEST_LINK], by=actor.name, settled_at=now,
            error="" if done else receipt.error or render(Text("publish.not_published"), self._config.language),
        )  # fmt: skip
        store.put_receipt(db, told)
        detail = {"target": target, "link": told.link, "done": done, "digest": publication.digest}
        audit.append(db, actor, "publication_confirmed", statement_id, now, detail)
        self._way.conclude(db, publication, now)
        return told

    def again(self, db: Database, statement_id: str, target: str, actor: Actor, now: int) -> Receipt:
        """A person lets a failed target be tried once more, through the same gate."""
        publication, receipt = self._receipt(db, statement_id, target)
        if publication.drill or receipt.state is not ReceiptState.FAILED:
            raise UserError("error.receipt_not_open", target=receipt.title, state=_state(receipt))
        if self._nowhere(db, publication):  # it is not out: the whole of it begins anew, with its status
            digest = publication.digest[:DIGEST_SHOWN]
            raise UserError("error.publish_anew", statement=statement_id, digest=digest)
        self._gate.may_publish(db, statement_id, publication.digest, now)
        fresh = replace(
            receipt, state=ReceiptState.WAITING, attempt=receipt.attempt + 1, handed_at=0, settled_at=0, error="",
            reference="", link="", counts={},
        )  # fmt: skip
        store.put_receipt(db, fresh)
        store.move(db, publication.id, PublicationState.PUBLISHING, only_from=(*SETTLED, *OPEN))
        audit.append(db, actor, "publication_again", statement_id, now, {"target": target})
        self._way.advance(db, self._way.known(db, publication.id), now)
        return self._receipt(db, statement_id, target)[1]

    def replaced(self, db: Database, old_id: str, new_id: str, kind: str, now: int) -> None:
        """The newsroom says at the old text that the new one corrects or withdraws it, and keeps the old readable."""
        if not store.replace_item(db, old_id, new_id, str(kind), now):
            return
        for publisher in self._config.publishers:
            if publisher.kind == "newsroom" and publisher.folder:
                timers.schedule(db, FOLDER, publisher.id, now, now)

    # -- what others tell

    def on_call(self, db: Database, call: Call, now: int) -> None:
        """A call ended, or a person decided how it had: the receipt of a webhook."""
        parts = call.key.split(":")
        if len(parts) != 4 or parts[0] != KEY or not parts[1].isdigit():
            return
        publication = store.get(db, int(parts[1]))
        if publication is None:
            return
        for receipt in store.receipts(db, publication.id):
            if receipt.target == parts[2] and str(receipt.attempt) == parts[3]:
                store.put_receipt(db, of_call(receipt, call, now))
                self._way.conclude(db, publication, now)

    def folder_written(self, db: Database, publisher: str, slugs: Sequence[str], now: int) -> None:
        """The newsroom's static pages stand in their folder."""
        rows = db.conn.execute(
            "SELECT publication FROM receipt WHERE target = ? AND kind = 'newsroom' AND state = 'sending'", (publisher,)
        ).fetchall()
        for (publication_id,) in rows:
            publication = self._way.known(db, publication_id)
            for receipt in store.receipts(db, publication_id):
                if receipt.target == publisher and receipt.reference in slugs:
                    store.put_receipt(db, replace(receipt, state=ReceiptState.DONE, error="", settled_at=now))
            self._way.conclude(db, publication, now)

    def folder_failed(self, db: Database, publisher: str, error: str) -> None:
        """The pages cannot be written now; it is tried again, and the receipts say why they wait."""
        db.conn.execute(
            "UPDATE receipt SET error = ? WHERE target = ? AND kind = 'newsroom' AND state = 'sending'",
            (error, publisher),
        )

    def _may_send_notice(self, db: Database, notice: Notice, now: int) -> None:
        """Customers are told by a person's release, perhaps hours after the hand-over: the gate is asked once more."""
        receipt = store.receipt_of_notice(db, notice.id)
        if receipt is None:
            return
        publication = self._way.known(db, receipt.publication)
        self._way.check(db, publication, now)
        if notice.text != publication.body:
            raise UserError("error.publication_altered", statement=publication.statement)

    # -- parts

    def _publication(
        self, db: Database, statement: Statement, version: Version, actor: Actor, now: int, at: int, embargo: int
    ) -> Publication:
        incident = incident_store.get(db, statement.incident)
        practised = incident is not None and incident.kind == "drill"
        drill = statement.drill or ((incident.drill or incident.id) if incident and practised else "")
        return Publication(
            id=0, statement=statement.id, digest=version.digest, incident=statement.incident, drill=drill,
            kind=statement.kind, replaces=statement.replaces, audience=version.audience, language=version.language,
            version=version.number, title=version.title, body=version.body, state=PublicationState.SCHEDULED, at=at,
            embargo=embargo, hold_until=0, actor=actor.person, actor_name=actor.name, chat=actor.chat, begun_at=now,
        )  # fmt: skip

    @staticmethod
    def _nowhere(db: Database, publication: Publication) -> bool:
        """Whether a publication has ended without any target having the text, so that it may begin anew."""
        if publication.state.open or publication.state is PublicationState.DONE:
            return False
        receipts = store.receipts(db, publication.id)
        return all(one.state in (ReceiptState.FAILED, ReceiptState.STOPPED) for one in receipts)

    def _receipt(self, db: Database, statement_id: str, target: str) -> tuple[Publication, Receipt]:
        publication = store.latest(db, statement_id)
        if publication is None:
            raise UserError("error.not_being_published", statement=statement_id)
        receipts = store.receipts(db, publication.id)
        receipt = next((one for one in receipts if target in (one.target, one.title)), None)
        if receipt is None:
            known = [one.target for one in receipts] or ["—"]
            raise UserError("error.no_such_target", target=target or "—", known=known)
        return publication, look(db, receipt, publication.begun_at)


def _state(receipt: Receipt) -> Text:
    return Text(f"receipt_state.{receipt.state.value}")
