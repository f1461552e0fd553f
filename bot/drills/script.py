"""A scripted team: who says what at which moment of the drill. ``{incident}``, ``{statement}`` and ``{digest}`` stand
for the drill's first incident, its newest statement, and the first letters of that statement's digest."""

from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from bot.model.text import Text
from bot.response.values import Duration, Part


class ScriptError(ValueError):
    """The script cannot be used; ``text`` says why and where."""

    def __init__(self, key: str, **params: Any) -> None:
        super().__init__(key)
        self.text = Text(key, params)


class Act(Part):
    at: Duration
    who: str
    say: str


class Script(Part):
    """``leader`` starts the drill and has to be allowed to."""

    leader: str
    acts: tuple[Act, ...] = ()


def read_script(file: Path) -> Script:
    """Acts in the order of their moments. Raises ``ScriptError``."""
    try:
        script = Script.model_validate(yaml.safe_load(file.read_text(encoding="utf-8")))
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "—"
        raise ScriptError("drill.bad_script", file=str(file), where=where, cause=first["msg"]) from None
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ScriptError("drill.bad_script", file=str(file), where="—", cause=str(error).partition("\n")[0]) from None
    return script.model_copy(update={"acts": tuple(sorted(script.acts, key=lambda act: act.at))})
