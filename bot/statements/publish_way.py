"""The way of a publication: its moment, who hears of it first, each target once through the gate, and how it ends."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Protocol

from sqlite_utils import Database

from bot.clock import SECOND
from bot.config import Config
from bot.config_statements import PublisherConfig
from bot.delivery import timers
from bot.delivery.timers import Timer
from bot.incidents import words
from bot.incidents.notices import Notices
from bot.model.incident import SYSTEM, Actor
from bot.model.publication import Publication, PublicationState, Receipt, ReceiptState
from bot.model.statement import AUDIENCES, DIGEST_SHOWN
from bot.model.text import Text, UserError
from bot.statements import publish_words
from bot.statements.publish_targets import Targets, item_of, look, next_look
from bot.store import incidents as incident_store
from bot.store import publications as store
from bot.texts import render

DUE, TICK = "publish_due", "publish_tick"
HELD_LOOK = 5 * SECOND
OPEN = (PublicationState.SCHEDULED, PublicationState.HELD, PublicationState.PUBLISHING)
SETTLED = (PublicationState.DONE, PublicationState.FAILED)

OnSettled = Callable[[Database, str, bool, int], None]
# Audiences of approved statements of an incident that nobody has begun to publish.
Approved = Callable[[Database, str], Sequence[str]]


class Gate(Protocol):
    """Whether a text may be published at this moment."""

    def may_publish(self, db: Database, statement_id: str, digest: str, now: int) -> None:
        """Raises ``UserError``. Asked in the transaction in which a target is handed the text."""
        ...


class Way:
    """Every method runs inside the caller's transaction."""

    def __init__(self, config: Config, notices: Notices, targets: Targets, gate: Gate, approved: Approved) -> None:
        self._config = config
        self._notices = notices
        self._targets = targets
        self._gate = gate
        self._approved = approved
        self.on_settled: OnSettled = lambda db, statement_id, ok, now: None

    def due(self, db: Database, timer: Timer, now: int) -> None:
        publication = store.get(db, int(timer.object))
        if publication is not None and publication.state is PublicationState.SCHEDULED:
            self.start(db, publication, now)

    def tick(self, db: Database, timer: Timer, now: int) -> None:
        publication = store.get(db, int(timer.object))
        if publication is None:
            return
        if publication.state in (PublicationState.HELD, PublicationState.PUBLISHING):
            self.advance(db, publication, now)
        elif publication.state is PublicationState.STOPPED:
            self.conclude(db, publication, now)

    # -- the way of a publication

    def start(self, db: Database, publication: Publication, now: int) -> None:
        until = now + self._config.publishing.hold
        store.hold(db, publication.id, until)
        publication = replace(publication, hold_until=until)
        held = self._waits_for(db, publication)
        state = PublicationState.HELD if held else PublicationState.PUBLISHING
        store.move(db, publication.id, state, only_from=OPEN)
        if held:
            audiences = [Text(f"audience.{name}") for name in held]
            minutes = words.duration(self._config.publishing.hold)
            params = {"statement": publication.statement, "audiences": audiences, "hold": minutes}
            self.say(db, publication, Text("publish.held", params), "held", now)
        self.advance(db, self.known(db, publication.id), now)

    def advance(self, db: Database, publication: Publication, now: int) -> None:
        """Do what can be done now, and set the timer for what comes next."""
        if publication.state is PublicationState.HELD:
            waits = self._waits_for(db, publication)
            if waits and now < publication.hold_until:
                next_try = min(publication.hold_until, now + HELD_LOOK)
                timers.schedule(db, TICK, str(publication.id), next_try, now)
                return
            if waits:
                params = {"statement": publication.statement, "audiences": [Text(f"audience.{name}") for name in waits]}
                self.say(db, publication, Text("publish.hold_over", params), "hold_over", now)
            store.move(db, publication.id, PublicationState.PUBLISHING, only_from=OPEN)
            publication = replace(publication, state=PublicationState.PUBLISHING)
        for receipt in store.receipts(db, publication.id):
            if receipt.handed or receipt.state is not ReceiptState.WAITING:
                continue
            if publication.embargo > now and not receipt.embargoed and not publication.drill:
                continue
            if not self._hand_over(db, publication, receipt, now):
                return
        self.conclude(db, publication, now)

    def _hand_over(self, db: Database, publication: Publication, receipt: Receipt, now: int) -> bool:
        """One target; False where the whole publication had to be stopped."""
        if self._is_drill(db, publication):
            self._simulate(db, publication, receipt, now)
            return True
        try:
            self.check(db, publication, now)
        except UserError as refusal:
            self._stop(db, publication, refusal.text, now)
            return False
        publisher = self._publisher(receipt, publication.audience)
        try:
            if publisher is None:
                raise UserError("error.publisher_gone", target=receipt.title)
            handed = self._targets.hand_over(db, publication, publisher, receipt, now)
        except UserError as refusal:
            why = render(refusal.text, self._config.language)
            handed = replace(receipt, state=ReceiptState.FAILED, error=why, handed_at=now, settled_at=now)
        store.put_receipt(db, handed)
        return True

    def check(self, db: Database, publication: Publication, now: int) -> None:
        """The copy is the approved text, and the approval holds. Raises ``UserError``."""
        if publication.computed_digest != publication.digest:
            raise UserError("error.publication_altered", statement=publication.statement)
        self._gate.may_publish(db, publication.statement, publication.digest, now)

    def _simulate(self, db: Database, publication: Publication, receipt: Receipt, now: int) -> None:
        """A drill: nothing is handed over; the newsroom's entry is a preview that members see."""
        link = ""
        if receipt.kind == "newsroom" and publication.drill:
            item = item_of(publication, receipt.target, now)
            store.add_item(db, item)
            link = f"/statements/preview/{publication.statement}"
        done = replace(receipt, state=ReceiptState.SIMULATED, link=link, handed_at=now, settled_at=now)
        store.put_receipt(db, done)

    def _stop(self, db: Database, publication: Publication, why: Text, now: int) -> None:
        reason = render(why, self._config.language)
        for receipt in store.receipts(db, publication.id):
            if not receipt.handed and receipt.state is ReceiptState.WAITING:
                store.put_receipt(db, replace(receipt, state=ReceiptState.STOPPED, error=reason, settled_at=now))
        self.quiet(db, publication)
        store.move(db, publication.id, PublicationState.STOPPED, only_from=OPEN, error=reason)
        self.note(db, publication, "publication_stopped", now, SYSTEM)
        params = {"statement": publication.statement, "reason": why}
        self.say(db, publication, Text("publish.stopped", params), f"stopped:{now}", now)
        self.conclude(db, self.known(db, publication.id), now)

    def conclude(self, db: Database, publication: Publication, now: int) -> None:
        """Look at what is under way; settle when nothing is open any more, else look again later."""
        receipts = []
        for receipt in store.receipts(db, publication.id):
            seen = look(db, receipt, now)
            if seen != receipt:
                store.put_receipt(db, seen)
            receipts.append(seen)
        waiting = [one for one in receipts if one.state.open]
        if waiting:
            timers.schedule(db, TICK, str(publication.id), self._next_look(publication, waiting, now), now)
            return
        if any(one.state is ReceiptState.UNCLEAR for one in receipts):
            return  # it may be out: a person looks and decides, and until then it is neither out nor not
        self._settle(db, self.known(db, publication.id), receipts, now)

    @staticmethod
    def _next_look(publication: Publication, waiting: Sequence[Receipt], now: int) -> int:
        if publication.embargo <= now:
            return next_look(publication, now)
        if all(not one.handed for one in waiting):
            return publication.embargo
        return min(next_look(publication, now), publication.embargo)

    def _settle(self, db: Database, publication: Publication, receipts: Sequence[Receipt], now: int) -> None:
        """Every target has answered. Where one has it, it is out, whatever became of the others."""
        whole = all(one.state.good for one in receipts)
        out = any(one.state.good for one in receipts)
        if publication.state is PublicationState.STOPPED:
            if publication.settled_at:
                return
            store.move(
                db, publication.id, PublicationState.STOPPED, only_from=(PublicationState.STOPPED,), settled_at=now,
                error=publication.error,
            )  # fmt: skip
        else:
            state = PublicationState.DONE if whole else PublicationState.FAILED
            if publication.state is state or publication.state not in (*OPEN, *SETTLED):
                return
            store.move(db, publication.id, state, only_from=(*OPEN, *SETTLED), settled_at=now)
            self.note(db, publication, "publication_settled" if whole else "publication_failing", now, SYSTEM)
            said = publish_words.settled(publication, receipts, ok=whole)
            self.say(db, publication, said, f"settled:{now}", now)
        self.quiet(db, publication)
        self.on_settled(db, publication.statement, out, now)
        self.wake_followers(db, publication, now)

    # -- parts

    def _waits_for(self, db: Database, publication: Publication) -> list[str]:
        """Audiences of the same incident that should hear of it first and have not yet: of what is under way, what
        will begin before the wait is over, and what is approved."""
        own = AUDIENCES.index(publication.audience)
        begun = [
            other.audience for other in store.open_of(db, publication.incident)
            if other.id != publication.id and other.drill == publication.drill
            and (other.state is not PublicationState.SCHEDULED or other.at <= publication.hold_until)
        ]  # fmt: skip
        names = {*begun, *self._approved(db, publication.incident)}
        return [name for name in AUDIENCES[:own] if name in names]

    def wake_followers(self, db: Database, publication: Publication, now: int) -> None:
        for other in store.open_of(db, publication.incident):
            if other.state is PublicationState.HELD and other.id != publication.id:
                timers.schedule(db, TICK, str(other.id), now, now)

    @staticmethod
    def _is_drill(db: Database, publication: Publication) -> bool:
        """The last look before the door: the incident's own kind decides, whatever the statement said."""
        incident = incident_store.get(db, publication.incident)
        return bool(publication.drill) or (incident is not None and incident.kind == "drill")

    def _publisher(self, receipt: Receipt, audience: str) -> PublisherConfig | None:
        found = next((one for one in self._config.publishers if one.id == receipt.target), None)
        if found is None and receipt.kind == "manual":
            return by_hand(receipt.target, audience, receipt.title)
        return found

    @staticmethod
    def known(db: Database, publication_id: int) -> Publication:
        found = store.get(db, publication_id)
        assert found is not None
        return found

    @staticmethod
    def quiet(db: Database, publication: Publication) -> None:
        timers.cancel(db, DUE, str(publication.id))
        timers.cancel(db, TICK, str(publication.id))

    @staticmethod
    def note(db: Database, publication: Publication, kind: str, now: int, actor: Actor) -> None:
        if incident_store.get(db, publication.incident) is not None:
            params = {"statement": publication.statement, "digest": publication.digest[:DIGEST_SHOWN]}
            incident_store.note(db, publication.incident, kind, now, actor, params)

    def say(self, db: Database, publication: Publication, text: Text, what: str, now: int) -> None:
        incident = incident_store.get(db, publication.incident)
        if incident is not None:
            key = f"publication:{publication.id}:{publication.begun_at}:{what}"
            self._notices.say(db, incident, text, now, key=key, reason="publish")


def by_hand(name: str, audience: str, title: str = "") -> PublisherConfig:
    """A place that no publisher stands for: somebody publishes there and says so."""
    return PublisherConfig.model_construct(
        id=name, kind="manual", title=title or name, audiences=[audience], role="pr", url=""
    )
