"""Only one module of the room reaches out, and both its doors turn a drill away before anything else."""

import ast
from pathlib import Path

import pytest

from bot.clock import VirtualClock
from bot.config_linkage import LinkageConfig
from bot.response.actions import Prepared
from bot.response.transport import DrillStopped, Transport, open_session
from bot.testkit.fake_system import FakeSystem

ROOM = Path(__file__).resolve().parents[2] / "bot" / "response"
REACHING = {"request", "get", "post", "put", "patch", "delete", "head", "ws_connect"}


def imports(tree: ast.Module) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {name.name.partition(".")[0] for name in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module.partition(".")[0])
    return found


def test_only_the_transport_can_reach_the_outside() -> None:
    trees = {file.name: ast.parse(file.read_text(encoding="utf-8")) for file in ROOM.glob("*.py")}
    assert len(trees) > 15
    for name, tree in trees.items():
        if name == "transport.py":
            continue
        assert imports(tree).isdisjoint({"socket", "ssl", "urllib3", "requests", "httpx", "smtplib", "subprocess"}), (
            name
        )
        calls = [
            node.func.attr
            for node in ast.walk(tree)
            if isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and node.func.attr in REACHING
            and "session" in ast.unparse(node.func.value).lower()
        ]
        assert calls == [], name


def test_every_call_of_the_transport_says_whose_it_is() -> None:
    """``drill`` has no default: nobody can forget it."""
    missing = []
    for file in ROOM.glob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Attribute)
                and node.func.attr in ("send", "query")
                and "transport" in ast.unparse(node.func.value).lower()
                and not any(keyword.arg == "drill" and not isinstance(keyword.value, ast.Constant)
                            for keyword in node.keywords)
            ):  # fmt: skip
                missing.append(f"{file.name}:{node.lineno}")
    assert missing == []


async def test_both_doors_turn_a_drill_away(tmp_path: Path) -> None:
    async with FakeSystem() as system, open_session() as session:
        linkage = LinkageConfig.model_validate(
            {"systems": {"a": {"base_url": system.url}, "b": {"database": f"sqlite:///{tmp_path}/x.db"}}}
        )
        transport = Transport(linkage, session, VirtualClock(), {})
        with pytest.raises(DrillStopped):
            await transport.send("a", Prepared("POST", system.url + "/x", {}), "r", drill="spring")
        with pytest.raises(DrillStopped):
            await transport.query("b", "SELECT 1", {}, drill="spring")
        assert system.calls == []
