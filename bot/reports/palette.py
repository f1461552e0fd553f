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
INK = "#1f2a37"
FAINT = "#6b7686"
GRID = "#e4e8ee"
