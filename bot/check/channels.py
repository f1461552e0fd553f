"""Subjects, the channels they report to, and whether those lead anywhere."""

from collections.abc import Iterator

from bot.check.findings import Finding, error, note, ok, warn
from bot.config import ChannelConfig, Config, PersonConfig
from bot.incidents.notices import DRILL_CHANNEL
from bot.incidents.service import GRADE_CAP
from bot.model.text import Text
from bot.warning.assess import DIMENSION, preset_names

_GRADES = ("blue", "yellow", "orange", "red")


def check(config: Config) -> list[Finding]:
    found = [*_subjects(config)]
    for name, channel in config.channels.items():
        found += _channel(config, name, channel)
    found += _grading(config)
    if DRILL_CHANNEL not in config.channels:
        found.append(note("no_drill_channel"))
    if not any(level == "error" for level, _ in found):
        found.append(ok("subjects", subjects=len(config.subjects), channels=len(config.channels)))
    return found


def _subjects(config: Config) -> Iterator[Finding]:
    if not config.subjects:
        yield error("no_subjects")
    taken = {subject.channel for subject in config.subjects if subject.channel} | {DRILL_CHANNEL}
    common = [name for name in config.channels if name not in taken]
    for subject in config.subjects:
        hears = [*common, *([subject.channel] if subject.channel else [])]
        if not hears:
            yield error("subject_without_channel", subject=subject.name)
        elif not subject.channel:
            yield note("subject_to_common", subject=subject.name, channels=hears)
        cap = GRADE_CAP[subject.kind]
        if hears and all(config.channels[name].min_grade > cap for name in hears):
            yield error(
                "subject_never_shown", subject=subject.name, kind=Text(f"kind.{subject.kind}"),
                highest=Text(f"grade.{cap.word}"),
            )  # fmt: skip


def _channel(config: Config, name: str, channel: ChannelConfig) -> Iterator[Finding]:
    wanted = {
        "slack": bool(channel.slack),
        "wecom": bool(channel.wecom or channel.wecom_robot or channel.wecom_group),
        "email": bool(channel.email),
        "sms": bool(channel.sms),
    }
    if not any(wanted.values()) and not channel.console:
        yield error("channel_without_destination", channel=name)
    for chat, used in wanted.items():
        if used and getattr(config.chat, chat) is None:
            yield error("channel_without_chat", channel=name, chat=chat)
    for chat, receivers in (("wecom", channel.wecom), ("email", channel.email), ("sms", channel.sms)):
        for receiver in receivers:
            person = config.person(receiver)
            if person is not None and not _account(person, chat):
                yield error("receiver_without_account", channel=name, person=person.name, field=_FIELD[chat])


_FIELD = {"wecom": "wecom", "email": "email", "sms": "phone"}


def _account(person: PersonConfig, chat: str) -> str:
    return str(getattr(person, _FIELD[chat]))


def _grading(config: Config) -> Iterator[Finding]:
    grading = config.grading
    if grading.preset and grading.preset not in preset_names():
        yield warn("unknown_preset", preset=grading.preset, known=preset_names())
    numbers = {"need"}
    for metric, ladder in grading.thresholds.items():
        if metric not in DIMENSION and metric not in numbers:
            yield error("unknown_metric", metric=metric, known=list(DIMENSION))
            continue
        values = [ladder[grade] for grade in _GRADES if grade in ladder]
        if values != sorted(values):
            yield error("ladder_falls", metric=metric)
    for period in grading.sensitive_periods:
        if period.from_ >= period.to:
            yield error("period_backwards", period=period.name)
