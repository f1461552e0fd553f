"""What is learnt of incidents, put together: whoever learns from an end hangs on here."""

from collections.abc import Callable, Mapping

from sqlite_utils import Database

from bot.config import Config
from bot.delivery.alarm import Handler
from bot.incidents.notices import Notices
from bot.learning.moments import Moments, moments_of
from bot.learning.retrospect import Similar, same_type
from bot.learning.retrospectives import Retrospectives
from bot.model.incident import Incident

Follower = Callable[[Database, Incident, str, int], None]


class Learning:
    """``moments`` reads an incident; ``also`` lets others hear of its changes, ``fires`` gives them timers."""

    def __init__(self, config: Config, notices: Notices, similar: Similar = same_type) -> None:
        self._config = config
        self._notices = notices
        self._followers: list[Follower] = []
        self.retrospectives = Retrospectives(config, notices, similar)
        self._timers: dict[str, Handler] = self.retrospectives.timers()
        self.also(self.retrospectives.incident_changed)

    def moments(self, db: Database, incident: Incident, now: int) -> Moments:
        return moments_of(db, incident, now)

    def also(self, *followers: Follower) -> None:
        """``followers`` hear of every change of an incident, in its transaction."""
        self._followers.extend(followers)

    def fires(self, handlers: Mapping[str, Handler]) -> None:
        self._timers.update(handlers)

    def incident_changed(self, db: Database, incident: Incident, what: str, now: int) -> None:
        for follower in self._followers:
            follower(db, incident, what, now)

    def timers(self) -> dict[str, Handler]:
        return dict(self._timers)


def build(config: Config, notices: Notices, similar: Similar = same_type) -> Learning:
    """``similar``: which earlier incidents a retrospective compares with."""
    return Learning(config, notices, similar)
