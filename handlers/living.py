"""The living library from chat: wish for a change, propose one, decide on it, go back, look at the history."""

import re

from bot.incidents import words
from bot.model.card import Button, Card, Items, Paragraph, Section
from bot.model.text import Text, UserError
from bot.response.living import Living, Proposal
from bot.response.living_notices import LivingNotices, proposal_card
from bot.store import playbook_versions as store
from bot.texts import render
from handlers.playbook import find_playbook
from handlers.registry import Reply, Request, narrow, registry

_WHOLE = re.compile(r"^(id|version|title):", re.MULTILINE)
_FENCE = re.compile(r"^\s*```\w*\n|\n?```\s*$")
SETTLED = frozenset({"settle", "办结", "已处理"})


@registry.command("propose", "提议", "修改建议", "预案建议", group="response")
def propose(request: Request) -> Reply:
    """``propose outage | words``: a wish for its owner; with the whole YAML of a playbook: its next version."""
    given = _FENCE.sub("", request.field("text", request.rest))
    living, notices = _living(request)
    if "\n" in given and len(_WHOLE.findall(given)) > 1:
        return _proposed(request, living.propose(request.db, given + "\n", request.actor, request.now))
    name, wanted = _name_and_words(request, given)
    settled = re.match(r"^#?(\d+)$", wanted)
    if name.lower() in SETTLED and settled:
        if not store.settle_wish(request.db, int(settled[1])):
            raise UserError("error.playbook_no_wish", n=settled[1])
        return Reply(Text("living.wish_settled", {"n": settled[1]}))
    if not wanted:
        raise UserError("error.propose_what")
    playbook = find_playbook(request, name)
    number = living.wish(request.db, playbook.id, wanted, request.actor, request.now)
    notices.wished(request.db, playbook, number, wanted, request.actor.name, request.now)
    owners = [person.name for person in living.owners(playbook)]
    return Reply(Text("living.wished", {"n": number, "owners": owners or ["—"]}))


@registry.command("playbook-edit", "修改预案", "预案修改", group="response")
def edit(request: Request) -> Reply:
    """``playbook-edit outage steps.check.due 10m``: propose one simple value."""
    parts = request.rest.split(maxsplit=2)
    if len(parts) < 3:
        raise UserError("error.playbook_edit_what")
    living, _ = _living(request)
    playbook = find_playbook(request, parts[0])
    return _proposed(
        request, living.edit(request.db, playbook.id, narrow(parts[1]), parts[2], request.actor, request.now)
    )


@registry.command("playbook-apply", "预案生效", "批准预案", group="response")
def apply(request: Request) -> Reply:
    """Put a proposed version in force, for the owner of the playbook."""
    living, _ = _living(request)
    playbook_id, number, _ = _version(request)
    proposal = living.apply(request.db, playbook_id, number, request.actor, request.now)
    if not proposal.version:
        return Reply(card=proposal_card(proposal, request.actor.name, request.language))
    params = {"id": playbook_id, "v": number, "who": request.actor.name}
    return Reply(Text("living.applied", params), private=False)


@registry.command("playbook-reject", "驳回预案", "预案驳回", group="response")
def reject(request: Request) -> Reply:
    living, _ = _living(request)
    playbook_id, number, reason = _version(request)
    living.reject(request.db, playbook_id, number, request.actor, request.now, reason)
    return Reply(Text("living.rejected", {"id": playbook_id, "v": number, "who": request.actor.name}), private=False)


@registry.command("playbook-rollback", "预案回退", "回退预案", group="response")
def rollback(request: Request) -> Reply:
    """Back to the version before, or to a named one."""
    living, _ = _living(request)
    name, _, last = request.rest.rpartition(" ")
    named = re.fullmatch(r"[vV]?(\d{1,6})", last) if name else None
    playbook_id = _playbook_id(request, name if named else request.rest)
    wanted = int(named[1]) if named else None
    number = living.rollback(request.db, playbook_id, wanted, request.actor, request.now)
    now_counts = Text("living.version", {"v": number}) if number else Text("living.the_file")
    params = {"id": playbook_id, "now": now_counts, "who": request.actor.name}
    return Reply(Text("living.rolled_back", params), private=False)


