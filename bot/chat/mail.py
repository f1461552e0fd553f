"""E-mail as a one-way chat: ``email:lina@corp.example``.

A mail cannot be rewritten, so an edit without a reason is not mailed; one with a reason is a new mail in the same
thread. The Message-ID is made from the outbox key: a mail that had to be sent again is recognisable as the same one.
"""

import contextlib
import hashlib
import logging
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.message import EmailMessage
from email.policy import SMTP as SMTP_POLICY
from email.utils import format_datetime, formataddr, parseaddr

import aiosmtplib
from aiosmtplib import errors

from bot.chat.mail_page import clean, page
from bot.chat.spoken import spoken
from bot.clock import MINUTE
from bot.config import EmailConfig
from bot.delivery.chat import AttachmentMaker, Blocked, Delay, Made, Pace, Refused, Unclear
from bot.delivery.outbox import Placement, Row
from bot.model.card import Card, Paragraph
from bot.model.message import Message
from bot.model.text import Text
from bot.texts import render

log = logging.getLogger(__name__)

TIMEOUT_SECONDS = 20.0
BUSY_WAIT = 1 * MINUTE
GREYLIST_WAIT = 5 * MINUTE  # greylisting servers take a mail after a few minutes
SUBJECT_CHARACTERS = 150
_ADDRESS = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9](?:[A-Za-z0-9.-]{0,252}[A-Za-z0-9])?")


class MailChat:
    """Implements ``bot.delivery.chat.Chat`` over SMTP; one connection a mail."""

    name = "email"

    def __init__(
        self,
        config: EmailConfig,
        make: AttachmentMaker | None = None,
        *,
        environ: Mapping[str, str] | None = None,
        timeout_seconds: float = TIMEOUT_SECONDS,
    ) -> None:
        self._config = config
        self._password = config.secret("password", environ)
        self._make = make
        self._timeout = timeout_seconds
        name, self._sender = parseaddr(config.sender)
        self._from = formataddr((_one_line(name), self._sender)) if name else self._sender
        self._domain = self._sender.partition("@")[2] or "localhost"

    def pace(self, destination: str) -> Pace | None:
        return None

    async def find(self, row: Row) -> tuple[bool, Placement | None]:
        """SMTP cannot be asked what arrived."""
        return False, None

    async def send(self, row: Row, placement: Placement | None, thread: Placement | None) -> Placement | None:
        """Mail it; see ``Chat.send``."""
        message = row.message
        if placement is not None and message.object and not message.reason:
            return placement
        if not _ADDRESS.fullmatch(message.address):
            raise Refused(f"{message.address!r} is not an e-mail address")
        identity = self._identity(row.key)
        above = placement or thread
        before = str(above.reference.get("last", "")) if above else ""
        mail = self._letter(row, identity, before, await self._picture(message))
        await self._deliver(mail, message.address)
        if not message.object:
            return None
        return Placement(placement.anchor if placement else identity, {"last": identity})

    def _identity(self, *parts: str) -> str:
        return f"<{hashlib.sha256(chr(10).join(parts).encode()).hexdigest()[:40]}@{self._domain}>"

    def _letter(self, row: Row, identity: str, before: str, made: Made | None) -> EmailMessage:
        message = row.message
        card = message.card or Card(title="", sections=(Paragraph(message.text),), drill=message.drill)
        mail = EmailMessage(policy=SMTP_POLICY)
        mail["Subject"] = subject(message)
        mail["From"] = self._from
        mail["To"] = message.address
        mail["Date"] = format_datetime(datetime.fromtimestamp(row.created_at / 1000, UTC))
        mail["Message-ID"] = identity
        # All mails about one object hang below one root that is never sent, so they stay together even where the
        # first of them is missing.
        about = message.object or message.thread
        roots = [self._identity("object", about, message.address)] if about else []
        if before:
            mail["In-Reply-To"] = before
            roots.append(before)
        if roots:
            mail["References"] = " ".join(roots)
        mail["Auto-Submitted"] = "auto-generated"
        mail["X-Auto-Response-Suppress"] = "All"
        if message.drill or card.drill:
            mail["X-Fengbo-Drill"] = "yes"
        if message.verbatim:
            mail.set_content(message.text, cte="base64")  # nothing before, after or beside an approved text
        else:
            _fill(mail, card, message.language, made, why=_why(message))
        return mail

    async def _picture(self, message: Message) -> Made | None:
        """The attachment, ``None`` where there is none or it cannot be made: the alert matters more."""
        if message.attachment is None or self._make is None:
            return None
        try:
            return await self._make(message.attachment, message.language)
        except Exception:  # whatever the maker trips over, it is logged and must not hold the queue
            log.exception("mail: the attachment %s could not be made", message.attachment.kind)
            return None

    async def _deliver(self, mail: EmailMessage, address: str) -> None:
        """One SMTP transaction, with every failure sorted by whether the mail can have arrived."""
        client = aiosmtplib.SMTP(
            hostname=self._config.host,
            port=self._config.port,
            username=self._config.username or None,
            password=self._password or None,
            use_tls=self._config.tls == "implicit",
            start_tls=self._config.tls == "starttls",
            local_hostname=self._domain,
            timeout=self._timeout,
        )
        try:
            await self._hand_over(client, mail, address)
            with contextlib.suppress(errors.SMTPException, OSError):  # the mail is accepted; leaving is politeness
                await client.quit()
        finally:
            client.close()

    async def _hand_over(self, client: aiosmtplib.SMTP, mail: EmailMessage, address: str) -> None:
        try:
            await client.connect()
            await client.mail(self._sender)
            await client.rcpt(address)
        except errors.SMTPRecipientRefused as error:
            if error.code < 500:
                raise Delay(GREYLIST_WAIT, f"{error.code} {error.message}") from error
            raise Refused(f"{address}: {error.code} {error.message}") from error
        except errors.SMTPResponseException as error:
            if error.code < 500 and not isinstance(error, errors.SMTPAuthenticationError):
                raise Delay(BUSY_WAIT, f"{error.code} {error.message}") from error
            raise Blocked(f"the mail server refuses: {error.code} {error.message}") from error
        except (errors.SMTPException, OSError, ValueError) as error:
            raise Blocked(f"the mail server cannot be used: {type(error).__name__}: {error}") from error
        try:
            await client.data(mail.as_bytes())
        except errors.SMTPResponseException as error:
            if error.code < 500:
                raise Delay(BUSY_WAIT, f"{error.code} {error.message}") from error
            raise Refused(f"{address}: {error.code} {error.message}") from error
        except (errors.SMTPException, OSError) as error:
            raise Unclear(f"no answer after the mail was handed over: {type(error).__name__}") from error


