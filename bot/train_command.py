"""``fengbo train``: the mood weights from the organisation's own labels, compared before anything changes."""

from pathlib import Path

import click

from bot.model.text import Text
from bot.texts import render


@click.command()
@click.argument("files", nargs=-1, type=click.Path(exists=True, dir_okay=False))
@click.option("--config", "config_path", default=None, help="The configuration file.")
@click.option("--apply", "apply_", is_flag=True, help="Put the new weights in force without asking.")
@click.option("--rollback", is_flag=True, help="Put the weights before the current ones in force.")
def train(files: tuple[str, ...], config_path: str | None, apply_: bool, rollback: bool) -> None:
    """Train the mood of posts on labels: JSON lines with text and sentiment, and what people pressed in chat."""
    from bot.models import models_of
    from bot.retrain import retrain
    from bot.terminal import read_config, terminal_language

    config, _ = read_config(config_path)
    language, models = terminal_language(), models_of(config)
    if rollback:
        if files or apply_:
            raise click.UsageError("--rollback stands alone")
        before = models.roll_back()
        text = Text("train.nothing_before") if before is None else Text("train.rolled_back", {"version": before})
        click.echo(render(text, language), err=True)
        raise SystemExit(int(before is None))
    raise SystemExit(retrain([Path(name) for name in files], Path(config.store), models, apply_, language))
