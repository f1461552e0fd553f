"""Colours of charts. Negative and positive differ in lightness too, so that they can be told apart in grey and by
people who confuse red with green."""

from bot.model.grade import Grade, Sentiment

SENTIMENT = {Sentiment.NEGATIVE: "#c9423f", Sentiment.NEUTRAL: "#b4bcc8", Sentiment.POSITIVE: "#3f8fb5"}
GRADE = {
    Grade.NONE: "#8a94a3",
    Grade.BLUE: "#2f6fde",
    Grade.YELLOW: "#c79200",
    Grade.ORANGE: "#dd6b10",
    Grade.RED: "#c81e3a",
}
USUAL = "#1f2a37"
AHEAD = "#7a6bb0"
INK = "#1f2a37"
FAINT = "#6b7686"
GRID = "#e4e8ee"
PAPER = "#ffffff"
MARKS = {"good": "#2b8a6e", "fair": "#d99a1c", "poor": "#b9403c"}  # of a score; different in lightness too

# Platforms keep their colour in every picture; none is the red of a grade.
PLATFORM = {
    "weibo": "#e0702e", "wechat": "#2e9e5b", "douyin": "#3b4657", "news": "#6d55b0", "x": "#4a8fd0", "forum": "#a8842c",
    "xiaohongshu": "#d1487f", "video": "#1796b8", "bilibili": "#1796b8", "review": "#0d8a84", "ticket": "#7f8b9a",
    "zhihu": "#2f6fde", "hotlist": "#b5392f", "reddit": "#d9571e", "hackernews": "#c98a1b",
}  # fmt: skip
OTHER_PLATFORM = "#8a94a3"


def tone(name: str) -> str:
    """The colour of a scene's tone: ink, faint, grid, paper, a mark, a mood or a platform."""
    plain = {"ink": INK, "faint": FAINT, "grid": GRID, "paper": PAPER, **MARKS}
    plain |= {mood.value: SENTIMENT[mood] for mood in SENTIMENT}
    return plain.get(name) or PLATFORM.get(name, OTHER_PLATFORM)
