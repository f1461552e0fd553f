"""All tables: importing this fills the list of migrations, in the order in which a new store applies them."""

from bot.store import schema, schema_drills, schema_learning, schema_reports
from bot.store.migrations import migrations

__all__ = ["migrations", "schema", "schema_drills", "schema_learning", "schema_reports"]
