"""Training from chat: one short question at a time, the answer with its reason, and how far everybody is."""

from bot.config import PersonConfig
from bot.incidents import people, words
from bot.incidents.people import MANAGER_ROLES
from bot.model.card import Button, Card, Items, Paragraph, Section
from bot.model.text import Text, UserError
from bot.response.learning import Lesson, Progress, Training
from bot.response.parts import Quiz
from bot.store import lessons
from bot.texts import render
from handlers.playbook import current_library, find_playbook
from handlers.registry import Reply, Request, narrow, registry

LETTERS = "ABCDEFGHIJ"
STATUS_WORDS = frozenset({"status", "进度", "情况", "成绩"})


@registry.command("learn", "学习", "培训", "training", "quiz", group="team")
def learn(request: Request) -> Reply:
    """``learn``: the next question; ``learn outage``: of one playbook; ``learn B``: the answer; ``learn status``."""
    person = _member(request)
    given = request.rest.split()
    if given and given[0].lower() in STATUS_WORDS:
        return _status(request, person, " ".join(given[1:]))
    training = _training(request)
    if not given:
        return _ask(request, training, person, training.following(request.db, person), "")
    if len(given) == 3 and (named := training.find(given[0], given[1])) is not None:
        return _take(request, training, person, named, given[2])
    last = lessons.asked(request.db, person.id)
    lesson = training.find(*last) if last else None
    if lesson is not None and _option(lesson.quiz, request.rest, request.language):
        return _take(request, training, person, lesson, request.rest)
    if len(narrow(request.rest).strip()) == 1:
        # A letter or digit is never the name of a playbook.
        raise UserError("error.learn_option", options=_letters(lesson.quiz) if lesson else ["—"])
    playbook = find_playbook(request, request.rest)
    if not training.lessons(person, playbook.id):
        raise UserError("error.learn_no_questions", title=playbook.title.in_language(request.language))
    return _ask(request, training, person, training.following(request.db, person, playbook.id), playbook.id)


def _take(request: Request, training: Training, person: PersonConfig, lesson: Lesson, words_: str) -> Reply:
    """Record an answer, say whether it is right and why, and ask the next one of the same playbook."""
    option = _option(lesson.quiz, words_, request.language)
    if not option:
        raise UserError("error.learn_option", options=_letters(lesson.quiz))
    right = option == lesson.quiz.answer
    lessons.record(
        request.db, person=person.id, playbook=lesson.playbook.id, version=lesson.playbook.version,
        question=lesson.quiz.id, answer=option, right=right, now=request.now,
    )  # fmt: skip
    key = "learn.right" if right else "learn.wrong"
    label = _label(lesson.quiz, lesson.quiz.answer, request.language)
    verdict = (
        Paragraph(_say(request, key, answer=label), strong=True),
        Paragraph(lesson.quiz.why.in_language(request.language)),
    )
    following = training.following(request.db, person, lesson.playbook.id)
    if following is not None and following.key == lesson.key and not right:
        # Not the same one at once: the answer still stands above it.
        following = training.following(request.db, person)
        following = None if following is not None and following.key == lesson.key else following
    following = following or (training.following(request.db, person) if right else None)
    return _ask(request, training, person, following, "", verdict)


def _ask(
    request: Request, training: Training, person: PersonConfig, lesson: Lesson | None, playbook_id: str,
    before: tuple[Section, ...] = (),
) -> Reply:  # fmt: skip
    """The card with a question, or with the end of it."""
    progress = training.progress(request.db, person, lesson.playbook.id if lesson else playbook_id)
    if lesson is None:
        lessons.ask_nothing(request.db, person.id)
        return Reply(card=_end(request, progress, before), private=True)
    lessons.ask(request.db, person.id, lesson.playbook.id, lesson.quiz.id, request.now)
    language = request.language
    lines = tuple(
        f"{letter}. {option.label.in_language(language)}"
        for letter, option in zip(LETTERS, lesson.quiz.options, strict=False)
    )
    buttons = tuple(
        Button(letter, f"learn {lesson.playbook.id} {lesson.quiz.id} {letter}") for letter in _letters(lesson.quiz)
    )
    card = Card(
        _say(request, "learn.title", title=lesson.playbook.title.in_language(language)),
        subtitle=_say(request, "learn.progress", learnt=progress.learnt, questions=progress.questions),
        sections=(*before, Items(lesson.quiz.question.in_language(language), lines)),
        buttons=buttons,
        footer=_say(request, "learn.how", letter=LETTERS[0]),
    )
    return Reply(card=card, private=True)


