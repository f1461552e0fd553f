"""Reading the YAML that comes along: term lists, presets, rules.

libyaml reads some ten times as fast as PyYAML's own reader, which a start with thousands of terms would feel.
"""

from typing import Any

import yaml

LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def load(text: str) -> Any:
    """The data of one document; plain values only, as ``yaml.safe_load`` gives them."""
    return yaml.load(text, Loader=LOADER)