def subject(message: Message) -> str:
    """One line, whatever the card says; the body holds the whole title."""
    card = message.card
    if message.subject:
        words = _one_line(message.subject)
    elif card is None:
        words = _one_line(f"{message.drill} {message.text.strip().partition(chr(10))[0]}")
    else:
        words = _one_line(" ".join(filter(None, (card.drill, card.grade_label, card.title))))
    words = words or render(Text("mail.subject"), message.language)
    return words if len(words) <= SUBJECT_CHARACTERS else words[: SUBJECT_CHARACTERS - 1] + "…"


def _fill(mail: EmailMessage, card: Card, language: str, made: Made | None, *, why: str) -> None:
    """Text, HTML, and the picture inside the HTML; a file that is no picture is attached."""
    text = clean(card.plain()).strip()
    commands = [spoken(button.command, language) for button in card.buttons if button.command]
    if commands:
        text += "\n\n" + clean(render(Text("mail.say_in_chat", {"commands": commands}), language))
    caption = _one_line(made.caption) if made else ""
    if made:
        text += "\n\n" + render(Text("mail.picture_missing", {"caption": caption or made.name}), language)
    text += "\n\n-- \n" + why + "\n"
    kind, _, subtype = made.media_type.partition("/") if made else ("", "", "")
    picture = ("picture@fengbo", caption) if kind == "image" else None
    mail.set_content(text, cte="base64")
    mail.add_alternative(page(card, language, picture, why=why), subtype="html", cte="base64")
    if made is None:
        return
    name = _one_line(made.name).replace("/", "_") or "attachment"
    if picture:
        parts = mail.get_payload()
        assert isinstance(parts, list) and isinstance(parts[1], EmailMessage)
        parts[1].add_related(made.content, kind, subtype, cid=f"<{picture[0]}>", filename=name, disposition="inline")
    else:
        mail.add_attachment(made.content, kind or "application", subtype or "octet-stream", filename=name)


def _why(message: Message) -> str:
    """Why the reader gets this mail: a customer for another reason than a member."""
    return render(Text("mail.why_customer" if message.reason == "customer_notice" else "mail.why"), message.language)


def _one_line(text: str) -> str:
    """No line feed reaches a header."""
    return " ".join(clean(text).split())
