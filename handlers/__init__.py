"""What members can say and press. Importing this package registers nothing by itself; ``load()`` does."""

from importlib import import_module

from handlers.registry import Registry, registry

NOUNS = (
    "help", "incident", "source", "playbook", "facts", "media_line", "linkage", "customer", "contact", "learn",
    "living", "spread", "label", "statement", "may_we_say", "publication",
    "drill", "report", "case", "proposals", "retro", "action",
)  # fmt: skip


def load() -> Registry:
    """The registry with every command of every noun."""
    for noun in NOUNS:
        import_module(f"handlers.{noun}")
    return registry
