"""Briefs on a cadence: what a day, a week or a month was like, from the record."""
