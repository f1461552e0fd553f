"""The library of cases put together: cases, proposals for the library, and when each is looked at."""

from dataclasses import dataclass

from sqlite_utils import Database

from bot.clock import Clock
from bot.config import Config
from bot.delivery.alarm import Errand, Handler
from bot.learning.case_cards import CasePanel
from bot.learning.cases import Cases
from bot.learning.look import LookErrand
from bot.learning.proposal_cards import LOOK, ProposalNotices
from bot.learning.proposals import Proposals
from bot.response.build import Response
from bot.store.database import Store


@dataclass(frozen=True, slots=True)
class LibraryRoom:
    cases: Cases
    panel: CasePanel
    proposals: Proposals
    notices: ProposalNotices

    def begin(self, db: Database, now: int) -> None:
        """At the start of a process."""
        self.cases.begin(db, now)
        self.notices.begin(db, now)

    def timers(self) -> dict[str, Handler]:
        return self.cases.timers()

    def errands(self, store: Store, clock: Clock) -> dict[str, Errand]:
        return {LOOK: LookErrand(store, clock, self.proposals, self.notices)}


def build(config: Config, response: Response, *, at_once: bool = True) -> LibraryRoom:
    """``at_once``: see ``Cases``."""
    cases = Cases(config, response.shelf.folder, response.advice, at_once=at_once)
    proposals = Proposals(config, response.living)
    return LibraryRoom(cases, CasePanel(cases), proposals, ProposalNotices(config, response.living, proposals))
