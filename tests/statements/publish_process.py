"""A process that publishes statements until it is killed: started again and again by the crash test, on one store."""

import asyncio
import sys
from pathlib import Path
from typing import Any

from sqlite_utils import Database

from bot.chat.mail import MailChat
from bot.clock import SystemClock
from bot.config import parse
from bot.delivery.alarm import Alarm
from bot.delivery.sender import Sender
from bot.incidents.notices import Notices
from bot.model.grade import Grade
from bot.model.incident import SYSTEM
from bot.model.statement import Statement, StatementKind, StatementStatus, Version
from bot.newsroom.folder import FolderErrand
from bot.response.linkage import Linkage, LinkageWorker
from bot.response.transport import open_session
from bot.statements.publish_targets import FOLDER
from bot.statements.publishing import Publishing
from bot.store.database import Store

STATEMENTS = 30


class OpenGate:
    def may_publish(self, db: Database, statement_id: str, digest: str, now: int) -> None:
        """Everything is approved."""


def approved(number: int) -> tuple[Statement, Version]:
    """The same statement in every life of the process."""
    statement = Statement(
        f"S-{number}", f"I-{number}", "", StatementKind.ORIGINAL, "public", "zh-CN", StatementStatus.APPROVED,
        Grade.YELLOW, 1, 1, 1,
    )  # fmt: skip
    return statement, Version(statement.id, 1, "public", "zh-CN", f"声明 {number}", f"正文 {number}", "", "", "", 1)


async def main(folder: Path) -> None:
    config = parse((folder / "fengbo.yaml").read_text(encoding="utf-8"), "fengbo.yaml")
    store, clock, cards = Store(config.store), SystemClock(), Any
    assert config.chat.email is not None
    publishing = Publishing(config, Notices(config, cards), Linkage(config), None, OpenGate())  # type: ignore[arg-type]
    async with open_session() as session:
        worker = LinkageWorker(store, clock, config, session, publishing.on_call, {"CMS_TOKEN": "fake-system-token"})
        sender = Sender(store, clock, {"email": MailChat(config.chat.email)})
        errand = FolderErrand(config, store, publishing)
        alarm = Alarm(store, clock, publishing.timers(), None, {FOLDER: errand})

        async def begin() -> None:
            for number in range(1, STATEMENTS + 1):
                statement, version = approved(number)
                await store.write(lambda db, s=statement, v=version: publishing.begin(db, s, v, SYSTEM, clock.now()))
                await asyncio.sleep(0.02)
            await asyncio.Event().wait()

        await asyncio.gather(begin(), worker.run(), sender.run(), alarm.run())


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
