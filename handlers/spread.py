"""``spread``: how an incident travels. Read and worked out beside the flow, answered through the outbox."""

from collections.abc import Callable
from dataclasses import replace

from sqlite_utils import Database

from bot.analysis.cascade import ROOT, key_carriers, largest_accounts
from bot.analysis.cascades import Cascade
from bot.analysis.hints import Hint
from bot.analysis.influence_index import CARRIER, ENGAGEMENT, REACH, SENTIMENT, SPEED
from bot.analysis.spread import Spread
from bot.clock import HOUR, Clock
from bot.delivery import outbox, timers
from bot.delivery.timers import Timer
from bot.incidents import words
from bot.model.card import Card, Facts, Items, Paragraph, Section
from bot.model.message import Attachment, Message
from bot.model.text import Text
from bot.reports import spreads
from bot.reports.spread_picture import expected_params, people, shown_name
from bot.reports.spreads import Reading
from bot.store import incidents as incident_store
from bot.store.database import Store
from bot.store.spread import NEWEST
from bot.texts import render
from handlers.registry import EVERYBODY, Reply, Request, registry
from handlers.story_card import CHANGES, story_card

CARRIERS_SHOWN = 5
PLATFORMS_SHOWN = 8
BRIDGES_SHOWN = 3
HINT_WORDS = 40


@registry.command("spread", "传播", "传播分析", "扩散", "传播路径", roles=EVERYBODY)
def spread(request: Request) -> list[Reply]:
    """How it travels: repost chains, key carriers, the way across platforms, what to expect; with a picture."""
    return _ask(request, "spread")


@registry.command("story", "话题", "说法", "topics", "stories", roles=EVERYBODY)
def story(request: Request) -> list[Reply]:
    """What is being said: topics with their wordings, where each stood first and how it moved between platforms."""
    return _ask(request, "story")


def _ask(request: Request, what: str) -> list[Reply]:
    """Hand the question to the errand, which answers."""
    incident = request.incident()
    event = request.event
    private = event.private or event.origin in ("button", "form")
    payload = {
        "what": what, "incident": incident.id, "destination": event.destination,
        "audience": event.account if private else "", "reply": event.reply, "language": request.language,
    }  # fmt: skip
    asked = f"{what}:{incident.id}:{event.account}:{request.now}"
    timers.schedule(request.db, "spread", asked, request.now, request.now, payload)
    return []


class SpreadErrand:
    """Looks at thousands of posts on a reader and in a thread, so that no writer and no click waits for it."""

    def __init__(self, store: Store, clock: Clock, public_url: str = "") -> None:
        """``public_url``: where the console can be opened, for the picture as a page; empty for no link."""
        self._store = store
        self._clock = clock
        self._public_url = public_url.rstrip("/")

    async def __call__(self, timer: Timer) -> Callable[[Database, int], None]:
        payload = timer.payload
        reading = await spreads.read(self._store, payload["incident"], self._clock.now())
        language, picture = payload["language"], None
        if payload["what"] == "story":
            changes = await self._store.read(lambda db: incident_store.timeline(db, reading.incident.id, CHANGES))
            card = story_card(reading, changes, language)
        else:
            link = f"{self._public_url}/spread/{reading.incident.id}" if self._public_url else ""
            card = replace(spread_card(reading, language), link=link)
            picture = Attachment(spreads.SPREAD, {"incident": reading.incident.id}) if reading.spread.posts else None

        def apply(db: Database, now: int) -> None:
            message = Message(
                payload["destination"], card=card, attachment=picture, audience=payload["audience"],
                reply=payload["reply"], language=payload["language"], reason="answer", drill=reading.incident.drill,
            )  # fmt: skip
            outbox.enqueue(db, message, f"spread:{timer.id}", now)

        return apply


