"""The HTTP surface: posts in, incidents out, health, metrics. Chats mount their own routes."""

import asyncio
import hashlib
import hmac
import logging
from collections.abc import Callable
from typing import Any

import orjson
from aiohttp import web
from sqlite_utils import Database

from bot.clock import Clock
from bot.config import Config, TokenConfig
from bot.incidents import words
from bot.intake import accept
from bot.intake.intake import HookRefused, Intake
from bot.metrics import Metrics
from bot.model.intake import iso
from bot.model.statement import Statement
from bot.openapi import openapi
from bot.response.replies import AutoReplies
from bot.response.run_state import Run
from bot.response.run_words import run_json
from bot.sources.base import SourceError
from bot.store import incidents as incident_store
from bot.store import statements as statement_store
from bot.store.database import Store
from bot.texts import render

log = logging.getLogger(__name__)

MAX_BODY = 16 * 1024 * 1024
MAX_POSTS = 20_000
MAX_HOOK_BODY = 4 * 1024 * 1024
SIGNATURE_WINDOW = 300_000  # milliseconds a signed request may be old or early


class Api:
    """Handlers of ``/api/v1`` and of the operators' addresses."""

    def __init__(
        self,
        config: Config,
        store: Store,
        clock: Clock,
        intake: Intake,
        metrics: Metrics,
        ready: "Readiness",
        replies: AutoReplies | None = None,
        runs_of: Callable[[Database, str], list[Run]] | None = None,
    ) -> None:
        self._runs_of = runs_of or (lambda db, incident: [])
        self._config = config
        self._store = store
        self._clock = clock
        self._intake = intake
        self._metrics = metrics
        self._ready = ready
        self._replies = replies

    def add_routes(self, app: web.Application) -> None:
        app.router.add_post("/api/v1/posts", self.posts)
        app.router.add_post("/api/v1/hooks/{source}", self.hook)
        app.router.add_get("/api/v1/incidents", self.incidents)
        app.router.add_get("/api/v1/incidents/{id}", self.incident)
        app.router.add_get("/api/v1/openapi.json", self.openapi)
        app.router.add_get("/healthz", self.health)
        app.router.add_get("/readyz", self.readiness)
        app.router.add_get("/metrics", self.metrics)

    async def posts(self, request: web.Request) -> web.Response:
        """Take in a JSON array or NDJSON of posts; answered after the commit."""
        body = await _body(request, MAX_BODY)
        token = self._authorise(request, body, "push")
        items = _items(body)
        if len(items) > MAX_POSTS:
            raise _problem(413, "too_many_posts", f"{len(items)} posts in one request; send at most {MAX_POSTS}")
        result = await self._intake.take(items, source=token.name if token else "api", platform="other")
        return _json(_answer(result), 202)

    async def hook(self, request: web.Request) -> web.Response:
        """Take in what a vendor pushes, by that source's mapping."""
        source = request.match_info["source"]
        body = await _body(request, MAX_HOOK_BODY)
        try:
            self._intake.verify_hook(source, request.headers, body, self._clock.now())
        except HookRefused as error:
            raise _problem(error.status, error.code, str(error)) from None
        try:
            payload = orjson.loads(body)
        except orjson.JSONDecodeError as error:
            raise _problem(400, "not_json", f"the body is not JSON: {error}") from None
        if self._replies is not None and self._replies.source == source:
            return await self._inquiries(self._replies, payload)
        try:
            result = await self._intake.take_payload(source, payload)
        except SourceError as error:
            raise _problem(400, error.code, render(error.text, "en")) from None
        return _json(_answer(result), 202)

    async def _inquiries(self, replies: AutoReplies, payload: Any) -> web.Response:
        """Customers' messages: answered or handed to a person, each once; 202 after the commit."""
        found = replies.read(payload)
        if not found:
            raise _problem(400, "no_messages", "no message with id, person and text; see linkage.auto_reply.map")
        counts = await self._store.write(lambda db: replies.take(db, found, self._clock.now()))
        return _json(counts, 202)

    async def incidents(self, request: web.Request) -> web.Response:
        self._authorise(request, b"", "read")
        live_only = request.query.get("status") == "live"
        found = await self._store.read(incident_store.live if live_only else incident_store.recent)
        return _json([self._summary(incident) for incident in found])

    async def incident(self, request: web.Request) -> web.Response:
        self._authorise(request, b"", "read")
        wanted = request.match_info["id"]

        def job(db: Database) -> dict[str, Any] | None:
            incident = incident_store.get(db, wanted)
            return None if incident is None else self._full(db, incident)

        found = await self._store.read(job)
        if found is None:
            raise _problem(404, "no_such_incident", f"there is no incident {wanted[:40]}")
        return _json(found)

    async def openapi(self, request: web.Request) -> web.Response:
        return _json(openapi())

    async def health(self, request: web.Request) -> web.Response:
        """Alive: the loop turns and the store answers."""
        await self._store.read(lambda db: db.conn.execute("SELECT 1").fetchone())
        return _json({"status": "ok"})

    async def readiness(self, request: web.Request) -> web.Response:
        """Ready: work is being done and no timer is late. 503 with the reasons otherwise."""
        problems = await self._ready.problems()
        return _json(
            {"status": "ready" if not problems else "not ready", "problems": problems}, 503 if problems else 200
        )

    async def metrics(self, request: web.Request) -> web.Response:
        self._authorise(request, b"", "read")
        body = await self._store.read(lambda db: self._metrics.read(db, self._clock.now()))
        return web.Response(body=body, headers={"Content-Type": "text/plain; version=0.0.4; charset=utf-8"})

    def _authorise(self, request: web.Request, body: bytes, may: str) -> TokenConfig | None:
        """The token that may do this; None where no tokens are configured, which only loopback permits."""
        if not self._config.tokens:
            return None
        given = request.headers.get("Authorization", "")
        for token in self._config.tokens:
            secret = token.secret("token")
            if not secret:
                continue
            bearer = hmac.compare_digest(given.encode(), f"Bearer {secret}".encode())
            if bearer or (request.headers.get("X-Fengbo-Token") == token.name and self._signed(request, secret, body)):
                if may not in token.may:
                    raise _problem(403, "not_permitted", f"the token {token.name} may not {may}")
                return token
        raise _problem(
            401, "unauthorised", "send Authorization: Bearer <token>, or a signed request (see openapi.json)"
        )

    def _signed(self, request: web.Request, secret: str, body: bytes) -> bool:
        """``X-Fengbo-Signature: v1=`` HMAC-SHA256 over ``timestamp.body``, no older than five minutes."""
        stamp = request.headers.get("X-Fengbo-Timestamp", "")
        if not stamp.isascii() or not stamp.isdigit() or len(stamp) > 12:
            return False
        if abs(self._clock.now() - int(stamp) * 1000) > SIGNATURE_WINDOW:
            return False
        expected = "v1=" + hmac.new(secret.encode(), stamp.encode() + b"." + body, hashlib.sha256).hexdigest()
        return hmac.compare_digest(expected.encode(), request.headers.get("X-Fengbo-Signature", "").encode())

    def _summary(self, incident: Any) -> dict[str, Any]:
        language = self._config.language
        return {
            "id": incident.id,
            "kind": incident.kind,
            "subject": incident.subject,
            "title": render(words.title(incident), language),
            "grade": incident.grade.word,
            "status": incident.status.value,
            "owner": incident.owner or None,
            "opened_at": iso(incident.opened_at),
            "updated_at": iso(incident.updated_at),
            "reasons": [
                {**signal.to_json(), "text": render(words.signal(signal), language)} for signal in incident.signals
            ],
        }

    def _full(self, db: Database, incident: Any) -> dict[str, Any]:
        language = self._config.language
        entries = incident_store.timeline(db, incident.id)
        return {
            **self._summary(incident),
            "crisis_type": incident.crisis_type,
            "peak_grade": incident.peak_grade.word,
            "roles": [{"role": role, "person": person} for role, person in incident_store.roles(db, incident.id)],
            "blind_sources": list(incident.blind_sources),
            "timeline": [
                {
                    "happened_at": iso(entry.happened_at), "recorded_at": iso(entry.recorded_at), "kind": entry.kind,
                    "actor": entry.actor or None, "actor_name": entry.actor_name, "chat": entry.chat,
                    "text": render(words.timeline(entry), language), "details": entry.params,
                }
                for entry in entries
            ],
            "runs": [run_json(run, language) for run in self._runs_of(db, incident.id)],
            "statements": [statement_json(db, item) for item in statement_store.of_incident(db, incident.id)],
        }  # fmt: skip


