"""Collected and typed text on its way into and out of Slack: nothing in it may ping, link or format."""

import re

# Controls nobody can see, and the marks that turn the direction of text around (they can make a word read as another).
_INVISIBLE = re.compile("[\x00-\x08\x0b-\x1f\x7f\u202a-\u202e\u2066-\u2069]")
_SURROGATES = re.compile("[\ud800-\udfff]")
_BROADCAST = re.compile(r"@(?=(?:here|channel|everyone)\b)", re.IGNORECASE)
# What mrkdwn would turn into something else: emphasis, code, emoji names.
_MARKUP = re.compile(r"[*_~`]|:[A-Za-z0-9_+'-]+:")
_MEMBER = re.compile(r"[UW][A-Z0-9]{2,}")
_GROUP = re.compile(r"S[A-Z0-9]{6,}")
_SAID = re.compile(r"<([^<>|]*)(?:\|([^<>]*))?>")
_LINKABLE = re.compile(r"https?://[^\s]+", re.IGNORECASE)
WORD_JOINER = "\u2060"


def clean(text: str) -> str:
    """The same words without what cannot be sent or only deceives: lone surrogates, controls, direction marks."""
    return _INVISIBLE.sub("", _SURROGATES.sub("\ufffd", text.replace("\r\n", "\n")))


def escape(text: str) -> str:
    """Text as it may stand in mrkdwn: Slack's three characters escaped, and the broadcast words broken in case a client
    links names by itself (docs.slack.dev/messaging/formatting-message-text)."""
    escaped = clean(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return _BROADCAST.sub("@" + WORD_JOINER, escaped)


def has_markup(text: str) -> bool:
    """Whether mrkdwn would show something else than the characters that stand there."""
    return bool(_MARKUP.search(text)) or text.lstrip().startswith((">", "&gt;"))


def mention(account: str) -> str:
    """The markup that pings a member or a user group; a name that is neither is shown and pings nobody."""
    if _MEMBER.fullmatch(account):
        return f"<@{account}>"
    if _GROUP.fullmatch(account):
        return f"<!subteam^{account}>"
    return escape(f"@{account}")


def web_link(url: str) -> str:
    """The address if it can be offered as a link without leaving its place in the markup, else empty."""
    url = clean(url).strip()
    if not _LINKABLE.fullmatch(url):
        return ""
    return url.replace("<", "%3C").replace(">", "%3E").replace("|", "%7C").replace('"', "%22")


def said(text: str, bot_user: str = "") -> str:
    """What a member typed, from Slack's markup back to words: the bot's own mention goes, members become ``@U…``,
    channels ``#name``, links their address."""

    def word(match: re.Match[str]) -> str:
        target, label = match[1], match[2] or ""
        if target.startswith("@"):
            return "" if bot_user and target[1:] == bot_user else target
        if target.startswith("#"):
            return "#" + (label or target[1:])
        if target.startswith("!"):
            return label or "@" + target[1:].partition("^")[0]
        return target.removeprefix("mailto:").removeprefix("tel:")

    words = _SAID.sub(word, text)
    words = words.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
    return "\n".join(" ".join(line.split()) for line in words.splitlines()).strip()
