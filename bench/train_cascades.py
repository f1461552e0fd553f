"""Make ``bot/analysis/cascade_size.json`` from recorded cascades: ``python -m bench.train_cascades DATA``."""

import json
import sys
from pathlib import Path

from bot.analysis.cascade_size import to_json
from bot.bench.cascades import load, trained

TARGET = Path(__file__).parents[1] / "bot" / "analysis" / "cascade_size.json"


def main() -> None:
    weights = trained(load(Path(sys.argv[1])))
    body = {"data": "CED cascades of Weibo", "weights": {key: to_json(value) for key, value in weights.items()}}
    TARGET.write_text(json.dumps(body, separators=(",", ":")) + "\n", encoding="utf-8")
    print(f"{TARGET}: {TARGET.stat().st_size} bytes", file=sys.stderr)


if __name__ == "__main__":
    main()
