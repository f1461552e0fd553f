"""What every command of the terminal shares: its language, its configuration, words on stderr."""

import os
from importlib import resources
from pathlib import Path

import click

from bot.config import Config, ConfigError, load, parse
from bot.model.text import Text
from bot.texts import render

DEMO_STORE = "var/demo.db"
CONFIG_NAME = "fengbo.yaml"


def say(text: Text, language: str) -> None:
    """Words for the person at the terminal, on stderr."""
    click.echo(render(text, language), err=True)


def terminal_language() -> str:
    """The language of command-line words: FENGBO_LANGUAGE, else the locale; English unless it is Chinese."""
    wanted = os.environ.get("FENGBO_LANGUAGE") or os.environ.get("LC_ALL") or os.environ.get("LANG") or ""
    return "zh-CN" if wanted.lower().startswith("zh") else "en"


def find_config(path: str | None) -> Path | None:
    """The configuration file: ``--config``, FENGBO_CONFIG, or fengbo.yaml in the working folder."""
    named = path or os.environ.get("FENGBO_CONFIG")
    if named:
        return Path(named)
    here = Path(CONFIG_NAME)
    return here if here.is_file() else None


def read_config(path: str | None) -> tuple[Config, bool]:
    """``(configuration, is demonstration)``; ends the program with every problem named if it cannot be used."""
    file = find_config(path)
    try:
        if file is not None:
            return load(file), False
        source = resources.files("bot.demo").joinpath("fengbo.yaml").read_text(encoding="utf-8")
        return parse(source, "demo/fengbo.yaml"), True
    except ConfigError as error:
        for place, text in error.problems:
            click.echo(f"{place}: {render(text, terminal_language())}", err=True)
        raise SystemExit(2) from None


config_option = click.option(
    "--config", "config_path", metavar="FILE", help="Configuration file (else FENGBO_CONFIG, fengbo.yaml)."
)
