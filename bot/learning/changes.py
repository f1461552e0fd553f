"""A suggestion's change, made in the text of a playbook as it stands now. The rest of the text stays as it is."""

from bot.learning.suggestion import AddStep, AddWords, Change, DropStep, Rephrase, SetValues
from bot.learning.yaml_edits import (
    EditRefused,
    replaced,
    task,
    with_step,
    with_step_value,
    with_words,
    without_step,
)
from bot.response.editing import with_value
from bot.response.library import Entry, parse_playbook


def changed(change: Change, entry: Entry) -> str:
    """The playbook's text with the change. Raises ``EditRefused`` where it cannot be made in place."""
    if entry.root is None:
        raise EditRefused(entry.playbook.id)
    if isinstance(change, DropStep):
        return without_step(entry.source, entry.root, change.step)
    if isinstance(change, AddWords):
        return with_words(entry.source, entry.root, change.words)
    if isinstance(change, Rephrase):
        return replaced(entry.source, change.old, change.new)
    if isinstance(change, AddStep):
        return with_step(entry.source, entry.root, task(change.id, change.title, change.role, change.due))
    if isinstance(change, SetValues):
        return _with_values(entry, change)
    raise EditRefused(entry.playbook.id)


def _with_values(entry: Entry, change: SetValues) -> str:
    source, root = entry.source, entry.root
    for step, name, value in change.values:
        assert root is not None, "a text that was read has a tree"
        source = with_step_value(source, root, step, name, value) if step else with_value(source, root, name, value)
        again, _ = parse_playbook(source, entry.file)
        if again is None or again.root is None:
            raise EditRefused(name)
        root = again.root
    return source