@registry.command("playbook-history", "预案历史", "预案版本", group="response")
def history(request: Request) -> Reply:
    """Every version with its state and people, the open wishes; with a version, what it changes."""
    living, _ = _living(request)
    match = re.match(r"^(\S.*?)\s+[vV](\d{1,6})$", request.rest)
    if match:
        version = living.version(request.db, _playbook_id(request, match[1]), int(match[2]))
        proposal = living.judged(request.db, version.text, version.version, request.now, version.reason)
        card = proposal_card(proposal, version.actor_name, request.language)
        shown = card if version.state == "proposed" else Card(card.title, sections=card.sections)
        return Reply(card=shown)
    playbook_id = _playbook_id(request, request.rest)
    return Reply(card=_history_card(request, living, playbook_id))


def _history_card(request: Request, living: Living, playbook_id: str) -> Card:
    entry = living.entry(request.db, playbook_id)
    file_version = living.file_version(playbook_id)
    key = "living.in_force_stored" if entry and entry.stored else "living.in_force_file"
    in_force = entry.playbook.version if entry else 0
    said = Text(key, {"v": in_force, "file": f"v{file_version}" if file_version else "—"})
    sections: list[Section] = [Paragraph(render(said, request.language), strong=True)]
    versions = store.history(request.db, playbook_id)
    lines = tuple(
        _say(
            request, "living.line", v=item.version, state=Text(f"playbook_state.{item.state}"), who=item.actor_name,
            at=words.clock_time(item.created_at), reason=f" — {item.reason}" if item.reason else "",
        )
        for item in versions
    )  # fmt: skip
    if lines:
        sections.append(Items(_say(request, "living.versions"), lines))
    wishes = tuple(
        _say(request, "living.wish_line", n=item.id, who=item.actor_name, words=item.words)
        for item in store.wishes(request.db, playbook_id)
    )
    if wishes:
        sections.append(Items(_say(request, "living.wishes"), wishes))
    buttons: tuple[Button, ...] = ()
    if living.may_decide(request.db, playbook_id, request.actor):
        buttons = tuple(
            Button(_say(request, "button.playbook_apply_v", v=item.version),
                   f"playbook-apply {playbook_id} v{item.version}")
            for item in versions if item.state == "proposed"
        )[:4]  # fmt: skip
        if entry and entry.stored:
            label = _say(request, "button.playbook_rollback")
            buttons += (Button(label, f"playbook-rollback {playbook_id}", "danger", confirm=label),)
    return Card(_say(request, "living.history_title", id=playbook_id), sections=tuple(sections), buttons=buttons)


def _proposed(request: Request, proposal: Proposal) -> Reply:
    _, notices = _living(request)
    if proposal.version:
        notices.proposed(request.db, proposal, request.actor.name, request.actor.person, request.now)
    return Reply(card=proposal_card(proposal, request.actor.name, request.language))


def _version(request: Request) -> tuple[str, int, str]:
    """``outage v3 words`` → playbook id, number, the words after it."""
    match = re.match(r"^(\S.*?)\s+[vV](\d{1,6})(?:\s+(.*))?$", narrow(request.rest), re.DOTALL)
    if not match:
        raise UserError("error.playbook_which_version", example=f"{request.name} outage v3")
    return _playbook_id(request, match[1]), int(match[2]), (match[3] or "").strip()


def _playbook_id(request: Request, name: str) -> str:
    """A playbook of the library, or the id of one that so far is only proposed."""
    if not name.strip():
        raise UserError("error.playbook_which_version", example=f"{request.name} outage")
    if store.highest(request.db, name.strip()):
        return name.strip()
    return find_playbook(request, name).id


def _name_and_words(request: Request, given: str) -> tuple[str, str]:
    """``name | words``, or a one-word name and the rest."""
    text = given.replace("｜", "|").strip()
    name, _, wanted = text.partition("|") if "|" in text else text.partition(" ")
    return name.strip(), wanted.strip()


def _living(request: Request) -> tuple[Living, LivingNotices]:
    living, notices = request.services.living, request.services.living_notices
    assert living is not None and notices is not None, "every process has a library"
    return living, notices


def _say(request: Request, key: str, **params: object) -> str:
    return render(Text(key, params), request.language)
