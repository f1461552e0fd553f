"""The library in use: read again when a file changes. A file that breaks leaves its last good state."""

import logging
from pathlib import Path

import bot
from bot.response.library import Library, load_library

log = logging.getLogger(__name__)

BUILT_IN = Path(bot.__file__).resolve().parent.parent / "playbooks"
Signature = tuple[tuple[str, int, int], ...]


def library_folder(configured: str, beside: Path | None = None) -> Path:
    """The folder that is meant: as written, else beside the configuration file, else the playbooks that come along."""
    named = Path(configured).expanduser()
    candidates = [named] if named.is_absolute() else [*([beside / named] if beside else []), named]
    return next((folder for folder in candidates if folder.is_dir()), BUILT_IN)


class Shelf:
    """``library()`` is the newest usable state; ``version`` counts how often it changed."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.version = 0
        self._signature: Signature = ()
        self._library = Library()

    def library(self) -> Library:
        signature = self._look()
        if signature != self._signature or not self.version:
            self._signature = signature
            self._read()
        return self._library

    def _read(self) -> None:
        fresh = load_library(self.folder)
        broken = {finding.file for finding in fresh.findings if finding.severity == "error"}
        for playbook_id, entry in self._library.entries.items():
            if entry.file in broken and playbook_id not in fresh.entries:
                fresh.entries[playbook_id] = entry
        for finding in fresh.findings:
            log.warning("%s: %s", finding.where, finding.text.key)
        self._library = fresh
        self.version += 1

    def _look(self) -> Signature:
        found = []
        for file in sorted(self.folder.glob("**/*.yaml")):
            try:
                status = file.stat()
            except OSError:
                continue  # taken away while we looked
            found.append((str(file), status.st_mtime_ns, status.st_size))
        return tuple(found)
