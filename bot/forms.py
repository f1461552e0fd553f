"""Forms and completions as the chats ask for them: a command's own, a statement's, or that of a step as it stands."""

import asyncio
from collections.abc import Callable

from bot.clock import Clock
from bot.config import Config
from bot.incidents import people
from bot.model.card import Form
from bot.model.text import Text
from bot.response.runs import Runs
from bot.statements.service import Statements
from bot.store.database import Store
from bot.texts import render
from handlers.registry import Registry
from handlers.statement_forms import EDIT_FORM, statement_form
from handlers.step_forms import step_form


class Forms:
    """``changed`` is called when something may have been enqueued."""

    def __init__(
        self, config: Config, store: Store, clock: Clock, registry: Registry, runs: Runs, statements: Statements,
        changed: Callable[[], None],
    ) -> None:  # fmt: skip
        self._config = config
        self._store = store
        self._clock = clock
        self._registry = registry
        self._runs = runs
        self._statements = statements
        self._changed = changed

    def form_for(self, form_id: str, command: str, language: str) -> Form | None:
        """A form of a command, or of a step of a run as it stands now."""
        found = self._registry.form_for(form_id, command, language)
        return found or self._store.read_now(
            lambda db: (
                statement_form(db, form_id, command, language) or step_form(db, self._runs, form_id, command, language)
            )
        )

    def opened(self, form_id: str, command: str, chat: str, account: str) -> None:
        """Others see who is editing a text; it is a hint, so nobody waits for it."""
        actor = people.find_actor(self._config, chat, account)
        if form_id == EDIT_FORM and actor.person:
            now = self._clock.now()
            mark = asyncio.ensure_future(
                self._store.write(lambda db: self._statements.begin_editing(db, command, actor, now))
            )
            mark.add_done_callback(lambda done: self._changed() if not done.exception() else None)

    def complete(self, line: str, language: str) -> list[tuple[str, str]]:
        """What a line may go on with: what is inserted, and what it is called."""
        return [(insert, render(Text(key), language)) for insert, key in self._registry.complete(line, language)]
