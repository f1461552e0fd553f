"""Which playbook an incident calls for: the ranking with its reasons, and what starts by itself."""

import threading
from collections.abc import Sequence

from sqlite_utils import Database

from bot.config import Config
from bot.model.grade import GENERAL_FAMILY
from bot.model.incident import Incident
from bot.response.condition import evaluate, parse_condition
from bot.response.match import Match, Matcher, Outcome, Situation
from bot.response.schema import Playbook
from bot.response.scope import incident_scope
from bot.response.shelf import Shelf
from bot.store import counts, posts
from bot.store import runs as run_store

MINUTE = 60_000
TEXTS = 12
NAMED_TYPE = 0.9  # the type an incident is named by weighs at least this much
REMEMBERED = 2_000


class Advice:
    def __init__(self, config: Config, shelf: Shelf) -> None:
        self._config = config
        self._shelf = shelf
        self._matcher: tuple[int, Matcher] | None = None
        self._comparing = threading.Lock()
        self._known: dict[tuple[object, ...], list[Match]] = {}

    def rank(self, db: Database, incident: Incident, now: int) -> list[tuple[Playbook, Match]]:
        """Fitting playbooks, best first; kept while the incident, the period and what came of runs are the same."""
        self._shelf.follow(db)
        library = self._shelf.library()
        posts_meant = tuple(post for signal in incident.signals for post in signal.posts)
        outcomes = tuple(run_store.outcomes(db))
        key = (
            self._shelf.version, incident.id, incident.crisis_type, incident.grade, posts_meant,
            self._sensitive(now), outcomes,
        )  # fmt: skip
        if key not in self._known:
            if len(self._known) >= REMEMBERED:
                self._known.clear()
            self._known[key] = self._current().rank(self._situation(db, incident, posts_meant, outcomes, now))
        found = [(library.get(match.playbook_id), match) for match in self._known[key]]
        return [(playbook, match) for playbook, match in found if playbook is not None]

    def playbooks(self) -> list[Playbook]:
        return self._shelf.library().playbooks()

    def best(self, db: Database, incident: Incident, now: int) -> tuple[Playbook, Match] | None:
        """The one to recommend: the best that is meant for a grade like this one."""
        ranked = self.rank(db, incident, now)
        return next((item for item in ranked if incident.grade >= item[0].grades.start), None)

    def automatic(self, db: Database, incident: Incident, now: int) -> tuple[Playbook, Match] | None:
        """The best playbook, if it says that it starts by itself at this grade, score and condition."""
        found = self.best(db, incident, now)
        if found is None:
            return None
        rule = found[0].auto_start
        if rule is None or incident.grade < rule.start or found[1].score < rule.score:
            return None
        if rule.when:
            scope = incident_scope(db, self._config, incident, now)
            if evaluate(parse_condition(rule.when), scope) is not True:
                return None
        return found

    def prepare(self) -> None:
        """Compare the library's examples beforehand, so that no alert waits for it."""
        self._current()

    def _current(self) -> Matcher:
        with self._comparing:
            playbooks = self._shelf.library().playbooks()
            if self._matcher is None or self._matcher[0] != self._shelf.version:
                self._matcher = (self._shelf.version, Matcher(playbooks))
            return self._matcher[1]

    def _sensitive(self, now: int) -> bool:
        return any(period.from_ <= now < period.to for period in self._config.grading.sensitive_periods)

    def _situation(
        self,
        db: Database,
        incident: Incident,
        seqs: tuple[int, ...],
        outcomes: Sequence[tuple[str, int, int]],
        now: int,
    ) -> Situation:
        subject = next((item for item in self._config.subjects if item.id == incident.subject), None)
        mentions = posts.mentions_of(db, incident.subject, list(dict.fromkeys(seqs))[:TEXTS])
        return Situation(
            kinds=self._kinds(db, incident, now),
            industry=subject.industry if subject else "general",
            grade=incident.grade,
            subject_kind=subject.kind if subject else "own",
            texts=[mention.text for mention in mentions],
            platforms=list(dict.fromkeys(mention.platform for mention in mentions)),
            posture=self._config.playbooks.posture,
            sensitive_period=self._sensitive(now),
            # How earlier real runs ended: carried through or broken off.
            outcomes={name: Outcome(total, done / total) for name, total, done in outcomes},
        )

    def _kinds(self, db: Database, incident: Incident, now: int) -> dict[str, float]:
        """The kinds people talk of in the last hour, as shares; the incident's own one always leads."""
        minute = now // MINUTE
        terms = counts.terms(db, incident.subject, incident.drill, minute - 59, minute)
        families = {incident.family, GENERAL_FAMILY}
        found: dict[str, int] = {}
        for term in terms:
            if term.kind == "type" and term.family in families:
                found[term.word] = found.get(term.word, 0) + term.count
        most = max(found.values(), default=1)
        kinds = {name: count / most for name, count in found.items()}
        kinds[incident.crisis_type] = max(kinds.get(incident.crisis_type, 0.0), NAMED_TYPE)
        return kinds