def statement_json(db: Database, statement: Statement) -> dict[str, Any]:
    """A statement with the digest of its text; drafts are confidential, so the text itself is only there once out."""
    version = statement_store.version(db, statement)
    assert version is not None
    return {
        "id": statement.id, "kind": statement.kind.value, "audience": statement.audience,
        "language": statement.language, "status": statement.status.value, "version": version.number,
        "digest": version.digest, "title": version.title if statement.status.out else None,
        "body": version.body if statement.status.out else None, "replaces": statement.replaces or None,
        "updated_at": iso(statement.updated_at),
    }  # fmt: skip


class Readiness:
    """Collects what keeps this process from being ready; components register questions."""

    def __init__(self) -> None:
        self._questions: list[Any] = []

    def ask(self, question: Any) -> None:
        """``question`` is an async function giving a problem in words, or an empty string."""
        self._questions.append(question)

    async def problems(self) -> list[str]:
        answers = await asyncio.gather(*(question() for question in self._questions))
        return [answer for answer in answers if answer]


@web.middleware
async def errors(request: web.Request, handler: Any) -> web.StreamResponse:
    """Every failure of the API is JSON with a code and a sentence; causes go to the log only."""
    try:
        return await handler(request)  # type: ignore[no-any-return]
    except web.HTTPException as error:
        if error.status < 400 or error.content_type == "application/json" or not request.path.startswith("/api/"):
            raise
        return _json({"error": {"code": f"http_{error.status}", "message": error.reason}}, error.status)