def spread_card(reading: Reading, language: str) -> Card:
    """The reading in words, most useful first."""

    def say(key: str, **params: object) -> str:
        return render(Text(key, params), language)

    found, incident = reading.spread, reading.incident
    sections: list[Section] = []
    if not found.posts:
        sections.append(Paragraph(say("spread.nothing")))
    else:
        if found.expected is not None:
            growing = found.expected.middle > found.expected.now
            key = "spread.expect" if growing else "spread.expect_over"
            sections.append(Paragraph(say(key, **expected_params(found)), strong=growing))
        sections.append(
            Facts(tuple((say(f"spread.label_{name}"), render(text, language)) for name, text in _facts(found)))
        )
        sections.append(Items(say("spread.way"), tuple(render(line, language) for line in _way(found)),
                              _more(len(found.arrivals) - PLATFORMS_SHOWN, language)))  # fmt: skip
        bridges = [render(line, language) for line in _bridges(found)]
        if bridges:
            sections.append(Items(say("spread.bridges"), tuple(bridges)))
        carriers = [render(line, language) for line in _carriers(found.cascades, language)]
        if carriers:
            sections.append(Items(say("spread.carriers"), tuple(carriers)))
        sections.append(
            Items(say("spread.details"), tuple(render(line, language) for line in _details(found, reading.now)))
        )
        if found.hints:
            sections.append(Items(say("spread.hints"), tuple(render(_hint(hint), language) for hint in found.hints)))
    notes = [say("spread.cut", n=f"{NEWEST:,}")] if reading.cut else []
    notes += [render(note, language) for note in _mended(found)]
    return Card(
        title=say("spread.title", id=incident.id, title=words.title(incident)),
        grade=incident.grade,
        sections=tuple(sections),
        footer=" ".join(notes),
        drill=render(Text("card.drill", {"drill": incident.drill}), language) if incident.drill else "",
    )


def _facts(found: Spread) -> list[tuple[str, Text]]:
    share = round(100 * found.negative / found.posts)
    facts = [
        ("posts", Text("spread.fact_posts", {
            "posts": f"{found.posts:,}", "platforms": len(found.arrivals), "share": share,
        })),
        ("index", Text("spread.fact_value", {"value": found.index.value})),
    ]  # fmt: skip
    if found.shape is None:
        return [*facts, ("chain", Text("spread.no_chain"))]
    size = {"size": f"{found.shape.size:,}", "depth": found.shape.depth}
    return [*facts, ("chain", Text("spread.fact_size", size))]


def _details(found: Spread, now: int) -> list[Text]:
    """The index with its parts; the largest chain, its way of travelling and its pace."""
    index = found.index
    lines = [
        Text("spread.fact_index", {
            "value": index.value, "reach": index.reach, "reach_most": REACH, "engagement": index.engagement,
            "engagement_most": ENGAGEMENT, "speed": index.speed, "speed_most": SPEED, "sentiment": index.sentiment,
            "sentiment_most": SENTIMENT, "carrier": index.carrier, "carrier_most": CARRIER,
        }),
    ]  # fmt: skip
    if found.shape is None or found.pace is None:
        return lines
    cascade, shape, pace = found.cascades[0], found.shape, found.pace
    name = shown_name(cascade.root.name)
    params = {
        "source": name or Text("spread.somebody"), "platform": words.platform(cascade.root.platform),
        "at": words.clock_time(cascade.root.at), "size": f"{shape.size:,}", "depth": shape.depth,
        "breadth": f"{shape.breadth:,}", "comments": f"{cascade.comments:,}",
    }  # fmt: skip
    key = "fact_chain" if cascade.collected_root else "fact_chain_unseen"
    kind = "kind_broadcast" if shape.virality < 2.2 else "kind_mixed" if shape.virality < 4 else "kind_viral"
    return [
        *lines,
        Text(f"spread.{key}", params),
        Text(f"spread.{kind}", {"virality": f"{shape.virality:.1f}", "share": f"{shape.direct_share:.0%}"}),
        Text("spread.fact_pace", {
            "last": f"{pace.last_hour:,}", "peak": f"{pace.peak:,}", "peak_at": words.clock_time(pace.peak_at),
            "peak_end": words.clock_time(min(now, pace.peak_at + HOUR))[-5:],
        }),
    ]  # fmt: skip


