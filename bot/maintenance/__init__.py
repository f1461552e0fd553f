"""What operators do with the data besides running: put a backup back, import files, forget a person."""

from bot.maintenance.forgetting import Forgotten, forget
from bot.maintenance.importing import import_file
from bot.maintenance.operator import operator
from bot.maintenance.restoring import RestoreRefused, restore_store

__all__ = ["Forgotten", "RestoreRefused", "forget", "import_file", "operator", "restore_store"]
