"""What a library of many cases costs: reading it, the cases like a new incident, a search.

    python -m bench.cases --cases 2000

Cases are made up from the shipped ones: kinds, words and figures drawn by a seed, forty words each.
"""

import argparse
import random
import statistics
import tempfile
import time
from pathlib import Path

import orjson
from sqlite_utils import Database

from bot.learning.case import Case
from bot.learning.case_files import load_cases
from bot.learning.filing import searchable
from bot.learning.likeness import CaseIndex, Situation, terms_of
from bot.model.grade import Grade
from bot.response.library import shipped_folder
from bot.store import cases as store
from bot.store.cases import CaseRow
from bot.store.database import Store

TEXTS = 12
TRIES = 200


def made(count: int, chance: random.Random) -> list[Case]:
    shipped = list(load_cases(shipped_folder()).entries.values())
    words = sorted({word for case in shipped for word in case.words} | {f"词{number}号" for number in range(4_000)})
    found = []
    for number in range(1, count + 1):
        model = chance.choice(shipped)
        found.append(
            model.model_copy(
                update={
                    "id": f"C-{number}", "kind": "own", "company": "", "sources": (), "incident": f"I-{number}",
                    "words": tuple(chance.sample(words, 30)) + model.words[:10], "opened_at": number * 3_600_000,
                    "figures": {"resolved": number * 1000}, "platforms": ("weibo",),
                }
            )
        )  # fmt: skip
    return found


def situations(chance: random.Random) -> list[Situation]:
    shipped = list(load_cases(shipped_folder()).entries.values())
    found = []
    for _ in range(TRIES):
        model = chance.choice(shipped)
        sentence = (
            "，".join(chance.sample(list(model.words), 6)) + "，客服一直不理人，等了一上午" + model.happened.zh[:60]
        )
        found.append(
            Situation(
                model.crisis_types[0], subject="own", grade=Grade.RED, platforms=("weibo",), texts=[sentence] * TEXTS
            )
        )
    return found


def milliseconds(job: object) -> float:
    began = time.perf_counter()
    job()  # type: ignore[operator]
    return (time.perf_counter() - began) * 1000


def quantile(values: list[float], share: float) -> float:
    return sorted(values)[min(len(values) - 1, int(share * len(values)))]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=2_000)
    parser.add_argument("--seed", type=int, default=5)
    given = parser.parse_args()
    chance = random.Random(given.seed)
    cases = made(given.cases, chance)
    with tempfile.TemporaryDirectory() as folder:
        rows = Store(Path(folder) / "bench.db")

        def keep(db: Database) -> None:
            for bare in cases:
                case = bare.model_copy(update={"terms": tuple(sorted(terms_of(bare)))})
                row = CaseRow(case.id, "own", case.incident, "", case.frozen(), case.opened_at, 1)
                store.save(db, row, searchable(case, []))

        kept = milliseconds(lambda: rows.write_now(keep))
        began = time.perf_counter()
        read = [Case.thaw(row.body) for row in rows.read_now(lambda db: store.changed_since(db, 0))]
        index = CaseIndex(read)
        loaded = (time.perf_counter() - began) * 1000
        asked = situations(chance)
        index.rank(asked[0])  # the dictionary of the word cutter is read with the first text
        found = [milliseconds(lambda item=item: index.rank(item)) for item in asked]
        one = [milliseconds(lambda case=case: index.put(case)) for case in read[:200]]
        searched = [
            milliseconds(lambda word=word: rows.read_now(lambda db: store.search(db, word)))
            for word in ("提现", "数据泄露", "outage", "没信号 补偿") * 20
        ]
        rows.close()
    print(orjson.dumps({
        "cases": given.cases, "keep_ms_each": round(kept / given.cases, 3), "read_all_ms": round(loaded),
        "similar_ms_p50": round(statistics.median(found), 2), "similar_ms_p99": round(quantile(found, 0.99), 2),
        "put_ms_p50": round(statistics.median(one), 3), "search_ms_p50": round(statistics.median(searched), 2),
    }).decode())  # fmt: skip


if __name__ == "__main__":
    main()
