"""Presets as data, see ``bot.sources.preset``."""
