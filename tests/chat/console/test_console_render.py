"""What the page shows of a card: everything, and nothing that runs."""

from html.parser import HTMLParser
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.chat.console.identity import Member
from bot.chat.console.messages import Entry
from bot.chat.console.render import safe_url
from bot.model.card import Button, Card, Facts, Form, FormField, Items, Paragraph, Quote
from bot.model.grade import Grade
from bot.texts import catalogue, placeholders

from .harness import Harness

LINA = Member("lina", "李娜")
HOSTILE = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    '"><svg onload=alert(1)>',
    "' onmouseover='alert(1)",
    "{{ 7 * 7 }} {% raw %} {{ entry.__class__ }}",
    "</article></section><style>*{display:none}</style>",
    "<a href=javascript:alert(1)>x</a>",
    "\u202e\u0000&lt;b&gt;",
]
TEXT = st.one_of(st.sampled_from(HOSTILE), st.text(max_size=40))


class Page(HTMLParser):
    """Tags with their attributes, and the text a person sees."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data


def entry(card: Card | None = None, text: str = "", **values: object) -> Entry:
    given_values = {"id": 7, "channel": "alerts", "thread": 0, "about": "", "object": "", "author": "", "audience": "",
                    "mentions": (), "picture": None, "drill": "", "posted_at": 1_757_500_000_000,
                    "changed_at": 1_757_500_000_000, "revision": 1} | values  # fmt: skip
    return Entry(card=card, text=text, **given_values)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def harness(tmp_path_factory: pytest.TempPathFactory) -> Harness:
    return Harness(Path(tmp_path_factory.mktemp("render")))


def assert_harmless(page: Page) -> None:
    allowed = {"article", "span", "img", "div", "header", "b", "time", "svg", "path", "button", "p", "a", "h3", "h4",
               "dl", "dt", "dd", "ul", "li", "figure", "figcaption", "blockquote"}  # fmt: skip
    for tag, attributes in page.tags:
        assert tag in allowed
        assert not [name for name in attributes if name.startswith("on") or name in ("style", "srcdoc")]
        for name in ("href", "src"):
            value = attributes.get(name)
            assert value is None or value.startswith(("https://", "http://", "#m", "/console/"))


sections = st.one_of(
    st.builds(Paragraph, TEXT, st.booleans()),
    st.builds(Facts, st.lists(st.tuples(TEXT, TEXT), max_size=3).map(tuple)),
    st.builds(Items, TEXT, st.lists(TEXT, max_size=3).map(tuple), TEXT),
    st.builds(Quote, TEXT, TEXT, st.one_of(TEXT, st.sampled_from(["javascript:alert(1)", "https://a.example/<x>"]))),
)
cards = st.builds(
    Card,
    title=TEXT,
    grade=st.sampled_from(Grade),
    grade_label=TEXT,
    subtitle=TEXT,
    sections=st.lists(sections, max_size=3).map(tuple),
    buttons=st.lists(st.builds(Button, TEXT, TEXT, TEXT, TEXT, st.sampled_from(["", "assign"])), max_size=2).map(tuple),
    footer=TEXT,
    link=TEXT,
    drill=TEXT,
)


@settings(max_examples=60, deadline=None)
@given(cards, TEXT, TEXT)
def test_whatever_a_card_says_it_is_shown_and_nothing_of_it_runs(
    harness: Harness, card: Card, text: str, author: str
) -> None:
    html = harness.console.renderer.message(entry(card, text, author=author), LINA, "zh-CN")
    page = Page(html)
    assert_harmless(page)
    # An HTML reader turns these into line feeds and replacement characters; it does so in any text.
    seen = page.text.replace("\r\n", "\n").replace("\r", "\n")
    for words in (card.title, card.subtitle, card.footer, text):
        assert words.replace("\r\n", "\n").replace("\r", "\n") in seen


@pytest.mark.parametrize("hostile", HOSTILE)
def test_hostile_words_keep_their_letters(harness: Harness, hostile: str) -> None:
    card = Card(title="x", sections=(Quote(hostile, hostile, "javascript:alert(1)"),))
    page = Page(harness.console.renderer.message(entry(card), LINA, "zh-CN"))
    assert page.text.count(hostile) == 2
    assert_harmless(page)


def test_forms_are_escaped_too(harness: Harness) -> None:
    nasty = HOSTILE[2]
    form = Form(
        "f",
        nasty,
        nasty,
        tuple(
            FormField(nasty, nasty, kind, initial=nasty, placeholder=nasty, options=((nasty, nasty),))
            for kind in ("text", "multiline", "choice", "person")
        ),
    )
    page = Page(harness.console.renderer.form(form, "en"))
    assert {tag for tag, _ in page.tags} <= {
        "form",
        "h2",
        "div",
        "label",
        "small",
        "input",
        "textarea",
        "select",
        "option",
        "button",
    }
    assert [attributes["name"] for tag, attributes in page.tags if tag in ("input", "textarea", "select")] == [
        nasty
    ] * 4


@pytest.mark.parametrize(
    ("url", "safe"),
    [
        ("https://weibo.example/1?a=b", True),
        ("http://a.example", True),
        (" https://a.example ", True),
        ("javascript:alert(1)", False),
        ("JaVaScRiPt:alert(1)", False),
        ("data:text/html,x", False),
        ("//a.example/x", False),
        ("/relative", False),
        ("https://", False),
        ("http://[broken", False),
        ("", False),
    ],
)
def test_only_web_addresses_become_links(url: str, safe: bool) -> None:
    assert bool(safe_url(url)) is safe


def test_links_open_apart_and_tell_nothing(harness: Harness) -> None:
    card = Card(title="x", link="https://a.example/", sections=(Quote("q", "s", "https://b.example/"),))
    page = Page(harness.console.renderer.message(entry(card), LINA, "zh-CN"))
    links = [attributes for tag, attributes in page.tags if tag == "a"]
    assert [link["href"] for link in links] == ["https://a.example/", "https://b.example/"]
    assert all("noopener" in (link["rel"] or "") and link["target"] == "_blank" for link in links)


def test_a_drill_is_marked_whatever_its_card_forgets(harness: Harness) -> None:
    show = harness.console.renderer.message
    assert "演练" in Page(show(entry(Card(title="x"), drill="d1"), LINA, "zh-CN")).text
    assert "Drill" in Page(show(entry(text="x", drill="d1"), LINA, "en")).text
    assert "演练" not in Page(show(entry(Card(title="x")), LINA, "zh-CN")).text


def test_who_may_only_read_gets_no_working_buttons(harness: Harness) -> None:
    html = harness.console.renderer.message(
        entry(Card(title="x", buttons=(Button("b", "c"),))), Member("a", "A", acts=False), "en"
    )
    buttons = [attributes for tag, attributes in Page(html).tags if tag == "button"]
    assert len(buttons) == 1
    assert "disabled" in buttons[0]


@pytest.mark.parametrize("area", ["console", "chart"])
def test_both_languages_say_the_same_things(area: str) -> None:
    chinese, english = (
        {key: placeholders(value) for key, value in catalogue(language).items() if key.startswith(f"{area}.")}
        for language in ("zh-CN", "en")
    )
    assert chinese == english
    assert chinese