def _end(request: Request, progress: Progress, before: tuple[Section, ...]) -> Card:
    if not progress.questions:
        key = "learn.nothing"
    else:
        key = "learn.through" if progress.learnt == progress.questions else "learn.pause"
    said = Paragraph(_say(request, key, learnt=progress.learnt, questions=progress.questions))
    buttons = () if key != "learn.pause" else (Button(_say(request, "button.learn"), "learn", "primary"),)
    return Card(_say(request, "learn.end_title"), sections=(*before, said), buttons=buttons)


def _status(request: Request, person: PersonConfig, named: str) -> Reply:
    """How far members and roles are. Single results of others are for those who lead."""
    training, config = _training(request), request.services.config
    leads = bool(request.actor.roles & MANAGER_ROLES)
    shown = list(config.people) if leads else [person]
    if named:
        asked = people.find_person(config, named)
        if asked is None:
            raise UserError("error.no_such_person", name=named, people=[item.name for item in shown])
        if not leads and asked.id != person.id:
            raise UserError("error.learn_others")
        shown = [asked]
    reached = {item.id: training.progress(request.db, item) for item in config.people}
    members = tuple(_member_line(request, item, reached[item.id]) for item in shown)
    sections: list[Section] = [Items(_say(request, "learn.members"), members)]
    if not named:
        sections.append(Items(_say(request, "learn.roles"), tuple(_role_lines(request, reached))))
    if len(shown) == 1:
        sections.append(Items(_say(request, "learn.playbooks"), tuple(_playbook_lines(request, training, shown[0]))))
    button = Button(_say(request, "button.learn"), "learn", "primary")
    return Reply(card=Card(_say(request, "learn.status_title"), sections=tuple(sections), buttons=(button,)),
                 private=True)  # fmt: skip


def _member_line(request: Request, person: PersonConfig, progress: Progress) -> str:
    if not progress.questions:
        return _say(request, "learn.member_none", name=person.name)
    params = {
        "name": person.name, "learnt": progress.learnt, "questions": progress.questions, "first": progress.first,
        "answered": progress.answered,
        "last": words.clock_time(progress.last_at) if progress.last_at else Text("learn.never"),
    }  # fmt: skip
    return render(Text("learn.member", params), request.language)


def _role_lines(request: Request, reached: dict[str, Progress]) -> list[str]:
    lines = []
    config = request.services.config
    for role in dict.fromkeys(role for item in config.people for role in item.roles):
        held = [reached[item.id] for item in config.people if role in item.roles]
        last = max(item.last_at for item in held)
        params = {
            "role": words.role(role), "learnt": sum(item.learnt for item in held),
            "questions": sum(item.questions for item in held), "n": len(held),
            "through": sum(item.questions > 0 and item.learnt == item.questions for item in held),
            "last": words.clock_time(last) if last else Text("learn.never"),
        }  # fmt: skip
        lines.append(render(Text("learn.role", params), request.language))
    return lines


def _playbook_lines(request: Request, training: Training, person: PersonConfig) -> list[str]:
    titles = {lesson.playbook.id: lesson.playbook for lesson in training.lessons(person)}
    lines = []
    for playbook in titles.values():
        progress = training.progress(request.db, person, playbook.id)
        lines.append(_say(request, "learn.playbook", title=playbook.title.in_language(request.language),
                          id=playbook.id, learnt=progress.learnt, questions=progress.questions))  # fmt: skip
    return lines


def _option(quiz: Quiz, said: str, language: str) -> str:
    """The option that is meant by letter, number, id or its words; empty for none."""
    wanted = narrow(said).strip().rstrip(".。").lower()
    for letter, option in zip(LETTERS, quiz.options, strict=False):
        number = str(LETTERS.index(letter) + 1)
        names = {letter.lower(), number, option.id, option.label.zh.lower(), option.label.en.lower()}
        if wanted in names:
            return option.id
    return ""


def _letters(quiz: Quiz) -> list[str]:
    return list(LETTERS[: len(quiz.options)])


def _label(quiz: Quiz, option_id: str, language: str) -> str:
    index = next(number for number, option in enumerate(quiz.options) if option.id == option_id)
    return f"{LETTERS[index]}. {quiz.options[index].label.in_language(language)}"


def _training(request: Request) -> Training:
    return Training(request.services.config, lambda: current_library(request))


def _member(request: Request) -> PersonConfig:
    person = request.services.config.person(request.actor.person)
    assert person is not None, "strangers are turned away before"
    return person


def _say(request: Request, key: str, **params: object) -> str:
    return render(Text(key, params), request.language)
