"""Retrospectives, action items, cases and proposals, as migrations (see ``bot.store.schema``)."""