def _answer(result: accept.Accepted) -> dict[str, Any]:
    return {
        "accepted": result.accepted,
        "duplicates": result.duplicates,
        "rejected": [{"index": index, "error": error} for index, error in result.rejected],
    }


def _items(body: bytes) -> list[Any]:
    """The posts of a request: a JSON array, one object, or one object a line. A bad line is reported as such."""
    text = body.lstrip()
    if not text:
        raise _problem(400, "empty", "the body is empty; send a JSON array of posts or one JSON object a line")
    if text[:1] == b"[":
        try:
            data = orjson.loads(body)
        except orjson.JSONDecodeError as error:
            raise _problem(400, "not_json", f"the body is not a JSON array: {error}") from None
        return data  # type: ignore[no-any-return]
    items: list[Any] = []
    for number, line in enumerate(body.splitlines(), 1):
        if line.strip():
            try:
                items.append(orjson.loads(line))
            except orjson.JSONDecodeError as error:
                items.append(f"line {number} is not JSON: {error}")
    return items


async def _body(request: web.Request, limit: int) -> bytes:
    """The body, refused beyond ``limit`` before it is read whole."""
    if (request.content_length or 0) > limit:
        raise _problem(413, "too_large", f"the body is larger than {limit // 1024 // 1024} MB; send it in parts")
    parts: list[bytes] = []
    size = 0
    async for chunk in request.content.iter_chunked(64 * 1024):
        size += len(chunk)
        if size > limit:
            raise _problem(413, "too_large", f"the body is larger than {limit // 1024 // 1024} MB; send it in parts")
        parts.append(chunk)
    return b"".join(parts)


def _json(data: Any, status: int = 200) -> web.Response:
    return web.Response(body=orjson.dumps(data), status=status, content_type="application/json")


def _problem(status: int, code: str, message: str) -> web.HTTPException:
    kinds: dict[int, type[web.HTTPException]] = {
        400: web.HTTPBadRequest, 401: web.HTTPUnauthorized, 403: web.HTTPForbidden, 404: web.HTTPNotFound,
    }  # fmt: skip
    body = orjson.dumps({"error": {"code": code, "message": message}}).decode()
    if status == 413:
        return web.HTTPRequestEntityTooLarge(MAX_BODY, MAX_BODY, text=body, content_type="application/json")
    return kinds[status](text=body, content_type="application/json")
