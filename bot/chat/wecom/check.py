"""Whether WeCom will work, in words for the person who set it up. Nothing is posted anywhere."""

from collections.abc import Mapping
from urllib.parse import urlsplit

from bot.chat.wecom.client import NEEDS_MENDING, WecomClient, WecomRefusal
from bot.chat.wecom.crypto import AES_KEY, TOKEN
from bot.clock import Clock, SystemClock
from bot.config import WecomConfig
from bot.delivery.chat import Blocked, Delay, Refused, Unclear
from bot.model.text import Text

Finding = tuple[str, Text]
TROUBLE = (Blocked, Delay, Refused, Unclear)


async def check(
    config: WecomConfig, *, clock: Clock | None = None, environ: Mapping[str, str] | None = None
) -> list[Finding]:
    """Findings as (``ok`` | ``warning`` | ``error``, text): token, application, callback keys, group robots."""
    client = WecomClient(config, clock or SystemClock(), environ=environ)
    try:
        findings = await _application(client, environ) if _uses_application(config) else []
        for name in config.robots:
            findings.append(await _robot(client, name))
        findings += _smart_robot(config, environ)
        return findings
    finally:
        await client.close()


def _uses_application(config: WecomConfig) -> bool:
    """Group robots and the smart robot alone need no application."""
    named = config.corp_id or config.agent_id or config.secret_env or config.secret_file
    return bool(named or not (config.robots or config.aibot))


def _smart_robot(config: WecomConfig, environ: Mapping[str, str] | None) -> list[Finding]:
    """What can be said without connecting, which would throw out the connection at work."""
    robot = config.aibot
    if robot is None:
        return []
    found: list[Finding] = []
    if not robot.bot_id:
        found.append(("error", Text("wecom.check_aibot_no_id")))
    if not robot.secret("secret", environ):
        found.append(("error", Text("wecom.check_aibot_no_secret")))
    url = urlsplit(robot.url)
    local = url.hostname in ("127.0.0.1", "localhost", "::1")
    if not url.hostname or not (url.scheme == "wss" or (url.scheme == "ws" and local)):
        found.append(("error", Text("wecom.check_aibot_url", {"url": robot.url})))
    return found or [("ok", Text("wecom.check_aibot", {"robot": robot.name or robot.bot_id}))]


async def _application(client: WecomClient, environ: Mapping[str, str] | None) -> list[Finding]:
    config = client.config
    missing = [
        ("error", Text(f"wecom.check_no_{name}"))
        for name, value in (
            ("corp", config.corp_id),
            ("secret", config.secret("secret", environ)),
            ("agent", config.agent_id),
        )
        if not value
    ]
    findings = missing or await _agent(client)
    return [*findings, *_callback(config, environ)]


async def _agent(client: WecomClient) -> list[Finding]:
    try:
        answer = await client.call("agent/get", params={"agentid": str(client.agent_id)})
    except (Blocked, Delay, Unclear) as error:
        known = any(str(code) in str(error) for code in NEEDS_MENDING)
        if "40056" in str(error) or "301002" in str(error):
            return [("ok", Text("wecom.check_token")), _refused_agent(client, error)]
        return [("error", Text("wecom.check_refused" if known else "wecom.check_unreachable", {"cause": str(error)}))]
    except WecomRefusal as error:
        return [("ok", Text("wecom.check_token")), _refused_agent(client, error)]
    name = str(answer.get("name") or client.agent_id)
    closed = bool(answer.get("close"))
    state: Finding = (
        "error" if closed else "ok",
        Text("wecom.check_agent_closed" if closed else "wecom.check_agent", {"name": name}),
    )
    return [("ok", Text("wecom.check_token")), state]


def _refused_agent(client: WecomClient, error: Exception) -> Finding:
    return "error", Text("wecom.check_agent_refused", {"agent": client.agent_id, "cause": str(error)})


def _callback(config: WecomConfig, environ: Mapping[str, str] | None) -> list[Finding]:
    token, aes_key = config.secret("token", environ), config.secret("aes_key", environ)
    if not token or not aes_key:
        return [("warning", Text("wecom.check_no_callback"))]
    found: list[Finding] = []
    if not AES_KEY.fullmatch(aes_key):
        found.append(("error", Text("wecom.check_bad_aes_key", {"length": len(aes_key)})))
    if not TOKEN.fullmatch(token):
        found.append(("error", Text("wecom.check_bad_token")))
    return found or [("ok", Text("wecom.check_callback"))]


async def _robot(client: WecomClient, name: str) -> Finding:
    """Ask for a kind of message that does not exist: a good key refuses the kind, a bad one itself (93000)."""
    if not client.robots.get(name):
        return "error", Text("wecom.check_robot_no_key", {"robot": name})
    try:
        await client.robot(name, {"msgtype": "none"})
    except WecomRefusal:
        return "ok", Text("wecom.check_robot", {"robot": name})
    except TROUBLE as error:
        return "error", Text("wecom.check_robot_refused", {"robot": name, "cause": str(error)})
    return "ok", Text("wecom.check_robot", {"robot": name})
