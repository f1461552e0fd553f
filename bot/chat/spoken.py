"""Command lines as a reader of a language would type them: the word of the language in the place of the name."""

from bot.model.text import Text
from bot.texts import has, render


def spoken(command: str, language: str) -> str:
    """``ack I-2`` → ``确认 I-2`` in Chinese; a command the catalogue has no word for stays as it is."""
    name, _, rest = command.partition(" ")
    word = render(Text(f"wecom.word.{name}"), language) if has(f"wecom.word.{name}") else name
    return f"{word} {rest}".strip()
