"""The chats: Slack, WeCom, the mail server, the SMS gateway."""

import asyncio
import logging
import re
from collections.abc import Awaitable, Callable, Iterable, Mapping
from urllib.parse import urlsplit

import aiosmtplib

from bot.chat.slack.check import check as check_slack
from bot.chat.wecom.check import check as check_wecom
from bot.check.findings import Finding, Level, error, note, ok, warn
from bot.config import Config, EmailConfig, SlackConfig, SmsConfig
from bot.model.text import Text

log = logging.getLogger(__name__)

TIMEOUT_SECONDS = 20
SMTP_SECONDS = 10
_LEVELS: dict[str, Level] = {"ok": "ok", "note": "note", "warn": "warn", "warning": "warn", "error": "error"}
_FIELD = re.compile(r"\{([a-z_]+)\}")
_SMS_FIELDS = frozenset({"phone", "text", "id"})


async def check(config: Config, *, offline: bool, environ: Mapping[str, str] | None = None) -> list[Finding]:
    found: list[Finding] = []
    chat = config.chat
    questions: list[Awaitable[list[Finding]]] = []
    if chat.slack:
        slack = chat.slack
        found += _slack_settings(slack)
        questions.append(_bounded("Slack", lambda: check_slack(config, environ)))
    if chat.wecom:
        wecom = chat.wecom
        questions.append(_bounded("WeCom", lambda: check_wecom(wecom, environ=environ)))
    if chat.email:
        questions.append(_smtp(chat.email, environ))
    if chat.sms:
        found += _sms(chat.sms)
    if offline:
        for question in questions:
            if asyncio.iscoroutine(question):
                question.close()
        return [*found, note("offline")]
    for part in await asyncio.gather(*questions):
        found += part
    return found


def _slack_settings(slack: SlackConfig) -> list[Finding]:
    found: list[Finding] = []
    if not (slack.bot_token_env or slack.bot_token_file):
        found.append(error("slack_no_token"))
    signing = slack.signing_secret_env or slack.signing_secret_file
    if not signing and not (slack.app_token_env or slack.app_token_file):
        found.append(error("slack_no_way_in"))
    return found


async def _bounded(name: str, question: Callable[[], Awaitable[Iterable[tuple[str, Text]]]]) -> list[Finding]:
    try:
        async with asyncio.timeout(TIMEOUT_SECONDS):
            return [(_LEVELS[level], text) for level, text in await question()]
    except TimeoutError:
        return [error("chat_slow", chat=name, seconds=TIMEOUT_SECONDS)]
    except Exception as problem:
        log.exception("the check of %s stopped", name)
        return [error("chat_broken", chat=name, cause=f"{type(problem).__name__}: {problem}"[:200])]


async def _smtp(config: EmailConfig, environ: Mapping[str, str] | None) -> list[Finding]:
    """Connect, encrypt and log in as a mail would, and send none."""
    where = f"{config.host}:{config.port}"
    client = aiosmtplib.SMTP(
        hostname=config.host, port=config.port, username=config.username or None,
        password=config.secret("password", environ) or None, use_tls=config.tls == "implicit",
        start_tls=config.tls == "starttls", timeout=SMTP_SECONDS,
    )  # fmt: skip
    try:
        await client.connect()
        await client.quit()
    except aiosmtplib.SMTPAuthenticationError as problem:
        return [error("smtp_login", server=where, cause=f"{problem.code}")]
    except (aiosmtplib.SMTPException, OSError, ValueError) as problem:
        return [error("smtp_unreachable", server=where, cause=f"{type(problem).__name__}: {problem}"[:200])]
    finally:
        client.close()
    found = [ok("smtp", server=where)]
    if config.username and config.tls == "none":
        found.append(warn("smtp_password_in_clear", server=where))
    return found


def _sms(config: SmsConfig) -> list[Finding]:
    found: list[Finding] = []
    parts = urlsplit(config.url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        found.append(error("bad_url", where="chat.sms.url", value=config.url))
    used = {name for shape in config.body.values() for name in _FIELD.findall(shape)}
    for name in sorted(used - _SMS_FIELDS):
        found.append(error("sms_unknown_field", name=name, known=sorted(_SMS_FIELDS)))
    for name in sorted({"phone", "text"} - used):
        found.append(error("sms_missing_field", name=name))
    return found or [ok("sms")]
