"""The demonstration: a recorded feed of a fictional payment company, and what plays it."""
