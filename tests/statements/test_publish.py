"""Publishing: once, bit for bit, inside before outside, with a receipt from each target, whatever breaks in between."""

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from publish_scene import BODY, BOSS, TITLE, Scene, scene

from bot.clock import HOUR, MINUTE, SECOND
from bot.model.statement import StatementKind
from bot.model.text import UserError
from bot.statements.publishing import Publishing
from bot.store import audit, calls
from bot.store import publications as store

WHOLE = f"{TITLE}\n\n{BODY}"


def plain(mail: Any) -> str:
    return str(mail.message.get_content()).replace("\r\n", "\n")


async def test_every_target_gets_the_approved_text_bit_for_bit_and_says_so(tmp_path: Path) -> None:
    async with scene(tmp_path) as it:
        it.cms.answers["POST /articles"] = {"id": "A-7", "url": "https://mp.example/A-7"}
        statement, version = it.statement()
        it.begin(statement, version)
        await it.pass_time(10 * SECOND, step=SECOND)
        assert it.states() == {"newsroom": "done", "account": "done", "press": "done", "weibo": "waiting"}
        (article,) = it.cms.done
        assert (article.body["title"], article.body["body"]) == (TITLE, BODY)
        parts = ["fengbo-statement-1", "S-1", article.body["version"], "public", "zh-CN", TITLE, article.body["body"]]
        recomputed = hashlib.sha256(json.dumps(parts, ensure_ascii=False, separators=(",", ":")).encode()).hexdigest()
        assert recomputed == version.digest == article.body["digest"], "the receiver can prove it"
        item = it.house.look(lambda db: store.item_of(db, "S-1"))
        assert (item.title, item.body, item.digest) == (TITLE, BODY, version.digest)
        # Each receiver has a lane of their own: any of them may be first.
        assert sorted(mail.recipients[0] for mail in it.mail.mails) == [
            "desk@paper.example", "lina@corp.example", "news@tv.example",
        ]  # fmt: skip
        for mail in it.mail.mails:
            assert mail.message.get_content_type() == "text/plain" and mail.subject == TITLE
            assert plain(mail) == WHOLE
        receipts = it.receipts()
        assert receipts["press"].counts == {"all": 3, "sent": 3, "failed": 0, "waiting": 0}
        assert (receipts["account"].reference, receipts["account"].link) == ("A-7", "https://mp.example/A-7")
        assert receipts["newsroom"].link.startswith("https://news.corp.example/2026")
        assert it.settled == [], "one still waits for a person"
        it.act("confirm", "S-1", "weibo", link="https://weibo.com/xinghe/1")
        assert it.settled == [("S-1", True)] and it.state() == "done"
        assert it.receipts()["weibo"].by == "陈静"
        assert it.house.look(audit.verify) is None


async def test_a_text_is_published_once_however_often_it_is_asked_for(tmp_path: Path) -> None:
    async with scene(tmp_path) as it:
        statement, version = it.statement()
        first = it.begin(statement, version)
        for _ in range(3):
            assert it.begin(statement, version).id == first.id
            await it.pass_time(5 * SECOND, step=SECOND)
        assert len(it.cms.done) == 1 and len(it.mail.mails) == 3


async def test_what_the_gate_refuses_is_not_begun(tmp_path: Path) -> None:
    async with scene(tmp_path) as it:
        statement, version = it.statement()
        it.gate.approved.clear()
        with pytest.raises(UserError):
            it.begin(statement, version)
        await it.pass_time(MINUTE)
        assert it.state() == "" and not it.cms.done and not it.mail.mails


async def test_an_approval_that_lapses_before_the_moment_comes_stops_everything(tmp_path: Path) -> None:
    async with scene(tmp_path) as it:
        statement, version = it.statement()
        it.begin(statement, version, at=it.now + HOUR)
        assert it.state() == "scheduled"
        await it.pass_time(30 * MINUTE, step=10 * MINUTE)
        it.gate.approved.clear()
        await it.pass_time(HOUR, step=10 * MINUTE)
        assert it.state() == "stopped" and set(it.states().values()) == {"stopped"}
        assert not it.cms.done and not it.mail.mails and it.settled == [("S-1", False)]
        assert "停止发布" in it.said()


