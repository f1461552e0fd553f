"""Rendered messages look right, and nothing in them can become markup."""

from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.testkit import render_slack, render_wecom
from bot.testkit.pictures import draw_signs, screenshot
from bot.testkit.slack_text import markdown, mrkdwn


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("*bold* and _soft_", "<b>bold</b> and <i>soft</i>"),
        ("2*3*4 and snake_case_name", "2*3*4 and snake_case_name"),
        ("a &lt;b&gt; &amp; c", "a &lt;b&gt; &amp; c"),
        ("<script>alert(1)</script>", "script"),
        ("<https://a.example/?x=1&amp;y=2|site>", '<a class="link" href="https://a.example/?x=1&amp;y=2">site</a>'),
        ("<javascript:alert(1)|click>", "click"),
        ("<https:|nowhere>", "nowhere"),
        ("<@U0LINA> <!channel>", '<span class="mention">@李娜</span> <span class="mention all">@channel</span>'),
        ("`*not bold*`", "<code>*not bold*</code>"),
        ("&gt; said\nafter", "<blockquote>said</blockquote>after"),
        (":red_circle: :unheard_of:", "🔴 :unheard_of:"),
        ("```\n<b>\n```", "<pre>&lt;b&gt;\n</pre>"),
    ],
)
def test_mrkdwn_becomes_the_html_slack_shows(text, html):
    shown = mrkdwn(text, {"U0LINA": "李娜"})
    if html == "script":
        assert "<script" not in shown
    else:
        assert shown == html


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("## Head", "<h4>Head</h4>"),
        ("- a **b**", '<div class="item">• a <b>b</b></div>'),
        ("[x](https://a.example)", '<p><a class="link" href="https://a.example">x</a></p>'),
        ("[x](javascript:1)", "<p>x</p>"),
    ],
)
def test_the_markdown_block_is_real_markdown(text, html):
    assert markdown(text) == html


def test_wecom_markdown_knows_its_subset_only():
    shown = render_wecom.render_markdown('## 标题\n**粗** <font color="warning">橙</font>\n- 不是列表 <b>')
    assert '<div class="h h2">标题</div>' in shown
    assert '<b>粗</b> <span class="warning">橙</span>' in shown
    assert "<div>- 不是列表 &lt;b&gt;</div>" in shown


def test_a_replaced_button_greys_all_buttons_out():
    card = {"card_type": "button_interaction", "button_list": [{"text": "Yes", "key": "y"}, {"text": "No", "key": "n"}]}
    assert "Yes" in render_wecom.render_card(card)
    gone = render_wecom.render_card(card, replaced="Taken")
    assert "Taken" in gone
    assert "Yes" not in gone


def test_signs_are_drawn_in_text_and_not_in_attributes():
    assert draw_signs('<i title="🔴">⚠️</i>').startswith('<i title="🔴"><span class="sign"')


class Reader(HTMLParser):
    """Collects what a browser would act on."""

    def __init__(self):
        super().__init__()
        self.tags, self.attributes, self.addresses = set(), set(), []

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}
        self.addresses += [value for name, value in attrs if name in ("href", "src")]


HARMLESS_TAGS = {"article", "section", "div", "span", "a", "b", "i", "s", "code", "pre", "blockquote", "br", "hr"}
HARMLESS_TAGS |= {"img", "p", "h4"}


def is_harmless(markup):
    reader = Reader()
    reader.feed(markup)
    reader.close()
    web = ("http://", "https://", "mailto:", "tel:", "data:image/")
    return (
        reader.tags <= HARMLESS_TAGS
        and reader.attributes <= {"class", "href", "src", "alt"}
        and all(address.lower().startswith(web) for address in reader.addresses)
    )


PIECES = ["<", ">", '"', "'", "&", "`", "*", "_", "|", "\n", "<script>", "javascript:", "onerror=", "\x00", "\x000\x00"]
PIECES += ["&lt;", "&#60;", "[a](", ")", "<font color=", '"info">', "</font>", "https://", "<@", "```", "x", " "]
nasty = st.text(max_size=60) | st.lists(st.sampled_from(PIECES), max_size=14).map("".join)


@given(nasty, nasty)
def test_no_text_in_a_slack_message_becomes_markup(text, other):
    obj = {"type": "mrkdwn", "text": text}
    blocks = [
        {"type": "header", "text": {"type": "plain_text", "text": text}},
        {"type": "section", "text": obj, "fields": [obj], "accessory": {"type": "image", "image_url": text}},
        {"type": "actions", "elements": [{"type": "button", "style": text, "text": obj}]},
        {"type": "context", "elements": [obj, {"type": "image", "image_url": other, "alt_text": text}]},
        {"type": "markdown", "text": text},
        {"type": "image", "image_url": text, "alt_text": other},
        {"type": text},
        {
            "type": "rich_text",
            "elements": [
                {
                    "type": "rich_text_section",
                    "elements": [{"type": "text", "text": text}, {"type": "emoji", "name": text}],
                }
            ],
        },
    ]
    assert is_harmless(render_slack.render_message(blocks, author=text, time=other, badge=text, only_you=text))
    assert is_harmless(render_slack.render_message([], text=text, names={"U": other}, files=[{"name": text}]))


@given(nasty, nasty)
def test_no_text_in_a_wecom_message_becomes_markup(text, other):
    card = {
        "card_type": "button_interaction",
        "source": {"desc": text, "icon_url": other},
        "main_title": {"title": text, "desc": other},
        "card_image": {"url": text},
        "emphasis_content": {"title": text, "desc": other},
        "quote_area": {"title": text, "quote_text": other},
        "sub_title_text": text,
        "horizontal_content_list": [{"keyname": text, "value": other, "type": 1, "url": text}],
        "jump_list": [{"title": text, "url": other}],
        "button_list": [{"text": text, "style": other}],
    }
    assert is_harmless(render_wecom.render_card(card))
    assert is_harmless(render_wecom.said(render_wecom.render_markdown(text), name=other, avatar=text))
    assert is_harmless(render_wecom.render_text(text))


@pytest.mark.browser
async def test_a_real_browser_takes_the_pictures(chromium, tmp_path):
    card = {"card_type": "text_notice", "main_title": {"title": "🟠 预警"}, "sub_title_text": "x"}
    documents = {
        "slack": render_slack.render_page(render_slack.render_message([], text="*预警* :red_circle:")),
        "wecom": render_wecom.render_page(render_wecom.said(render_wecom.render_card(card))),
    }
    for name, document in documents.items():
        target = tmp_path / f"{name}.png"
        await screenshot(document, target, chromium)
        picture = target.read_bytes()
        assert picture.startswith(b"\x89PNG")
        width, height = int.from_bytes(picture[16:20]), int.from_bytes(picture[20:24])
        assert width in (1360, 940)
        assert height > 60