def _way(found: Spread) -> list[Text]:
    """Platform after platform: when, by whom, and whether in the same words."""
    lines = []
    for arrival in found.arrivals[:PLATFORMS_SHOWN]:
        name = shown_name(arrival.first.post.author.name or "")
        params = {
            "at": words.clock_time(arrival.first.at), "platform": words.platform(arrival.platform),
            "name": f" {name}" if name else "", "posts": f"{arrival.posts:,}",
            "words": Text("spread.same_words", {"platform": words.platform(arrival.words_from)})
            if arrival.words_from else "",
        }  # fmt: skip
        lines.append(Text("spread.arrival", params))
    return lines


def _bridges(found: Spread) -> list[Text]:
    """Who brought what was said to another platform, where more followed."""
    return [
        Text("spread.bridge", {
            "name": shown_name(bridge.post.post.author.name or "") or Text("spread.somebody"),
            "at": words.clock_time(bridge.post.at), "topic": bridge.story, "n": f"{bridge.followed:,}",
            "before": words.platform(bridge.words_from), "after": words.platform(bridge.post.post.platform),
        })
        for bridge in found.bridges[:BRIDGES_SHOWN]
        if bridge.followed
    ]  # fmt: skip


def _carriers(cascades: tuple[Cascade, ...], language: str) -> list[Text]:
    """Who carried the largest chain on: by what followed them, then the largest accounts not named yet."""
    if not cascades:
        return []
    tree = cascades[0].tree
    chosen = key_carriers(tree, CARRIERS_SHOWN - 1)
    chosen += [index for index in largest_accounts(tree, 3, 10_000) if index not in chosen]
    lines = []
    for index in chosen[:CARRIERS_SHOWN]:
        item = tree.items[index]
        key = "carrier" if tree.descendants[index] else "carrier_large"
        lines.append(Text(f"spread.{key}", {
            "name": shown_name(item.name) or Text("spread.somebody"), "at": words.clock_time(item.at),
            "followers": Text("spread.followers", {"count": people(item.followers, language)})
            if item.followers else Text("spread.followers_unknown"),
            "count": f"{tree.descendants[index]:,}", "depth": tree.depths[index],
            "quoted": Text("spread.only_quoted") if item.quoted else "",
        }))  # fmt: skip
    return lines


def _hint(hint: Hint) -> Text:
    shown = " ".join(hint.words.split())
    signs: list[Text] = []
    if "small_accounts" in hint.signs:
        signs.append(Text("spread.sign_small", {"n": hint.small}))
    if "names_alike" in hint.signs:
        signs.append(Text("spread.sign_alike", {"n": hint.alike}))
    return Text("spread.hint", {
        "at": words.clock_time(hint.at), "accounts": hint.accounts, "posts": hint.posts, "signs": signs,
        "platforms": [words.platform(name) for name in hint.platforms],
        "words": shown if len(shown) <= HINT_WORDS else shown[:HINT_WORDS] + "…",
    })  # fmt: skip


def _mended(found: Spread) -> list[Text]:
    """What the trees could not know."""
    lost = sum(cascade.tree.mended.missing_parents for cascade in found.cascades)
    quoted = sum(item.quoted for cascade in found.cascades for item in cascade.tree.items[ROOT + 1 :])
    notes = [Text("spread.note_lost", {"n": f"{lost:,}"})] if lost else []
    return [*notes, *([Text("spread.note_quoted", {"n": f"{quoted:,}"})] if quoted else [])]


def _more(left_out: int, language: str) -> str:
    return render(Text("spread.more_platforms", {"n": left_out}), language) if left_out > 0 else ""
