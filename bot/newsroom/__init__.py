"""The newsroom: published statements as pages and feeds that everybody can read, without login."""
