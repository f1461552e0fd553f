"""Who acts from the command line."""

import getpass

from bot.model.incident import Actor


def operator() -> Actor:
    """The account of the machine that runs the command, for the audit trail."""
    try:
        name = getpass.getuser()
    except (KeyError, OSError):
        name = "operator"  # a container's user may have no name
    return Actor("", name, "cli")
