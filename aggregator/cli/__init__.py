"""The command line: arguments in, exit status out.

Each command imports only what it needs, when it runs: a build that finds nothing to do
loads neither the store nor a renderer.
"""

from __future__ import annotations

import contextlib
import gc
import io
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterable
from functools import partial
from typing import NoReturn

import click

from aggregator import __version__
from aggregator.cli import query_commands, run_commands, setup_commands, store_commands
from aggregator.cli.options import FAILED, INTERRUPTED, LOCKED, USAGE, say_error
from aggregator.cli.streams import OutputError, describe, flush_output, watch_output
from aggregator.model.errors import (
    AggregatorError,
    ConfigError,
    LockedError,
    QueryError,
    UnknownSourceError,
)
from aggregator.model.terminal import say

_STATUS = {
    ConfigError: USAGE,
    QueryError: USAGE,
    UnknownSourceError: USAGE,
    LockedError: LOCKED,
}
_INTERRUPTED = "interrupted; nothing is half-written, run it again"
_SECONDS_TO_STOP = 1.0


def main() -> None:
    """Run the command line; every foreseeable error ends in a message and an exit status."""
    # Cycles are few, but each holds the parameters of a statement: all that a first build has
    # of its posts would stay, if Python looked for them more rarely.
    gc.set_threshold(10_000, 10, 10)
    # We use no plugins, and to look for them takes a twentieth of a short run.
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
    try:
        _run()
    finally:
        # At its end Python looks for cycles in all that is loaded: a tenth of a second.
        gc.freeze()


def _run() -> None:
    signal.signal(signal.SIGINT, _interrupt)
    watch_output()
    try:
        cli.main(prog_name="aggregator", standalone_mode=False)
        sys.stdout.flush()
        sys.stderr.flush()
        _leave(0)
    except click.exceptions.Exit as done:
        _leave(done.exit_code)
    except click.ClickException as error:
        shown = io.StringIO()
        error.show(file=shown)
        _end(USAGE, shown.getvalue().splitlines(), partial(say, err=True))
    except click.Abort:
        _end(INTERRUPTED, [_INTERRUPTED])
    except OutputError as error:
        # After Ctrl-C, click ends the line first.
        _end(INTERRUPTED if _follows_an_interrupt(error) else FAILED, [str(error)])
    except AggregatorError as error:
        messages = error.problems if isinstance(error, ConfigError) else [str(error)]
        _end(_STATUS.get(type(error), FAILED), messages)
    except BrokenPipeError:
        # The reader of the output has left, as `head` does.
        _end(FAILED, [])
    except OSError as error:
        _end(FAILED, [describe(error)])


def _follows_an_interrupt(error: BaseException | None) -> bool:
    while error is not None and not isinstance(error, KeyboardInterrupt):
        error = error.__context__
    return error is not None


def _end(status: int, messages: Iterable[str], tell: Callable[[str], None] = say_error) -> NoReturn:
    """End with a status, also where the messages cannot be written."""
    with contextlib.suppress(OutputError, OSError):
        for message in messages:
            tell(message)
    _leave(status)


def _leave(status: int) -> NoReturn:
    """End the process; at once if the daemon's threads are left.

    They would run while Python takes itself apart, and crash now and then.
    """
    flush_output()
    if threading.active_count() > 1:
        os._exit(status)
    sys.exit(status)


def _interrupt(*_: object) -> None:
    """Raise `KeyboardInterrupt`; end the process if a library's callback swallows it."""

    def end() -> None:
        say_error(_INTERRUPTED)
        os._exit(INTERRUPTED)

    timer = threading.Timer(_SECONDS_TO_STOP, end)
    timer.daemon = True
    timer.start()
    raise KeyboardInterrupt


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="aggregator")
def cli() -> None:
    """Turn a folder of Jekyll posts into Atom, RSS and JSON feeds.

    Each article appears once.  Begin with `aggregator init`.
    """


for command in (
    setup_commands.init,
    setup_commands.check,
    run_commands.poll,
    run_commands.build_feeds,
    run_commands.run,
    run_commands.serve,
    query_commands.status,
    query_commands.problems,
    query_commands.sources,
    query_commands.show,
    query_commands.search,
    query_commands.similar,
    store_commands.store,
    setup_commands.systemd,
):
    cli.add_command(command)