async def test_an_approval_that_lapses_under_an_embargo_stops_what_has_not_left(tmp_path: Path) -> None:
    async with scene(tmp_path) as it:
        statement, version = it.statement()
        it.begin(statement, version, embargo=it.now + HOUR)
        await it.pass_time(MINUTE)
        assert len(it.mail.mails) == 3
        it.gate.approved.clear()
        await it.pass_time(2 * HOUR, step=10 * MINUTE)
        assert it.states() == {"newsroom": "stopped", "account": "stopped", "press": "done", "weibo": "stopped"}
        assert not it.cms.done and it.house.look(lambda db: store.item_of(db, "S-1")) is None
        assert it.settled == [("S-1", True)], "some have it: it is out"


async def test_a_copy_that_was_altered_in_the_store_goes_nowhere(tmp_path: Path) -> None:
    async with scene(tmp_path) as it:
        statement, version = it.statement()
        it.begin(statement, version, at=it.now + HOUR)

        def tamper(db: Any) -> None:
            db.conn.execute("DROP TRIGGER publication_text_is_final")
            db.conn.execute("UPDATE publication SET body = body || '。'")

        it.house.do(tamper)
        await it.pass_time(2 * HOUR, step=10 * MINUTE)
        assert it.state() == "stopped" and not it.cms.done and not it.mail.mails


async def test_the_store_itself_refuses_to_change_what_is_being_published(tmp_path: Path) -> None:
    async with scene(tmp_path) as it:
        it.begin(*it.statement())
        for change in ("body = 'x'", "digest = 'x'", "drill = 'D-1'"):
            with pytest.raises(Exception, match="keeps its text"):
                it.house.do(lambda db, change=change: db.conn.execute(f"UPDATE publication SET {change}"))
        with pytest.raises(Exception, match="only corrected"):
            it.house.do(lambda db: db.conn.execute("UPDATE newsroom_item SET body = 'x'"))


async def test_an_embargoed_target_gets_it_at_once_with_the_line_around_and_nobody_else_before(tmp_path: Path) -> None:
    async with scene(tmp_path) as it:
        statement, version = it.statement()
        it.begin(statement, version, embargo=it.now + HOUR)
        await it.pass_time(MINUTE)
        assert len(it.mail.mails) == 3 and not it.cms.done
        line = "【2026-01-05 11:00（北京时间）前请勿发布】"
        assert plain(it.mail.mails[0]).rstrip("\n") == f"{line}\n\n{WHOLE}\n\n{line}"
        assert it.mail.mails[0].subject == f"{line} {TITLE}"
        assert it.house.look(store.public_items) == []
        await it.pass_time(58 * MINUTE, step=MINUTE)
        assert not it.cms.done
        await it.pass_time(2 * MINUTE, step=10 * SECOND)
        assert it.cms.done[0].body["body"] == BODY and len(it.mail.mails) == 3
        assert len(it.house.look(store.public_items)) == 1


async def test_staff_hear_it_before_the_public(tmp_path: Path) -> None:
    async with scene(tmp_path) as it:
        it.begin(*it.statement("staff", 2), at=it.now + 5 * MINUTE)
        it.begin(*it.statement())
        await it.pass_time(4 * MINUTE)
        assert it.state() == "held" and not it.cms.done and "先等一等" in it.said()
        await it.pass_time(2 * MINUTE)
        assert it.state("S-2") == "done" and it.cms.done
        sent = next(row for row in it.chats["slack"].sent if row.message.destination == "slack:C0STAFF#publish")
        assert sent.message.text == WHOLE and sent.message.verbatim
        settled_at = it.house.look(lambda db: store.latest(db, "S-2")).settled_at
        assert it.receipts()["account"].handed_at >= settled_at > 0


async def test_the_wait_for_an_earlier_audience_ends(tmp_path: Path) -> None:
    async with scene(tmp_path) as it:
        it.begin(*it.statement("affected_customers", 2))  # nobody releases the notice
        it.begin(*it.statement())
        await it.pass_time(14 * MINUTE, step=MINUTE)
        assert it.state() == "held" and not it.cms.done
        await it.pass_time(2 * MINUTE)
        assert it.cms.done and "等待时间已到" in it.said()


async def test_an_approved_text_for_people_inside_is_waited_for_although_nobody_began_it(tmp_path: Path) -> None:
    async with scene(tmp_path) as it:
        approved = ["staff"]
        way = it.publishing._way
        way._approved = lambda db, incident: approved if incident == it.incident.id else ()
        it.begin(*it.statement())
        await it.pass_time(5 * MINUTE, step=MINUTE)
        assert it.state() == "held"
        approved.clear()
        await it.pass_time(MINUTE)
        assert it.cms.done


