"""``fengbo totp``: a person's second factor, made and put into their authenticator application."""

import click

from bot.config import Config
from bot.model.text import Text
from bot.statements.totp import BadSecret, new_secret, secret_of, uri
from bot.texts import render


@click.command("totp")
@click.argument("person")
@click.option("--new", "fresh", is_flag=True, help="Make a new secret and print it; nothing is stored.")
@click.option("--config", "config_path", metavar="FILE", default=None, help="Configuration file.")
def totp(person: str, fresh: bool, config_path: str | None) -> None:
    """Print the otpauth:// address of PERSON's second factor, or with --new a fresh secret for it."""
    from bot.terminal import read_config, terminal_language

    config, _ = read_config(config_path)
    text, data, code = _new(config, person) if fresh else _address(config, person)
    click.echo(render(text, terminal_language()), err=True)
    if data:
        click.echo(data)
    raise SystemExit(code)


def _new(config: Config, person_id: str) -> tuple[Text, str, int]:
    person = config.person(person_id)
    if person is None:
        return _unknown(config, person_id)
    variable = person.totp_env or f"FENGBO_TOTP_{person_id.upper().replace('-', '_').replace('.', '_')}"
    return Text("totp.new", {"person": person.name, "id": person.id, "variable": variable}), new_secret(), 0


def _address(config: Config, person_id: str) -> tuple[Text, str, int]:
    person = config.person(person_id)
    if person is None:
        return _unknown(config, person_id)
    try:
        secret = secret_of(person.secret("totp"))
    except BadSecret as problem:
        key = "totp.bad" if person.secret("totp") else "totp.missing"
        return Text(key, {"person": person.name, "id": person.id, "cause": str(problem)}), "", 2
    return Text("totp.scan", {"person": person.name}), uri(secret, person.email or person.id), 0


def _unknown(config: Config, person_id: str) -> tuple[Text, str, int]:
    known = [person.id for person in config.people]
    return Text("totp.unknown", {"id": person_id, "known": known}), "", 2
