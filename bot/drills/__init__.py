"""Drills: a scenario as data, its injects on the real flow, and the score from the record."""
