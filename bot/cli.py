"""The command line. Data goes to stdout, words to stderr; exit 0 fine, 1 a finding, 2 wrong usage."""

import asyncio
import os
import signal
import sys
from importlib import resources
from pathlib import Path
from typing import Any

import click
import orjson

from bot import logs
from bot.briefs.commands import report
from bot.clock import SystemClock
from bot.config import Config, SecretHolder
from bot.drills.commands import drill
from bot.learning.case_commands import case
from bot.learning.proposal_commands import proposals
from bot.learning.retro_command import retro
from bot.maintenance import commands as maintenance
from bot.memory import hold_collector, settle_memory
from bot.model.text import LANGUAGES, Text, UserError
from bot.response import living_commands
from bot.response.commands import playbook
from bot.statements.export_command import statement
from bot.statements.totp_command import totp
from bot.terminal import CONFIG_NAME, config_option, read_config, say, terminal_language
from bot.texts import render
from bot.train_command import train


def secrets_of(config: Config) -> list[str]:
    """Every secret value of a configuration, for the log filter."""
    found: list[str] = []

    def walk(node: Any) -> None:
        if isinstance(node, SecretHolder):
            names = {name.removesuffix("_env").removesuffix("_file") for name in type(node).model_fields}
            found.extend(filter(None, (node.secret(name) for name in names)))
        if hasattr(node, "model_fields"):
            for name in type(node).model_fields:
                walk(getattr(node, name))
        elif isinstance(node, dict):
            for value in node.values():
                walk(value)
        elif isinstance(node, list):
            for value in node:
                walk(value)

    walk(config)
    return found


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="fengbo", prog_name="fengbo")
def cli() -> None:
    """Fengbo (风波): the chat-ops bot for public-opinion crises."""


@cli.command()
@config_option
@click.option(
    "--role", type=click.Choice(["all", "web"]), default="all", help="web: only HTTP; a worker does the rest."
)
@click.option("--log", "log_kind", type=click.Choice(["auto", "text", "json"]), default="auto")
def run(config_path: str | None, role: str, log_kind: str) -> None:
    """Start Fengbo; without a configuration, the demonstration."""
    hold_collector()
    config, demo = read_config(config_path)
    if demo:
        start_demo_afresh(config)
        if os.environ.get("FENGBO_LANGUAGE") in LANGUAGES:
            config = config.model_copy(update={"language": os.environ["FENGBO_LANGUAGE"]})
    _serve(config, role, demo, log_kind)


@cli.command()
@config_option
@click.option("--log", "log_kind", type=click.Choice(["auto", "text", "json"]), default="auto")
def worker(config_path: str | None, log_kind: str) -> None:
    """Collect, analyse, alert and deliver, without HTTP. A second worker stands by and takes over."""
    hold_collector()
    config, _ = read_config(config_path)
    _serve(config, "worker", False, log_kind)


@cli.command()
@config_option
@click.option("--offline", is_flag=True, help="Do not contact Slack, WeCom or the sources.")
def check(config_path: str | None, offline: bool) -> None:
    """Look at the configuration, tokens and reachability, and say in words what to mend."""
    from bot.check import run_checks

    config, _ = read_config(config_path)
    language = terminal_language()
    marks = {"ok": "✓", "note": "·", "warn": "!", "error": "✗"}
    worst = 0
    for level, text in asyncio.run(run_checks(config, offline=offline)):
        click.echo(f"{marks[level]} {render(text, language)}", err=True)
        worst = max(worst, int(level == "error"))
    raise SystemExit(worst)


