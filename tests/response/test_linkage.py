"""Durable calls: what happens when a linked system is down, slow, doubled, broken, or must not be reached at all."""

import asyncio
import json
import logging
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from factories import CONFIG, House, house

from bot.clock import HOUR, MINUTE
from bot.config import parse
from bot.model.grade import Grade
from bot.model.text import UserError
from bot.response.linkage import Linkage, LinkageWorker
from bot.response.results import CallResults
from bot.response.transport import open_session
from bot.store import calls
from bot.store import incidents as incident_store
from bot.store.calls import Call
from bot.testkit.fake_system import FakeSystem

SECRET, KEY = "fake-system-token", "fake-system-signing-key"
ENVIRON = {"DESK_TOKEN": SECRET, "DESK_KEY": KEY, "OPS_TOKEN": SECRET}
LOOKUP = {"path": "/tickets", "query": {"reference": "{reference}"}, "found": "body.tickets[0].id", "after": "5s"}


@dataclass
class Scene:
    """A house with a desk and an operations system on loopback."""

    house: House
    desk: FakeSystem
    ops: FakeSystem
    linkage: Linkage
    worker: LinkageWorker
    ended: list[Call] = field(default_factory=list)

    async def settle(self) -> None:
        """Let everything that is due now happen."""
        self.worker.wake()
        for _ in range(2000):
            await asyncio.sleep(0.002)
            if await self.worker.idle():
                return
        raise AssertionError("the worker does not come to rest")

    async def pass_time(self, milliseconds: int, step: int = 30_000) -> None:
        for _ in range(max(1, milliseconds // step)):
            await self.house.clock.advance(min(step, milliseconds))
            await self.settle()

    def ask(self, key: str = "k1", action: str = "ticket", incident: str = "", drill: str = "", **params: Any) -> None:
        values = {"title": "提现失败", **params}
        self.house.do(
            lambda db: self.linkage.request(
                db, key=key, action=action, params=values, incident=incident, drill=drill, run="7", step="tell",
                now=self.house.now,
            )
        )  # fmt: skip

    def call(self, key: str = "k1") -> Call:
        found = self.house.look(lambda db: calls.by_key(db, key))
        assert found is not None
        return found


def linkage_yaml(desk: str, ops: str, action: dict[str, Any], system: dict[str, Any]) -> str:
    ticket = {
        "system": "desk", "path": "/tickets", "body": {"summary": "{title}", "tag": "{reference}"},
        "success": "body.id", "result": {"id": "body.id", "link": "body.url"}, **action,
    }  # fmt: skip
    settings = {
        "systems": {
            "desk": {
                "base_url": desk, "auth": {"secret_env": "DESK_TOKEN"}, "sign": {"key_env": "DESK_KEY"},
                "timeout": "1s", **system,
            },
            "ops": {"base_url": ops, "auth": {"secret_env": "OPS_TOKEN"}},
        },
        "actions": {
            # A key given as None is left to the preset.
            "ticket": {key: value for key, value in ticket.items() if value is not None},
            "repair": {"system": "ops", "path": "/jobs/{job}/run", "body": {"options": "{options?}"}},
        },
    }  # fmt: skip
    return "linkage: " + json.dumps(settings, ensure_ascii=False)


@asynccontextmanager
async def scene(
    folder: Path, action: dict[str, Any] | None = None, *, system: dict[str, Any] | None = None, once: bool = False
) -> AsyncIterator[Scene]:
    first = house(folder)
    async with FakeSystem(first.clock, once=once, signed=True) as desk, FakeSystem(first.clock) as ops:
        text = CONFIG + linkage_yaml(desk.url, ops.url, action or {}, system or {})
        settings = parse(text, "fengbo.yaml")
        ended: list[Call] = []
        shown = CallResults(first.notices)

        def results(db: Any, call: Call, now: int) -> None:
            shown(db, call, now)
            ended.append(call)

        async with open_session() as session:
            worker = LinkageWorker(first.store, first.clock, settings, session, results, ENVIRON)
            running = asyncio.create_task(worker.run())
            try:
                yield Scene(first, desk, ops, Linkage(settings), worker, ended)
            finally:
                running.cancel()
                await asyncio.gather(running, return_exceptions=True)
                first.store.close()


async def test_a_call_is_made_once_signed_and_its_result_is_shown_in_the_thread(tmp_path: Path) -> None:
    async with scene(tmp_path) as it:
        it.desk.answers["POST /tickets"] = {"id": "T-7", "url": "https://desk.example/T-7"}
        incident = it.house.judge(Grade.YELLOW)
        assert incident is not None
        for _ in range(3):
            it.ask(incident=incident.id)
        await it.settle()
        assert len(it.desk.done) == 1
        assert it.desk.done[0].body == {"summary": "提现失败", "tag": it.desk.done[0].key}
        call = it.call()
        assert (call.state, call.result) == ("done", {"id": "T-7", "link": "https://desk.example/T-7"})
        said = it.house.outbox(reason="call", thread=f"incident:{incident.id}")
        assert said and all("T-7 https://desk.example/T-7" in message.text for message in said)
        assert [item.state for item in it.ended] == ["done"]
        kinds = [entry.kind for entry in it.house.look(lambda db: incident_store.timeline(db, incident.id))]
        assert "call_done" in kinds


async def test_a_system_that_is_down_for_an_hour_gets_its_call_and_holds_up_nobody_else(tmp_path: Path) -> None:
    async with scene(tmp_path) as it:
        port = int(it.desk.url.rpartition(":")[2])
        await it.desk.stop()
        it.ask()
        it.ask("k2", "repair", job="restart-pay")
        await it.settle()
        assert it.call("k2").state == "done" and it.ops.done[0].path == "/jobs/restart-pay/run"
        await it.pass_time(HOUR)
        waiting = it.call()
        assert waiting.state == "waiting" and 10 < waiting.attempts < 40, "it is tried with growing pauses"
        assert [call.state for call in it.ended] == ["done", "waiting"], (
            "people are told once that it does not get through"
        )
        await it.desk.start(port=port)
        await it.pass_time(6 * MINUTE)
        assert it.call().state == "done" and len(it.desk.done) == 1


async def test_retry_after_delays_the_system_and_loses_nothing(tmp_path: Path) -> None:
    async with scene(tmp_path) as it:
        it.desk.fail_next("/tickets", status=429, retry_after=120)
        it.ask()
        it.ask("k2")
        await it.settle()
        assert len(it.desk.calls) == 1, "the whole system is left alone"
        await it.pass_time(119_000, step=119_000)
        assert len(it.desk.calls) == 1
        await it.pass_time(2_000, step=1_000)
        assert {it.call(key).state for key in ("k1", "k2")} == {"done"} and len(it.desk.done) == 2


@pytest.mark.parametrize("trouble", ["drop_after_effect", "answer_500", "hang_after_effect"])
async def test_work_done_without_an_answer_is_found_by_looking_and_not_repeated(tmp_path: Path, trouble: str) -> None:
    async with scene(tmp_path, {"lookup": LOOKUP}) as it:
        it.desk.answers["GET /tickets"] = lambda done: {"tickets": [{"id": f"T-{len(done)}"}] if done else []}
        if trouble == "answer_500":
            it.desk.answers["POST /tickets"] = (500, {}, {"error": "after the work"})
        elif trouble == "drop_after_effect":
            it.desk.drop_after_effect("/tickets")
        else:
            it.desk.answers["POST /tickets"] = (502, {}, {})
        it.ask()
        await it.settle()
        assert it.call().state == "sending", "it is in doubt"
        await it.pass_time(6_000, step=1_000)
        assert (it.call().state, it.call().result) == ("done", {"id": "T-1"})
        assert len(it.desk.done) == 1


async def test_work_that_looking_does_not_find_is_done_again(tmp_path: Path) -> None:
    async with scene(tmp_path, {"lookup": LOOKUP}) as it:
        it.desk.answers["GET /tickets"] = {"tickets": []}
        it.desk.drop_before_effect("/tickets")
        it.ask()
        await it.pass_time(6_000, step=1_000)
        assert it.call().state == "done" and len(it.desk.done) == 1


async def test_a_time_out_is_unclear(tmp_path: Path) -> None:
    async with scene(tmp_path) as it:
        it.desk.hang("/tickets")
        it.ask()
        await asyncio.sleep(1.2)  # the time-out of a connection is the machine's
        await it.settle()
        assert it.call().state == "unclear" and "no answer" in it.call().error


async def test_a_system_that_does_a_key_once_is_simply_asked_again(tmp_path: Path) -> None:
    async with scene(tmp_path, {"idempotent": True}, once=True) as it:
        it.desk.drop_after_effect("/tickets", times=2)
        it.ask()
        await it.pass_time(10_000, step=1_000)
        assert it.call().state == "done"
        assert len(it.desk.calls) == 3 and len(it.desk.done) == 1
        assert len({call.headers["Idempotency-Key"] for call in it.desk.calls}) == 1


async def test_what_nobody_can_find_out_is_handed_to_a_person_who_decides(tmp_path: Path) -> None:
    async with scene(tmp_path) as it:
        incident = it.house.judge(Grade.YELLOW)
        assert incident is not None
        it.desk.answers["POST /tickets"] = (500, {}, {})
        it.ask(incident=incident.id)
        await it.pass_time(HOUR)
        call = it.call()
        assert call.state == "unclear" and len(it.desk.done) == 1, "never repeated by itself"
        assert f"{call.id}" in it.house.outbox(reason="call")[0].text
        it.desk.answers["POST /tickets"] = {"id": "T-9"}
        from factories import actor

        it.house.do(lambda db: it.linkage.repeat(db, call.id, actor(), it.house.now))
        await it.settle()
        assert it.call().state == "done" and it.call().result == {"id": "T-9"}


@pytest.mark.parametrize(
    ("status", "body", "state"),
    [
        (400, {"error": "no such project"}, "failed"),
        (401, {}, "failed"),
        (404, {}, "failed"),
        (302, {}, "failed"),
        (200, {"errcode": 40001}, "failed"),
        (200, {"id": 0}, "done"),
        (201, {"id": "x"}, "done"),
    ],
)
async def test_an_answer_is_read_by_status_and_success_condition(
    tmp_path: Path, status: int, body: dict[str, Any], state: str
) -> None:
    async with scene(tmp_path) as it:
        it.desk.answers["POST /tickets"] = (status, {"Location": "https://elsewhere.example/"}, body)
        it.ask()
        await it.settle()
        assert it.call().state == state and len(it.desk.calls) == 1


async def test_a_status_that_means_it_was_done_before_is_success(tmp_path: Path) -> None:
    async with scene(tmp_path, {"already": [409]}) as it:
        it.desk.answers["POST /tickets"] = (409, {}, {"error": "duplicate"})
        it.ask()
        await it.settle()
        assert it.call().state == "done"


async def test_a_kill_between_call_and_record_is_in_doubt_after_the_restart(tmp_path: Path) -> None:
    async with scene(tmp_path, {"lookup": LOOKUP}) as it:
        it.desk.answers["GET /tickets"] = {"tickets": [{"id": "T-1"}]}
        it.ask()
        it.house.do(lambda db: calls.claim(db, "desk", it.house.now))  # … and the process dies here
        await it.settle()
        assert it.call().result == {"id": "T-1"} and it.desk.done == []


async def test_a_call_nobody_can_make_fails_in_words(tmp_path: Path) -> None:
    async with scene(tmp_path) as it:
        with pytest.raises(UserError, match="no_such_action"):
            it.ask("k0", "no-such-action")
        # The configuration has lost an action that was asked for before the restart.
        it.house.do(
            lambda db: calls.add(
                db, key="k1", system="gone", action="no-such-action", params={}, context={}, incident="", run="",
                step="", drill="", now=it.house.now,
            )
        )  # fmt: skip
        it.ask("k2", "repair")
        it.ask("k3", "repair", job="..")
        await it.settle()
        assert "no-such-action" in it.call("k1").error
        assert "job is needed" in it.call("k2").error
        assert "cannot stand in an address" in it.call("k3").error
        assert it.ops.calls == []


async def test_values_are_data_and_never_syntax(tmp_path: Path) -> None:
    async with scene(tmp_path) as it:
        evil = '", "admin": true, "x": "{reference} {nothing}\\'
        it.ask("k1", title=evil)
        it.ask("k2", "repair", job="a/../../admin?x=1#y", options={"a": [1, "{job}"]})
        await it.settle()
        assert it.desk.done[0].body["summary"] == evil and set(it.desk.done[0].body) == {"summary", "tag"}
        assert it.ops.done[0].path == "/jobs/a/../../admin?x=1#y/run", "one segment, percent-encoded on the way"
        assert it.ops.done[0].body == {"options": {"a": [1, "{job}"]}}


async def test_a_drill_calls_nothing_whatever_the_system_or_the_answer(tmp_path: Path) -> None:
    async with scene(tmp_path, {"lookup": LOOKUP}) as it:
        drill = it.house.do(
            lambda db: incident_store.create(
                db, subject="xinghe-pay", subject_name="星河支付", family="funds", crisis_type="withdrawal_failure",
                title="t", grade=Grade.RED, signals=(), now=it.house.now, drill="spring",
            )
        )  # fmt: skip
        it.ask("marked", drill="spring")
        it.ask("by its incident", "repair", incident=drill.id, job="restart")
        # A defect elsewhere: a row of a drill's incident that is not marked as one, and one that is in doubt.
        for key in ("unmarked", "in doubt"):
            it.house.do(
                lambda db, key=key: calls.add(
                    db, key=key, system="desk", action="ticket", params={"title": "x"}, context={}, incident=drill.id,
                    run="", step="", drill="" if key == "unmarked" else "spring", now=it.house.now,
                )
            )  # fmt: skip
        it.house.do(lambda db: db.conn.execute("UPDATE call SET state = 'sending' WHERE key = 'in doubt'"))
        await it.pass_time(HOUR)
        assert it.desk.calls == [] and it.ops.calls == []
        assert it.call("marked").simulated and it.call("marked").state == "done"
        assert it.call("by its incident").drill == "spring"
        assert it.call("unmarked").state == "failed"
        said = it.house.outbox(reason="call")
        assert said and {message.destination for message in said} <= {"slack:C0DRILL", "console:drill"}


async def test_secrets_stand_in_no_row_no_log_and_no_message(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    query = {"auth": {"kind": "query", "name": "api_key", "secret_env": "DESK_TOKEN"}}
    async with scene(tmp_path, system=query) as it:
        incident = it.house.judge(Grade.YELLOW)
        assert incident is not None
        it.desk.answers["POST /tickets"] = (400, {}, {"echo": f"Bearer {SECRET} {KEY}"})
        it.ask(incident=incident.id)
        await it.settle()
        await it.desk.stop()
        it.ask("k2", incident=incident.id)
        await it.pass_time(10 * MINUTE)
        rows = it.house.look(
            lambda db: [
                repr(row)
                for table in ("call", "outbox", "timeline", "audit")
                for row in db.conn.execute(f"SELECT * FROM {table}")
            ]
        )
        assert it.call().state == "failed"
        for place in ("\n".join(rows), caplog.text):
            assert SECRET not in place and KEY not in place


async def test_a_wrong_signature_is_refused_by_the_peer_and_shown(tmp_path: Path) -> None:
    async with scene(tmp_path) as it:
        it.desk.signing_key = "another"
        it.ask()
        await it.settle()
        assert it.call().state == "failed" and "bad signature" in it.call().error


async def test_a_missing_secret_keeps_the_call_waiting_and_names_the_variable(tmp_path: Path) -> None:
    async with scene(tmp_path, system={"auth": {"secret_env": "NOBODY_SET_THIS"}}) as it:
        it.ask()
        await it.settle()
        assert it.call().state == "waiting" and "NOBODY_SET_THIS" in it.call().error and it.desk.calls == []


async def test_what_does_not_get_through_for_a_day_is_given_up_in_words(tmp_path: Path) -> None:
    async with scene(tmp_path, system={"give_up_after": "1h"}) as it:
        await it.desk.stop()
        it.ask()
        await it.pass_time(HOUR + 6 * MINUTE)
        assert it.call().state == "failed" and it.call().error.startswith("given up")


async def test_the_pace_of_a_system_is_kept(tmp_path: Path) -> None:
    async with scene(tmp_path, system={"per_minute": 3}) as it:
        for number in range(7):
            it.ask(f"k{number}")
        await it.settle()
        assert len(it.desk.done) == 3
        await it.pass_time(61_000, step=61_000)
        assert len(it.desk.done) == 6
        await it.pass_time(61_000, step=61_000)
        assert len(it.desk.done) == 7


def certificate(folder: Path, name: str) -> tuple[Path, Path]:
    """A self-signed certificate for ``name``: (certificate, key)."""
    from datetime import UTC, datetime, timedelta

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import NameOID

    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), True)
        .sign(key, hashes.SHA256())
    )
    pem, secret = folder / f"{name}.pem", folder / f"{name}.key"
    pem.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    secret.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return pem, secret


@pytest.mark.parametrize(
    ("name", "trusted", "reached"),
    [("localhost", True, True), ("localhost", False, False), ("desk.example", True, False)],
)
async def test_a_certificate_must_be_trusted_and_name_the_host(
    tmp_path: Path, name: str, trusted: bool, reached: bool
) -> None:
    pem, secret = certificate(tmp_path, name)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem, secret)
    seen: list[str] = []

    async def take(request: web.Request) -> web.Response:
        seen.append(request.headers["Authorization"])
        return web.json_response({"id": "T-1"})

    app = web.Application()
    app.router.add_route("*", "/{tail:.*}", take)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context)
    await site.start()
    url = f"https://localhost:{runner.addresses[0][1]}"
    system = {"base_url": url, **({"ca_file": str(pem)} if trusted else {})}
    try:
        async with scene(tmp_path, system=system) as it:
            it.ask()
            await it.settle()
            assert bool(seen) is reached, "a secret is not even sent to somebody who cannot prove who they are"
            assert it.call().state == ("done" if reached else "waiting")
            assert reached or "certificate" in it.call().error.lower()
    finally:
        await runner.cleanup()