async def test_another_incident_and_a_far_schedule_hold_nothing_up(tmp_path: Path) -> None:
    async with scene(tmp_path) as it:
        it.begin(*it.statement("staff", 2), at=it.now + HOUR)
        it.begin(*it.statement("staff", 3, incident="I-99"), at=it.now + MINUTE)
        it.begin(*it.statement())
        await it.rest()
        assert it.cms.done


async def test_a_publisher_that_is_down_gets_it_when_it_is_back(tmp_path: Path) -> None:
    async with scene(tmp_path) as it:
        port = int(it.cms.url.rpartition(":")[2])
        await it.cms.stop()
        it.begin(*it.statement())
        await it.pass_time(20 * MINUTE, step=MINUTE)
        assert it.states()["account"] == "sending" and it.states()["press"] == "done", "one does not hold up the others"
        await it.cms.start(port=port)
        await it.pass_time(6 * MINUTE, step=MINUTE)
        assert it.states()["account"] == "done" and len(it.cms.done) == 1


async def test_a_publisher_that_publishes_without_an_answer_publishes_once(tmp_path: Path) -> None:
    async with scene(tmp_path) as it:
        it.cms.drop_after_effect("/articles", times=2)
        it.begin(*it.statement())
        await it.pass_time(MINUTE)
        assert it.states()["account"] == "done" and len(it.cms.done) == 1 and len(it.cms.calls) == 3


async def test_what_nobody_can_find_out_is_decided_by_a_person(tmp_path: Path) -> None:
    async with scene(tmp_path) as it:
        it.cms.drop_after_effect("/unsure")
        it.begin(*it.statement("kols"))
        await it.pass_time(MINUTE)
        assert it.states() == {"unsure": "unclear"} and it.state() == "publishing"
        assert it.settled == [], "it may be out: neither yes nor no is said"
        call = it.house.look(lambda db: calls.of_incident(db, it.incident.id))[0]
        it.house.do(lambda db: it.linkage.settle(db, call.id, BOSS, it.now, done=True))
        assert it.states() == {"unsure": "done"} and it.settled[-1] == ("S-1", True) and it.state() == "done"


async def test_a_refused_target_is_tried_again_by_a_person_and_doubles_nothing(tmp_path: Path) -> None:
    async with scene(tmp_path) as it:
        it.cms.answers["POST /articles"] = (422, {}, {"error": "no cover"})
        it.begin(*it.statement())
        await it.pass_time(MINUTE)
        it.act("confirm", "S-1", "weibo", link="https://weibo.com/1")
        assert it.states()["account"] == "failed" and "no cover" in it.receipts()["account"].error
        assert it.settled == [("S-1", True)] and it.state() == "failed" and "没有全部发布成功" in it.said()
        it.cms.answers["POST /articles"] = {"id": "A-1"}
        it.act("again", "S-1", "account")
        await it.pass_time(MINUTE)
        assert it.states()["account"] == "done" and it.settled[-1] == ("S-1", True)
        assert len(it.mail.mails) == 3, "what had arrived is not sent again"


async def test_what_got_out_nowhere_may_be_begun_anew(tmp_path: Path) -> None:
    async with scene(tmp_path) as it:
        it.cms.answers["POST /unsure"] = (403, {}, {})
        statement, version = it.statement("kols")
        first = it.begin(statement, version)
        await it.pass_time(MINUTE)
        assert it.states() == {"unsure": "failed"} and it.settled == [("S-1", False)]
        del it.cms.answers["POST /unsure"]
        with pytest.raises(UserError) as refusal:
            it.act("again", "S-1", "unsure")
        assert refusal.value.text.key == "error.publish_anew"
        assert it.begin(statement, version).id == first.id
        await it.pass_time(MINUTE)
        assert it.states() == {"unsure": "done"} and it.settled[-1] == ("S-1", True)


async def test_a_target_is_tried_again_only_while_the_approval_holds(tmp_path: Path) -> None:
    async with scene(tmp_path) as it:
        it.cms.answers["POST /articles"] = (422, {}, {})
        it.begin(*it.statement())
        await it.pass_time(MINUTE)
        it.gate.approved.clear()
        with pytest.raises(UserError):
            it.act("again", "S-1", "account")
        await it.pass_time(MINUTE)
        assert len(it.cms.calls) == 1


