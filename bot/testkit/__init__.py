"""Loopback stand-ins for the platforms Fengbo talks to, for our tests and for people trying a configuration.

Every server keeps what a person would see, refuses what the real platform refuses, and can be told to fail.
"""
