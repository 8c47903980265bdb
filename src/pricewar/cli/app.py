"""`pricewar app`: the page on this machine, where levers are moved and a log is laid beside the offers."""

from __future__ import annotations

import atexit
import os
import sys
from pathlib import Path
from typing import NoReturn

import click

from pricewar.errors import ConfigurationError

PORT = 8642


@click.command(context_settings={"max_content_width": 100})
@click.argument("log", required=False, type=click.Path(path_type=Path))
@click.option("--market", metavar="NAME|FILE", help="Market to begin with: a bundled one, or a YAML file.")
@click.option("--port", type=click.IntRange(0, 65_535), default=PORT, show_default=True,
              help="Port on 127.0.0.1; the next free one if it is taken. 0: any.")  # fmt: skip
@click.option("--lang", type=click.Choice(["en", "zh", "ja"]), default="en", show_default=True,
              help="Language the page opens in.")  # fmt: skip
@click.option("--no-browser", is_flag=True, help="Print the link and open nothing.")
@click.option(
    "--new-token", is_flag=True, help="Make a new link; pages opened with the old one are shut out."
)
def app(log: Path | None, market: str | None, port: int, lang: str, no_browser: bool, new_token: bool) -> int:
    """Open the local page: war room, desk for your own LOG, exact games.

    It listens on this machine alone and sends nothing anywhere. The link printed is the key: whoever has it
    on this machine may look. Ctrl-C ends it.

    \b
    pricewar app
    pricewar app usage.jsonl
    pricewar app --market my-market.yaml --no-browser
    """
    from pricewar.app import access
    from pricewar.app.server import Page, Server, bound, config_of
    from pricewar.app.uploads import Uploads
    from pricewar.app.war_runs import WORLDS

    uploads = Uploads()
    if log is not None:
        if not log.is_file():
            what = "is a folder, not a file" if log.is_dir() else "there is no such file"
            raise ConfigurationError(
                what, where=str(log), remedy="name a usage log; `pricewar sample` makes one"
            )
        uploads.given(log.resolve())
    if market is not None and market not in WORLDS.names():
        market = WORLDS.give(Path(market)) if Path(market).is_file() else WORLDS.world(market).key
    token, kept = access.token(new=new_token)
    listening = bound(port)
    server = Server(Page(language=lang, config=config_of(uploads, market)), token, listening, uploads)
    if port and server.port != port:
        click.echo(f"port {port} is taken; this is port {server.port}", err=True)
    if not kept:
        click.echo("the link could not be remembered: it holds until this ends", err=True)

    def ready() -> None:
        click.echo(f"pricewar is at {server.link}")
        click.echo("Ctrl-C ends it", err=True)
        sys.stdout.flush()
        if not no_browser:
            _open(server.link)

    try:
        server.run(ready=ready)
    except KeyboardInterrupt:
        click.echo("ended", err=True)
        _leave()
    return 0


def _leave() -> NoReturn:
    """End now: what is still under way in a thread, such as a first compilation, is not waited for."""
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)


def _open(link: str) -> None:
    """Show the link in a browser, without waiting for one."""
    import threading
    import webbrowser

    threading.Thread(target=webbrowser.open, args=(link,), daemon=True).start()
