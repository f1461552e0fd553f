"""What the two renderers share: escaping, addresses, a whole page, and its picture by a real browser."""

import html
import re
from pathlib import Path

FONTS = "system-ui, -apple-system, 'PingFang SC', 'Microsoft YaHei', 'Noto Sans CJK SC', 'Noto Sans', sans-serif"

# Machines that take pictures often have no colour font, so the signs we use are drawn.
_DOTS = {"🔴": "#e5484d", "🟠": "#f28c28", "🟡": "#f2c037", "🔵": "#2f80ed", "🟢": "#2aa745", "⚪": "#d5d5da"}
_SIGNS = {"✅": ("#2aa745", "✓"), "❌": ("#e5484d", "✕"), "⚠": ("#f0a020", "!"), "🚨": ("#e5484d", "!")}
_DRAWN = re.compile(f"([{''.join([*_DOTS, *_SIGNS])}])\ufe0f?")
_WEB = re.compile(r"https?://[^\s/?#]", re.IGNORECASE)
_PERSON = re.compile(r"(?:mailto|tel):[^\s]", re.IGNORECASE)
_DRAWN_CSS = (
    ".dot{display:inline-block;width:.86em;height:.86em;border-radius:50%;vertical-align:-.06em}"
    ".sign{display:inline-block;width:1.1em;text-align:center;border-radius:3px;color:#fff;font-size:.86em;"
    "font-weight:700}"
)


def escape(text: object) -> str:
    """Text as HTML shows it, safe inside attributes too."""
    return html.escape(str(text if text is not None else ""), quote=True)


def link(url: object, label_html: str, css: str = "link") -> str:
    """An anchor around HTML; only web and mail addresses become one, anything else stays text."""
    address = str(url or "")
    if not _WEB.match(address) and not _PERSON.match(address):
        return label_html
    return f'<a class="{css}" href="{escape(address)}">{label_html}</a>'


def image(url: object, label: object, css: str) -> str:
    """A picture from the web or given as data; anything else shows its description."""
    address = str(url or "")
    if not _WEB.match(address) and not address.startswith("data:image/"):
        return f'<span class="{css} missing">{escape(label)}</span>'
    return f'<img class="{css}" src="{escape(address)}" alt="{escape(label)}">'


def draw_signs(markup: str) -> str:
    """Coloured circles and signs in the text of our own HTML as drawings; tags and their attributes stay."""

    def drawn(found: re.Match[str]) -> str:
        if found[1] in _DOTS:
            return f'<span class="dot" style="background:{_DOTS[found[1]]}"></span>'
        colour, mark = _SIGNS[found[1]]
        return f'<span class="sign" style="background:{colour}">{mark}</span>'

    pieces = re.split(r"(<[^>]*>)", markup)
    return "".join(piece if index % 2 else _DRAWN.sub(drawn, piece) for index, piece in enumerate(pieces))


def page(body: str, css: str, width: int = 640, language: str = "zh-CN") -> str:
    """A document that needs nothing else; its policy allows pictures and styles and no script."""
    policy = "default-src 'none'; style-src 'unsafe-inline'; img-src data: http: https:"
    return (
        f'<!doctype html><html lang="{escape(language)}"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">'
        f"<style>*{{box-sizing:border-box}}body{{margin:0;font-family:{FONTS}}}"
        f".shot{{width:{width}px}}{_DRAWN_CSS}{css}</style></head>"
        f'<body><main class="shot">{draw_signs(body)}</main></body></html>'
    )


async def screenshot(document: str, target: Path, chromium: Path, scale: int = 2) -> None:
    """Save a picture of the page's content. Needs ``playwright``, a development dependency, and a Chromium."""
    from playwright.async_api import async_playwright

    async with async_playwright() as tools:
        # The page holds no script and comes from no network, and containers often lack what the sandbox needs.
        browser = await tools.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        try:
            view = await browser.new_page(device_scale_factor=scale)
            await view.set_content(document)
            await view.locator(".shot").screenshot(path=target)
        finally:
            await browser.close()
