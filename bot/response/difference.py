"""What changed between two texts, line by line and inside the lines word by word: ``due: [-15m-]{+10m+}``."""

import difflib
import re

# A word, a number, a single Chinese character, a run of blanks, or one sign.
_TOKEN = re.compile(r"[\u3400-\u9fff]|[^\W\u3400-\u9fff]+|\s+|[^\w\s]")
ALIKE = 0.4  # lines less alike than this are shown as one gone and one new
CONTEXT = 1


def difference(before: str, after: str) -> list[str]:
    """Unified: ``@@ line N @@``, unchanged lines with two blanks in front, ``- `` gone, ``+ `` new, ``~ `` changed
    inside. Empty where nothing changed."""
    old, new = before.splitlines(), after.splitlines()
    lines: list[str] = []
    for group in difflib.SequenceMatcher(None, old, new, autojunk=False).get_grouped_opcodes(CONTEXT):
        lines.append(f"@@ {group[0][3] + 1} @@")
        for tag, old_from, old_to, new_from, new_to in group:
            if tag == "equal":
                lines.extend(f"  {line}" for line in new[new_from:new_to])
            else:
                lines.extend(_changed(old[old_from:old_to], new[new_from:new_to]))
    return lines


def _changed(old: list[str], new: list[str]) -> list[str]:
    lines: list[str] = []
    for first, second in zip(old, new, strict=False):
        if difflib.SequenceMatcher(None, first, second, autojunk=False).ratio() >= ALIKE:
            lines.append(f"~ {_words(first, second)}")
        else:
            lines.extend((f"- {first}", f"+ {second}"))
    lines.extend(f"- {line}" for line in old[len(new) :])
    lines.extend(f"+ {line}" for line in new[len(old) :])
    return lines


def _words(old: str, new: str) -> str:
    first, second = _TOKEN.findall(old), _TOKEN.findall(new)
    parts: list[str] = []
    for tag, old_from, old_to, new_from, new_to in difflib.SequenceMatcher(
        None, first, second, autojunk=False
    ).get_opcodes():
        gone, come = "".join(first[old_from:old_to]), "".join(second[new_from:new_to])
        if tag == "equal":
            parts.append(come)
            continue
        parts.append((f"[-{gone}-]" if gone else "") + (f"{{+{come}+}}" if come else ""))
    return "".join(parts)
