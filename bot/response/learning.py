"""Training: the short questions of the playbooks that a member will have to carry out, and how far everybody is."""

from collections.abc import Callable
from dataclasses import dataclass

from sqlite_utils import Database

from bot.config import Config, PersonConfig
from bot.response.library import Library
from bot.response.parts import Quiz
from bot.response.schema import Playbook
from bot.store import lessons


@dataclass(frozen=True, slots=True)
class Lesson:
    """One question of a playbook that concerns a member."""

    playbook: Playbook
    quiz: Quiz

    @property
    def key(self) -> tuple[str, int, str]:
        """A new version of a playbook is learnt anew: what was right last year may be wrong now."""
        return self.playbook.id, self.playbook.version, self.quiz.id


@dataclass(frozen=True, slots=True)
class Progress:
    """``learnt``: questions whose newest answer is right; ``first``: those that were right at once; ``last_at`` 0 for
    never."""

    learnt: int
    answered: int
    first: int
    questions: int
    last_at: int


class Training:
    def __init__(self, config: Config, library: Callable[[], Library]) -> None:
        self._config = config
        self._library = library

    def lessons(self, person: PersonConfig, playbook_id: str = "") -> list[Lesson]:
        """The questions for a member, in the order of the library. Named, any playbook may be learnt."""
        found: list[Lesson] = []
        for playbook in self._library().playbooks():
            if playbook_id and playbook.id != playbook_id:
                continue
            parts = roles_in(playbook, person)
            if not playbook_id and (not parts or not self._concerns(playbook)):
                continue
            found.extend(Lesson(playbook, quiz) for quiz in playbook.quiz if not quiz.roles or parts & set(quiz.roles))
        return found

    def following(self, db: Database, person: PersonConfig, playbook_id: str = "") -> Lesson | None:
        """What to ask next: what was never answered first, then what was answered wrongly, the longest ago first."""
        given = lessons.given(db, person.id)
        todo = self.lessons(person, playbook_id)
        fresh = next((lesson for lesson in todo if lesson.key not in given), None)
        wrong = [lesson for lesson in todo if lesson.key in given and not given[lesson.key].right]
        return fresh or min(wrong, key=lambda lesson: given[lesson.key].at, default=None)

    def find(self, playbook_id: str, question: str) -> Lesson | None:
        playbook = self._library().get(playbook_id)
        quiz = next((item for item in playbook.quiz if item.id == question), None) if playbook else None
        return Lesson(playbook, quiz) if playbook and quiz else None

    def progress(self, db: Database, person: PersonConfig, playbook_id: str = "") -> Progress:
        given = lessons.given(db, person.id)
        known = [given.get(lesson.key) for lesson in self.lessons(person, playbook_id)]
        answered = [item for item in known if item is not None]
        return Progress(
            learnt=sum(item.right for item in answered),
            answered=len(answered),
            first=sum(item.first_right for item in answered),
            questions=len(known),
            last_at=max((item.at for item in given.values()), default=0),
        )

    def _concerns(self, playbook: Playbook) -> bool:
        """A payment company need not learn how a network outage is handled."""
        own = {subject.industry for subject in self._config.subjects if subject.kind == "own"} - {"general"}
        return not own or bool({"general", *own} & set(playbook.industries))


def roles_in(playbook: Playbook, person: PersonConfig) -> set[str]:
    """The parts of a playbook that a member may have to play, at any grade or as a deputy."""
    names = {person.id, *person.roles}
    found: set[str] = set()
    for name, role in playbook.roles.items():
        meant = {name, *role.people, *role.deputies}
        for assigned in role.by_grade.values():
            meant.update(assigned.people, assigned.deputies)
        if meant & names:
            found.add(name)
    return found
