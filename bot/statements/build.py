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

TRIES, TRIES_PERIOD = 5, 10 * 60_000
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
    """Whether a code is right; a right one is used up in the transaction of the vote it confirms. After some wrong
    ones nobody's code counts for a while: six digits must not be found by trying. What was refused leaves no row, so
    the tries are counted in the process."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self._wrong: dict[str, list[int]] = {}

    def __call__(self, db: Database, person_id: str, code: str, now: int) -> bool:
        person = self._config.person(person_id)
        try:
            secret = secret_of(person.secret("totp")) if person is not None else b""
        except BadSecret:
            return False
        recent = [at for at in self._wrong.get(person_id, []) if now - at < TRIES_PERIOD]
        step = None
        if secret and len(recent) < TRIES:
            step = verify(secret, code, now, store.last_step(db, person_id))
        if step is None:
            self._wrong[person_id] = [*recent, now][-TRIES:]
            return False
        store.use_step(db, person_id, step)
        return True