@cli.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(allow_dash=True))
@config_option
def analyse(files: tuple[str, ...], config_path: str | None) -> None:
    """Posts in (JSON lines), one JSON line each out: language, subjects, sentiment, crisis types, entities, story."""
    from bot.analysis.jsonl import analyse_lines
    from bot.analysis.pipeline import Analyser
    from bot.models import engine_of

    config, _ = read_config(config_path)
    analyser = Analyser([item.subject() for item in config.subjects], engine_of(config))
    settle_memory()
    bad: list[str] = []

    def report(number: int, error: str) -> None:
        bad.append(error)
        click.echo(f"{number}: {error}", err=True)

    out = sys.stdout.buffer
    for name in files:
        stream = sys.stdin.buffer if name == "-" else Path(name).open("rb")  # noqa: SIM115 - closed below
        try:
            for line in analyse_lines(stream, analyser, now=SystemClock().now(), on_error=report):
                out.write(line)
        finally:
            if name != "-":
                stream.close()
    out.flush()
    raise SystemExit(1 if bad else 0)


@cli.command()
@click.argument("file", type=click.Path(allow_dash=True))
def detect(file: str) -> None:
    """Counts over time (CSV: timestamp,value) in, the same lines with anomaly_score and alarm out."""
    from bot.warning.burst_csv import detect_lines

    language = terminal_language()
    bad: list[int] = []

    def complain(line: int, problem: Text) -> None:
        bad.append(line)
        click.echo(f"{file}:{line}: {render(problem, language)}", err=True)

    try:
        raw = sys.stdin.buffer if file == "-" else Path(file).open("rb")  # noqa: SIM115 - closed below
    except OSError as error:
        say(Text("detect.unreadable", {"file": file, "cause": error.strerror or str(error)}), language)
        raise SystemExit(2) from None
    out = sys.stdout.buffer
    try:
        # Line by line, so that it also follows a stream; what is no UTF-8 passes through as it came.
        lines = (line.decode("utf-8", "surrogateescape") for line in raw)
        for line in detect_lines(lines, complain):
            out.write(line.encode("utf-8", "surrogateescape"))
    except UserError as error:
        say(error.text, language)
        raise SystemExit(2) from None
    finally:
        out.flush()
        if file != "-":
            raw.close()
    raise SystemExit(1 if bad else 0)


@cli.command()
@click.option("--slack-manifest", is_flag=True, help="Print a Slack app manifest to paste at api.slack.com/apps.")
@click.option("--url", default="", help="Public address of this bot for the manifest; without it, Socket Mode.")
@click.option("--wecom-menu", is_flag=True, help="Create the WeCom application menu.")
@config_option
def init(slack_manifest: bool, url: str, wecom_menu: bool, config_path: str | None) -> None:
    """Write a first fengbo.yaml, print a Slack manifest, or create the WeCom menu."""
    if slack_manifest:
        from bot.chat.slack.manifest import manifest

        click.echo(orjson.dumps(manifest(url), option=orjson.OPT_INDENT_2).decode())
        return
    if wecom_menu:
        from bot.chat.wecom.client import WecomClient
        from bot.chat.wecom.menu import create_menu

        config, _ = read_config(config_path)
        if config.chat.wecom is None:
            say(Text("cli.no_wecom"), terminal_language())
            raise SystemExit(2)
        wecom = config.chat.wecom

        async def make_menu() -> None:
            client = WecomClient(wecom, SystemClock())
            try:
                await create_menu(client, config.language)
            finally:
                await client.close()

        asyncio.run(make_menu())
        say(Text("cli.menu_created"), terminal_language())
        return
    target = Path(config_path or CONFIG_NAME)
    if target.exists():
        say(Text("cli.exists", {"file": str(target)}), terminal_language())
        raise SystemExit(2)
    target.write_text(
        resources.files("bot").joinpath("first_config.yaml").read_text(encoding="utf-8"), encoding="utf-8"
    )
    say(Text("cli.init_done", {"file": str(target)}), terminal_language())


@cli.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(exists=True))
@config_option
def replay(files: tuple[str, ...], config_path: str | None) -> None:
    """Play recorded posts (JSON lines, also .gz) in virtual time: one JSON line per alert."""
    from bot.replay import replay_files

    config, _ = read_config(config_path)
    language = terminal_language()
    for alert in replay_files(config, [Path(name) for name in files], lambda text: say(text, language)):
        click.echo(orjson.dumps(alert).decode())


