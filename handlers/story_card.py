"""The card of ``story``: what is being said about an incident."""

from collections.abc import Sequence

from bot.analysis.topics import Topic, topics_of
from bot.incidents import words
from bot.model.card import Card, Items, Paragraph, Quote, Section
from bot.model.incident import TimelineEntry
from bot.model.text import Text
from bot.reports.spread_picture import shown_name
from bot.reports.spreads import Reading
from bot.store.spread import NEWEST
from bot.texts import render

TOPICS_SHOWN = 5
STEPS_SHOWN = 6
CHANGES_SHOWN = 5
QUOTED = 100
CHANGES = ("topics_merged", "topic_split")
_ARROW = " → "


def story_card(reading: Reading, changes: Sequence[TimelineEntry], language: str) -> Card:
    """Topics with two posts or more, the largest first; then how they merged and split, newest last."""

    def say(key: str, **params: object) -> str:
        return render(Text(key, params), language)

    topics = [topic for topic in topics_of(reading.seen, reading.now) if topic.posts > 1]
    sections: list[Section] = []
    for topic in topics[:TOPICS_SHOWN]:
        sections += _topic(topic, language)
    if not topics:
        sections.append(Paragraph(say("spread.story_none")))
    if rest := topics[TOPICS_SHOWN:]:
        sections.append(Paragraph(say("spread.story_more", n=len(rest), posts=sum(topic.posts for topic in rest))))
    if changes:
        lines = [
            f"{words.clock_time(entry.happened_at)} {render(words.timeline(entry), language)}"
            for entry in changes[-CHANGES_SHOWN:]
        ]
        sections.append(Items(say("spread.story_changes"), tuple(lines)))
    incident = reading.incident
    return Card(
        title=say("spread.story_title", id=incident.id, title=words.title(incident)),
        grade=incident.grade,
        sections=tuple(sections),
        footer=say("spread.cut", n=f"{NEWEST:,}") if reading.cut else "",
        drill=say("card.drill", drill=incident.drill) if incident.drill else "",
    )


def _topic(topic: Topic, language: str) -> list[Section]:
    params = {
        "id": topic.id, "posts": f"{topic.posts:,}", "versions": f"{topic.versions:,}",
        "negative": f"{topic.negative:,}", "recent": f"{topic.recent:,}",
    }  # fmt: skip
    steps = []
    for arrival in topic.arrivals[:STEPS_SHOWN]:
        at = words.clock_time(arrival.first.at)
        step = Text("spread.story_step", {"platform": words.platform(arrival.platform), "at": at})
        name = shown_name(arrival.first.post.author.name or "")
        steps.append(f"{render(step, language)} {name}".rstrip())
    said = " ".join(topic.first.post.content.split())
    return [
        Items(render(Text("spread.story_head", params), language), (_ARROW.join(steps),)),
        Quote(said if len(said) <= QUOTED else said[:QUOTED] + "…", "", topic.first.post.url or ""),
    ]
