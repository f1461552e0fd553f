"""A whole card as lines of WeCom markdown: headings, bold, links, quotations and three font colours, no more."""

from bot.chat.wecom.words import Line, lines_of, safe_url, tame_line
from bot.model.card import Card, Facts, Items, Paragraph, Section, Whole
from bot.model.grade import Grade
from bot.model.text import Text
from bot.texts import render

_COLOUR = {Grade.BLUE: "info", Grade.YELLOW: "warning", Grade.ORANGE: "warning", Grade.RED: "warning"}
LAMP = {Grade.BLUE: "🔵 ", Grade.YELLOW: "🟡 ", Grade.ORANGE: "🟠 ", Grade.RED: "🔴 "}


def card_lines(card: Card, language: str) -> list[Line]:
    """The whole card as lines of WeCom markdown."""
    colour = _COLOUR.get(card.grade)
    label = tame_line(card.grade_label)
    head = [tame_line(card.drill), f'<font color="{colour}">{label}</font>' if colour and label else label]
    before = f"{LAMP.get(card.grade, '')}{' '.join(filter(None, head))} ".lstrip() if any(head) else ""
    lines = [Line(tame_line(card.title) or render(Text("wecom.title"), language), f"{before}**", "**")]
    if card.subtitle:
        lines += lines_of(card.subtitle, '<font color="comment">', "</font>")
    for section in card.sections:
        lines += _markdown_section(section)
    if card.footer:
        lines += lines_of(card.footer, '<font color="comment">', "</font>")
    if url := safe_url(card.link):
        lines.append(Line("", f"[{render(Text('wecom.open'), language)}]({url})"))
    return lines


def _markdown_section(section: Section) -> list[Line]:
    if isinstance(section, Whole):
        return lines_of(section.text)
    if isinstance(section, Paragraph):
        mark = "**" if section.strong and section.text.strip() else ""
        return [Line(line.text, mark, mark) if line.text.strip() else line for line in lines_of(section.text)]
    if isinstance(section, Facts):
        return [
            Line(tame_line(value), f'<font color="comment">{tame_line(label)}:</font> ')
            for label, value in section.rows
        ]
    if isinstance(section, Items):
        lines = [Line(tame_line(section.title), "**", "**")] if section.title.strip() else []
        lines += [Line(f"· {tame_line(line)}") for line in section.lines]
        return [*lines, *lines_of(section.more, '<font color="comment">', "</font>")] if section.more else lines
    lines = lines_of(section.text, "> ")
    source, url = tame_line(section.source), safe_url(section.url)
    if url:
        lines.append(Line("", f"> [{source or url}]({url})"))
    elif source:
        lines.append(Line(source, '> <font color="comment">', "</font>"))
    return lines