@cli.command()
@click.argument("name", required=False, default="")
@click.option("--what", default="", help="One part only: analysis, intake, flow, memory, matching, review, judgement.")
@click.option("--data", default="", type=click.Path(), help="Folder of real posts; without it texts are made up.")
@click.option("--posts", default=0, help="memory: how many posts the store holds (1,000,000).")
@click.option("--part", default="", help="judgement: one part of its table.")
def bench(name: str, what: str, data: str, posts: int, part: str) -> None:
    """Measure this machine: analysis, durable intake, alert and command latency, memory; or how well it judges."""
    from bot.bench import run_benchmarks

    raise SystemExit(run_benchmarks(name or what, data=data, posts=posts, part=part, language=terminal_language()))


@cli.command("fake-platforms")
@click.option("--port", default=9100, help="First of six ports: Slack, WeCom, SMS, feeds, mail, smart robot.")
@click.option("--bot", default="http://127.0.0.1:8080", help="Where Fengbo listens.")
def fake_platforms(port: int, bot: str) -> None:
    """Stand-ins for Slack, WeCom, SMS, feeds and mail on loopback, and the configuration that points at them."""
    import yaml

    from bot.testkit.platforms import FakePlatforms

    async def serve() -> None:
        platforms = await FakePlatforms().start(first_port=port)
        platforms.connect(bot)
        for name, value in platforms.environment().items():
            click.echo(f"export {name}={value}")
        click.echo("# " + "\n# ".join(yaml.safe_dump({"chat": platforms.chat_settings()}).splitlines()))
        say(Text("cli.fakes_running", {"group": platforms.aibot.url}), terminal_language())
        stopping = asyncio.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, stopping.set)
        await stopping.wait()
        await platforms.stop()

    asyncio.run(serve())


def start_demo_afresh(config: Config) -> None:
    """The demonstration tells its story from the beginning each time."""
    for suffix in ("", "-wal", "-shm"):
        Path(config.store + suffix).unlink(missing_ok=True)


def _serve(config: Config, role: str, demo: bool, log_kind: str) -> None:
    from bot.app import App, StartRefused
    from bot.store.database import StoreTooNew

    logs.set_up(log_kind, secrets_of(config), os.environ.get("FENGBO_LOG_LEVEL", "INFO"))
    language = terminal_language()

    async def main() -> None:
        app = App(config, role=role, demo=demo)
        stopping = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, stopping.set)
        try:
            await app.start()
            if role in ("all", "web"):
                host = config.address[0]
                shown = f"[{host}]" if ":" in host else host
                say(
                    Text("cli.running_demo" if demo else "cli.running", {"url": f"http://{shown}:{app.port}"}), language
                )
            working = asyncio.create_task(app.wait())
            waiting = asyncio.create_task(stopping.wait())
            done, _ = await asyncio.wait({working, waiting}, return_when=asyncio.FIRST_COMPLETED)
            if working in done:
                working.result()
            say(Text("cli.stopping"), language)
        finally:
            await app.stop()

    try:
        asyncio.run(main())
    except StartRefused as error:
        say(error.text, language)
        raise SystemExit(2) from None
    except StoreTooNew:
        say(Text("cli.store_too_new", {"file": config.store}), language)
        raise SystemExit(2) from None


cli.add_command(playbook)
playbook.add_command(living_commands.propose)
playbook.add_command(living_commands.diff)
playbook.add_command(proposals)
cli.add_command(drill)
cli.add_command(report)
cli.add_command(case)
cli.add_command(retro)
cli.add_command(totp)
cli.add_command(statement)
cli.add_command(train)
for _command in (
    maintenance.backup, maintenance.restore, maintenance.import_, maintenance.forget, maintenance.audit,
):  # fmt: skip
    cli.add_command(_command)


def main() -> None:
    """Entry point of the ``fengbo`` command."""
    cli.main(prog_name="fengbo")