async def test_a_receiver_who_is_refused_is_counted_and_named_without_the_address(tmp_path: Path) -> None:
    async with scene(tmp_path) as it:
        it.mail.unknown.add("news@tv.example")
        it.begin(*it.statement("media"))
        await it.pass_time(MINUTE)
        press = it.receipts()["press"]
        assert (press.state.value, press.counts["sent"], press.counts["failed"]) == ("failed", 2, 1)
        assert "n…@tv.example" in press.error and "news@tv.example" not in press.error


async def test_customers_are_counted_first_and_told_by_a_role_while_the_approval_holds(tmp_path: Path) -> None:
    async with scene(tmp_path) as it:
        statement, version = it.statement("affected_customers")
        it.begin(statement, version)
        await it.pass_time(30 * SECOND)
        receipt = it.receipts()["clients"]
        assert receipt.state.value == "waiting" and receipt.counts["email"] == 1 and not it.mail.mails
        it.gate.approved.clear()
        with pytest.raises(UserError):
            it.house.do(lambda db: it.service.send(db, int(receipt.reference), BOSS, it.now))
        it.gate.approved.add(version.digest)
        it.house.do(lambda db: it.service.send(db, int(receipt.reference), BOSS, it.now))
        await it.pass_time(2 * MINUTE)
        assert it.states() == {"clients": "done"} and it.receipts()["clients"].counts["sent"] == 1
        assert it.mail.mails[0].recipients == ("wang@example.com",) and it.settled == [("S-1", True)]


async def test_a_publication_is_taken_back_only_before_anything_left(tmp_path: Path) -> None:
    async with scene(tmp_path) as it:
        statement, version = it.statement()
        it.begin(statement, version, at=it.now + HOUR)
        assert it.cancel()
        await it.pass_time(2 * HOUR, step=10 * MINUTE)
        assert it.state() == "cancelled" and not it.cms.done and not it.mail.mails
        it.begin(statement, version)
        await it.pass_time(MINUTE)
        assert len(it.cms.done) == 1 and len(it.mail.mails) == 3 and not it.cancel()


async def test_what_is_queued_but_has_not_left_can_be_taken_back_and_begun_anew(tmp_path: Path) -> None:
    async with scene(tmp_path) as it:
        statement, version = it.statement("kols")

        def both(db: Any) -> bool:
            it.publishing.begin(db, statement, version, BOSS, it.now)
            return it.publishing.cancel(db, "S-1", BOSS, it.now, "等一下")

        assert it.house.do(both)
        await it.pass_time(MINUTE)
        assert not it.cms.done and it.state() == "cancelled"
        it.begin(statement, version)
        await it.pass_time(MINUTE)
        assert len(it.cms.done) == 1 and it.state() == "done"


async def test_a_place_that_only_the_playbook_names_is_published_by_hand(tmp_path: Path) -> None:
    async with scene(tmp_path) as it:
        statement, version = it.statement(channels=("公众号", "抖音"))
        it.begin(statement, version)
        await it.pass_time(MINUTE)
        assert it.states() == {"account": "done", "抖音": "waiting"} and "抖音" in it.said()
        with pytest.raises(UserError):
            it.act("confirm", "S-1", "抖音", link="javascript:alert(1)")
        it.act("confirm", "S-1", "抖音", link="https://douyin.example/1")
        assert it.settled == [("S-1", True)]


async def test_an_audience_that_no_publisher_serves_is_told_by_hand_and_on_record(tmp_path: Path) -> None:
    async with scene(tmp_path) as it:
        it.begin(*it.statement("partners"))
        await it.pass_time(MINUTE)
        assert it.states() == {"by-hand": "waiting"} and "人工发布" in it.said()
        it.act("confirm", "S-1", "by-hand")
        assert it.settled == [("S-1", True)]


async def test_a_correction_is_shown_at_the_text_it_corrects(tmp_path: Path) -> None:
    async with scene(tmp_path) as it:
        it.begin(*it.statement("media"))
        await it.pass_time(MINUTE)
        it.begin(*it.statement("media", 2, kind=StatementKind.CORRECTION, replaces="S-1", body="更正：20:00 到账。"))
        await it.pass_time(MINUTE)
        old = it.house.look(lambda db: store.item_of(db, "S-1"))
        assert (old.replaced_by, old.replaced_kind, old.body) == ("S-2", "correction", BODY)
        assert old.updated_at > old.published_at
        it.house.do(lambda db: it.publishing.replaced(db, "S-1", "S-2", "correction", it.now + HOUR))
        assert it.house.look(lambda db: store.item_of(db, "S-1")) == old, "said once"


