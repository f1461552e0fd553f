"""What people's verdicts suggest to change. A proposal is words with its evidence; nothing here changes anything."""

from collections import Counter
from collections.abc import Iterable

from bot.model.text import Text

LEAST = 5
"""Verdicts of one kind on one subject before anything is proposed."""

SHARE = 0.5


def proposals(verdicts: Iterable[tuple[str, str, str]]) -> list[Text]:
    """From (subject, verdict, incident) of each label, what somebody should look at, most evidence first.

    Half of a subject's verdicts, and five at least, must say the same; false alarms are counted by incident, however
    many posts each had.
    """
    posts: Counter[tuple[str, str]] = Counter()
    totals: Counter[str] = Counter()
    alarms: dict[str, set[str]] = {}
    for subject, verdict, incident in verdicts:
        if verdict == "false-alarm":
            alarms.setdefault(subject, set()).add(incident)
            continue
        posts[(subject, verdict)] += 1
        totals[subject] += 1
    found: list[tuple[int, Text]] = []
    for (subject, verdict), count in posts.items():
        if verdict != "negative" and count >= LEAST and count >= SHARE * totals[subject]:
            params = {"subject": subject, "count": count, "total": totals[subject]}
            found.append((count, Text(f"label.propose.{verdict}", params)))
    for subject, incidents in alarms.items():
        if len(incidents) >= LEAST:
            params = {"subject": subject, "count": len(incidents), "incidents": sorted(incidents)[:8]}
            found.append((len(incidents), Text("label.propose.false-alarm", params)))
    return [text for _, text in sorted(found, key=lambda pair: (-pair[0], pair[1].key))]
