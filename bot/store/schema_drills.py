"""What drills came to need after their first release, as migrations (see ``bot.store.schema``)."""