@pytest.mark.parametrize("audience", ["public", "media", "staff", "affected_customers"])
async def test_a_restart_between_any_two_steps_loses_and_doubles_nothing(tmp_path: Path, audience: str) -> None:
    """Every commit is a place where the process may die: a new service on the same store goes on from its rows."""
    async with scene(tmp_path) as it:
        statement, version = it.statement(audience)
        it.begin(statement, version, at=it.now + MINUTE)
        for _ in range(12):
            reborn = Publishing(it.config, it.house.notices, it.linkage, it.service, it.gate)
            it.publishing = reborn
            it.alarm._handlers = {**it.alarm._handlers, **reborn.timers()}
            await it.house.clock.advance(10 * SECOND)
            await it.alarm.fire_due()
        await it.pass_time(MINUTE)
        expected = {"public": (1, 3), "media": (0, 3), "staff": (0, 0), "affected_customers": (0, 0)}[audience]
        assert (len(it.cms.done), len(it.mail.mails)) == expected
        assert len({mail.message["Message-ID"] for mail in it.mail.mails}) == len(it.mail.mails)
        staff = [row for row in it.chats["slack"].sent if "C0STAFF" in row.message.destination]
        assert len(staff) == (audience == "staff")


async def test_any_failure_inside_a_hand_over_undoes_it_whole(tmp_path: Path) -> None:
    async with scene(tmp_path) as it:
        statement, version = it.statement("media")
        it.begin(statement, version, at=it.now + MINUTE)
        targets = it.publishing._way._targets
        whole, broken = targets.hand_over, iter([True, True, False])

        def crash(*args: Any) -> Any:
            handed = whole(*args)
            if args[2].kind == "email" and next(broken):
                raise RuntimeError("killed after the rows were written")
            return handed

        targets.hand_over = crash  # type: ignore[method-assign]
        await it.house.clock.advance(MINUTE)
        await it.alarm.fire_due()
        assert it.state() == "scheduled" and it.house.look(lambda db: store.item_of(db, "S-1")) is None
        await it.pass_time(2 * MINUTE)
        assert it.state() == "done" and len(it.mail.mails) == 3


def everything(it: Scene) -> str:
    """Every row and every file that could carry a text out of the house."""
    rows = it.house.look(
        lambda db: [
            *db.conn.execute("SELECT destination, message FROM outbox").fetchall(),
            *db.conn.execute("SELECT system, params FROM call").fetchall(),
            *db.conn.execute("SELECT segment, text FROM notice").fetchall(),
            *db.conn.execute("SELECT slug, body FROM newsroom_item WHERE drill = ''").fetchall(),
        ]
    )
    files = [path.read_text() for path in it.folder.rglob("*") if path.suffix in (".html", ".atom", ".json")]
    return json.dumps([rows, files], ensure_ascii=False)


async def test_a_drill_reaches_no_publisher_whatever_is_configured(tmp_path: Path) -> None:
    async with scene(tmp_path, drill=True) as it:
        audiences = ["core_team", "management", "staff", "affected_customers", "media", "kols", "public"]
        for number, audience in enumerate(audiences, 1):
            it.begin(*it.statement(audience, number, drill="", body=f"演练秘密 {audience}"))
        await it.pass_time(30 * MINUTE, step=MINUTE)
        for number, audience in enumerate(audiences, 1):
            assert set(it.states(f"S-{number}").values()) == {"simulated"}, audience
        assert it.cms.calls == [] and it.mail.mails == []
        assert "演练秘密" not in everything(it), "not a word of it stands in any row that leaves"
        sent = [row.message.destination.partition("#")[0] for chat in it.chats.values() for row in chat.sent]
        assert set(sent) <= {"slack:C0DRILL", "console:drill"}
        preview = it.house.look(lambda db: store.item_of(db, "S-7"))
        assert preview.drill and it.house.look(store.public_items) == []
        assert it.house.look(lambda db: store.item(db, preview.slug)) is None
        assert it.receipts("S-7")["newsroom"].link == "/statements/preview/S-7"
        assert {ok for _, ok in it.settled} == {True}


async def test_a_simulated_target_cannot_be_confirmed_or_tried_again(tmp_path: Path) -> None:
    async with scene(tmp_path, drill=True) as it:
        it.begin(*it.statement())
        for method in ("confirm", "again"):
            with pytest.raises(UserError):
                it.act(method, "S-1", "weibo")
