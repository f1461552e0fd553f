"""Briefs on a cadence, as migrations (see ``bot.store.schema``)."""
