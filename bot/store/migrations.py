"""The one list of migrations. The modules that fill it are named in ``bot.store.tables``."""

from sqlite_utils import Migrations

migrations = Migrations("fengbo")
