"""The room put together: drafting, review, approval, what is told of them."""

from collections.abc import Callable, Sequence

from sqlite_utils import Database

from bot.config import Config
from bot.incidents.notices import Notices
from bot.model.statement import Statement
from bot.response.build import Response
from bot.statements.cards import StatementCards
from bot.statements.drafting import Drafting
from bot.statements.notices import StatementNotices
from bot.statements.review import review
from bot.statements.service import Statements
from bot.statements.totp import BadSecret, secret_of, verify
from bot.store import statements as store

Receipts = Callable[[Database, Statement, str], Sequence[str]]


def build(config: Config, notices: Notices, response: Response, receipts: Receipts) -> Statements:
    """``receipts`` gives lines on where a publication stands. Steps of runs get their drafts from here, and drafts
    follow the facts and the grade of their incident."""
    cards = StatementCards(config)
    told = StatementNotices(config, notices, cards, receipts)
    drafting = Drafting(config, response.shelf.library)
    made = Statements(config, drafting, told, cards, review, response.runs.of, SecondFactor(config))
    made.connect(None, response.runs.statement_published)
    response.effects.drafts = made
    response.runs.listen(made.facts_changed)
    response.also(made.incident_changed)
    return made


class SecondFactor:
    """Whether a code is right; a right one is used up in the transaction of the vote it confirms."""

    def __init__(self, config: Config) -> None:
        self._config = config

    def __call__(self, db: Database, person_id: str, code: str, now: int) -> bool:
        person = self._config.person(person_id)
        try:
            secret = secret_of(person.secret("totp")) if person is not None else b""
        except BadSecret:
            return False
        step = verify(secret, code, now, store.last_step(db, person_id)) if secret else None
        if step is None:
            return False
        store.use_step(db, person_id, step)
        return True
