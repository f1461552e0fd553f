"""The built-in web console: Fengbo's own chat and the shared dashboard, without any account elsewhere."""

from bot.chat.console.console import Console

__all__ = ["Console"]
