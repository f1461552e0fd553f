"""The library in use: read again when a file changes or another stored version comes into force.

A file that breaks leaves its last good state. What people put in force from chat outranks the file of the same id.
"""

import logging
import threading
from dataclasses import replace
from pathlib import Path

from sqlite_utils import Database

import bot
from bot.response.library import Entry, Library, load_library, parse_playbook
from bot.store import playbook_versions
from bot.store.playbook_versions import Version

log = logging.getLogger(__name__)

BUILT_IN = Path(bot.__file__).resolve().parent.parent / "playbooks"
Signature = tuple[tuple[str, int, int], ...]


def library_folder(configured: str, beside: Path | None = None) -> Path:
    """The folder that is meant: as written, else beside the configuration file, else the playbooks that come along."""
    named = Path(configured).expanduser()
    candidates = [named] if named.is_absolute() else [*([beside / named] if beside else []), named]
    return next((folder for folder in candidates if folder.is_dir()), BUILT_IN)


class Shelf:
    """``library()`` is the newest usable state; ``version`` counts how often it changed. Reading takes half a second of
    a processor: it is done when somebody asks, from whichever thread, once."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.version = 0
        self._signature: Signature = ()
        self._library = Library()
        self._files: dict[str, Entry] = {}
        self._edition = ""
        self._fresh = False
        self._stored: list[Version] = []
        self._lock = threading.RLock()

    def follow(self, db: Database) -> None:
        """Take over what is in force in the store; a look at one row where nothing changed."""
        edition = playbook_versions.edition(db)
        if edition == self._edition:
            return
        with self._lock:
            self._stored = playbook_versions.live(db)
            self._edition = edition
            self._fresh = False

    def file(self, playbook_id: str) -> Entry | None:
        """What the file on disk says of a playbook, whatever is in force."""
        self.library()
        return self._files.get(playbook_id)

    def library(self) -> Library:
        signature = self._look()
        with self._lock:
            if signature != self._signature or not self._fresh:
                self._signature = signature
                self._read()
                self._fresh = True
            return self._library

    def _read(self) -> None:
        fresh = load_library(self.folder)
        broken = {finding.file for finding in fresh.findings if finding.severity == "error"}
        for playbook_id, entry in self._files.items():
            if entry.file in broken and playbook_id not in fresh.entries:
                fresh.entries[playbook_id] = entry
        self._files = dict(fresh.entries)
        for version in self._stored:
            self._put_over(fresh, version)
        for finding in fresh.findings:
            log.warning("%s: %s", finding.where, finding.text.key)
        self._library = fresh
        self.version += 1

    def _put_over(self, library: Library, version: Version) -> None:
        """Let a stored version take the place of the file; one that this program cannot read leaves the file."""
        below = library.entries.get(version.playbook)
        place = below.file if below else str(self.folder / f"{version.playbook}.yaml")
        entry, findings = parse_playbook(version.text, f"{place} (v{version.version})")
        library.findings.extend(findings)
        if entry is not None:
            library.entries[version.playbook] = replace(entry, stored=version.version)

    def _look(self) -> Signature:
        found = []
        for file in sorted(self.folder.glob("**/*.yaml")):
            try:
                status = file.stat()
            except OSError:
                continue  # taken away while we looked
            found.append((str(file), status.st_mtime_ns, status.st_size))
        return tuple(found)
