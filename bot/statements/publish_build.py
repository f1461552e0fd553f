"""Publishing put together: what it hands texts to, whom it asks before, who hears of it."""

from bot.config import Config
from bot.incidents.notices import Notices
from bot.response.linked import Linked
from bot.response.results import CallResults
from bot.response.runs import Runs
from bot.statements import filing
from bot.statements.publishing import Publishing
from bot.statements.service import Statements


def connect(
    config: Config, notices: Notices, linked: Linked, statements: Statements, runs: Runs, results: CallResults
) -> Publishing:
    """The approval machine is the gate; runs hear when a statement of theirs is out."""
    linkage = linked.linkage if config.linkage.actions else None
    publishing = Publishing(config, notices, linkage, linked.customers, statements, approved=filing.approved_audiences)
    publishing.listen(statements.settled)
    statements.connect(publishing, runs.statement_published)
    results.also(publishing.on_call)
    return publishing
