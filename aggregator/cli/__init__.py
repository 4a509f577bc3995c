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

import click

from aggregator import __version__
from aggregator.cli import query_commands, run_commands, setup_commands, store_commands
from aggregator.cli.options import FAILED, INTERRUPTED, LOCKED, USAGE, say_error
from aggregator.cli.streams import OutputError, describe, drop_output, watch_output
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
    except click.exceptions.Exit as done:
        sys.exit(done.exit_code)
    except click.ClickException as error:
        shown = io.StringIO()
        error.show(file=shown)
        for line in shown.getvalue().splitlines():
            say(line, err=True)
        sys.exit(USAGE)
    except click.Abort:
        say_error(_INTERRUPTED)
        sys.exit(INTERRUPTED)
    except OutputError as error:
        with contextlib.suppress(OutputError):
            say_error(str(error))
        drop_output()
        sys.exit(FAILED)
    except AggregatorError as error:
        for message in error.problems if isinstance(error, ConfigError) else (str(error),):
            say_error(message)
        sys.exit(_STATUS.get(type(error), FAILED))
    except BrokenPipeError:
        # The reader of the output has left, as `head` does.
        drop_output()
        sys.exit(FAILED)
    except OSError as error:
        say_error(describe(error))
        sys.exit(FAILED)


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
