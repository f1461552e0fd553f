"""What is installed works without the checkout: the playbooks and all data come along."""

import tomllib
from fnmatch import fnmatch
from pathlib import Path

from bot.response.shelf import BUILT_IN

PROJECT = Path(__file__).resolve().parent.parent
SETTINGS = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["setuptools"]
# Read by whoever works on the sources, not by the program.
NOT_NEEDED = {".py", ".pyc", ".md", ".tsv"}


def test_every_data_file_of_the_packages_is_packed() -> None:
    packages = SETTINGS["packages"]["find"]["include"]
    patterns = SETTINGS["package-data"]["*"]
    folders = [path for path in PROJECT.iterdir() if path.is_dir() and any(fnmatch(path.name, one) for one in packages)]
    assert {folder.name for folder in folders} == {"bot", "handlers", "playbooks"}
    forgotten = [
        str(file.relative_to(PROJECT)) for folder in folders for file in folder.rglob("*")
        if file.is_file() and file.suffix not in NOT_NEEDED and not any(fnmatch(file.name, one) for one in patterns)
    ]  # fmt: skip
    assert forgotten == []
    # A folder with a dot in its name would be no package, and its files would stay behind.
    assert not [folder for top in folders for folder in top.rglob("*") if folder.is_dir() and "." in folder.name]


def test_the_library_is_looked_for_beside_the_program() -> None:
    assert BUILT_IN == PROJECT / "playbooks" and BUILT_IN.is_dir()
