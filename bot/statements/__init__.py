"""Statements: drafted from templates and facts, reviewed, approved as exactly one text, published with a record."""
