"""A mail server on loopback that keeps what it gets and refuses or breaks off when told.

Needs ``aiosmtpd``, a development dependency, imported only when the server starts.
"""

import asyncio
import warnings
from dataclasses import dataclass
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import Any, Self

from bot.clock import Clock
from bot.testkit.faults import Failure
from bot.testkit.watched import Call, Watched

STAGES = ("MAIL", "RCPT", "DATA")


@dataclass(frozen=True, slots=True)
class Mail:
    """One accepted mail, parsed."""

    sender: str
    recipients: tuple[str, ...]
    message: EmailMessage
    received_at: int

    @property
    def subject(self) -> str:
        return str(self.message["Subject"])

    def part(self, kind: str) -> str:
        """The text of the first part of this subtype (``plain`` or ``html``), or an empty string."""
        found = self.message.get_body(preferencelist=(kind,))
        return str(found.get_content()) if found is not None else ""


class _Handler:
    """aiosmtpd's callbacks: each stage is a call of the fake and may be told to fail."""

    def __init__(self, fake: "FakeMail") -> None:
        self._fake = fake

    async def handle_MAIL(self, server: Any, session: Any, envelope: Any, address: str, options: list[str]) -> str:  # noqa: N802
        refusal = await self._fake.stage("MAIL", {"address": address}, server)
        if refusal:
            return refusal
        envelope.mail_from = address
        return "250 OK"

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, options: list[str]) -> str:  # noqa: N802
        refusal = await self._fake.stage("RCPT", {"address": address}, server)
        if refusal:
            return refusal
        if address in self._fake.unknown:
            return "550 5.1.1 no such person here"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
        return await self._fake.take(envelope, server)


class FakeMail(Watched):
    """An SMTP server. Methods for the knobs are ``MAIL``, ``RCPT`` and ``DATA``; errors are codes such as 451."""

    def __init__(self, clock: Clock | None = None, *, username: str = "", password: str = "") -> None:
        super().__init__(clock)
        self.mails: list[Mail] = []
        self.unknown: set[str] = set()
        self._login = (username, password)
        self._server: asyncio.Server | None = None
        self.host, self.port = "127.0.0.1", 0

    @property
    def url(self) -> str:
        if not self.port:
            raise RuntimeError("FakeMail is not started")
        return f"smtp://{self.host}:{self.port}"

    async def start(self, host: str = "127.0.0.1", port: int = 0) -> Self:
        from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword

        username, password = self._login

        def check(server: Any, session: Any, envelope: Any, mechanism: str, data: Any) -> Any:
            good = LoginPassword(username.encode(), password.encode())
            return AuthResult(success=data == good, handled=False)

        asks = {"authenticator": check, "auth_required": True, "auth_require_tls": False}

        def protocol() -> Any:
            login: dict[str, Any] = asks if username else {}
            with warnings.catch_warnings():
                # aiosmtpd warns that a login without TLS is unsafe; this one never leaves the machine.
                warnings.simplefilter("ignore")
                return SMTP(_Handler(self), hostname="fake.example", enable_SMTPUTF8=True, **login)

        self._server = await asyncio.get_running_loop().create_server(protocol, host, port)
        self.host, self.port = host, self._server.sockets[0].getsockname()[1]
        return self

    async def stop(self) -> None:
        self.faults.release()
        if self._server is not None:
            self._server.close()
            self._server = None

    async def __aenter__(self) -> Self:
        return await self.start()

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    def to(self, address: str) -> list[Mail]:
        """Mails that this address got, oldest first."""
        return [mail for mail in self.mails if address in mail.recipients]

    async def stage(self, method: str, body: dict[str, Any], server: Any) -> str:
        """Record a stage; the SMTP answer that refuses it, or an empty string."""
        call, failure = await self._begin(method, body)
        answer = self._refusal(failure)
        if failure and failure.kind == "hang":
            await self.faults.hang()
        if failure and failure.kind != "fail":
            return self._cut(server)
        call.status = int(answer[:3]) if answer else 250
        await self.changed()
        return answer

    async def take(self, envelope: Any, server: Any) -> str:
        """The end of DATA: keep the mail unless a failure was planned."""
        call, failure = await self._begin("DATA", {"from": envelope.mail_from, "to": list(envelope.rcpt_tos)})
        call.raw = bytes(envelope.original_content or envelope.content or b"")
        if failure and failure.kind == "hang":
            await self.faults.hang()
        refusal = self._refusal(failure)
        if not refusal and (failure is None or failure.kind == "drop_after_effect"):
            message = message_from_bytes(call.raw, policy=default)
            assert isinstance(message, EmailMessage)
            mail = Mail(envelope.mail_from, tuple(envelope.rcpt_tos), message, self.clock.now())
            self.mails.append(mail)
        if failure and failure.kind != "fail":
            await self.changed()
            return self._cut(server)
        call.status = int(refusal[:3]) if refusal else 250
        await self.changed()
        return refusal or "250 2.0.0 OK"

    async def _begin(self, method: str, body: dict[str, Any]) -> tuple[Call, Failure | None]:
        call = Call(asyncio.get_running_loop().time(), self.clock.now(), method, body)
        self.calls.append(call)
        await self.faults.delay(method)
        failure = self.faults.next_failure(method)
        call.trouble = failure.kind if failure else None
        await self.changed()
        if failure is None and self.faults.over_limit([method]):
            failure = Failure(method, "fail", 1, 451)
        return call, failure

    @staticmethod
    def _refusal(failure: Failure | None) -> str:
        if failure is None or failure.kind != "fail":
            return ""
        code = failure.error or failure.status or 451
        return f"{code} fake failure"

    @staticmethod
    def _cut(server: Any) -> str:
        server.transport.abort()
        return "421 fake failure"
