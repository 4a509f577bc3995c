"""The command line: arguments in, exit status out.

Only what a command needs is imported, when it needs it: a run that finds nothing to do
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
from aggregator.cli import query_commands, run_commands
from aggregator.cli.options import FAILED, LOCKED, USAGE, complain
from aggregator.cli.streams import OutputError, drop_output, explained, tell_failures
from aggregator.model.errors import (
    AggregatorError,
    ConfigError,
    LockedError,
    UnknownSourceError,
)
from aggregator.model.terminal import say

INTERRUPTED = "interrupted; nothing is half-written, run it again"
GOODBYE = 1.0


def main() -> None:
    """Run the command line; every foreseeable mistake ends in one message."""
    # A run makes millions of short-lived values and hardly a cycle among them.
    gc.set_threshold(100_000, 50, 100)
    signal.signal(signal.SIGINT, _interrupt)
    tell_failures()
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
        complain(INTERRUPTED)
        sys.exit(130)
    except ConfigError as error:
        for mistake in error.mistakes:
            complain(mistake)
        sys.exit(USAGE)
    except UnknownSourceError as error:
        complain(str(error))
        sys.exit(USAGE)
    except LockedError as error:
        complain(str(error))
        sys.exit(LOCKED)
    except OutputError as error:
        with contextlib.suppress(OutputError):
            complain(str(error))
        drop_output()
        sys.exit(FAILED)
    except AggregatorError as error:
        complain(str(error))
        sys.exit(FAILED)
    except BrokenPipeError:
        # The reader of our output has left, as `head` does.
        drop_output()
        sys.exit(FAILED)
    except OSError as error:
        complain(explained(error))
        sys.exit(FAILED)


def _interrupt(*_: object) -> None:
    """Break off, at once if nothing catches it: a callback of a library may swallow it."""

    def leave() -> None:
        complain(INTERRUPTED)
        os._exit(130)

    last = threading.Timer(GOODBYE, leave)
    last.daemon = True
    last.start()
    raise KeyboardInterrupt


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="aggregator")
def cli() -> None:
    """Keep every article of a folder of posts once, and publish feeds of them."""


for command in (
    query_commands.init,
    query_commands.check,
    run_commands.poll,
    run_commands.build_feeds,
    run_commands.run,
    run_commands.serve,
    query_commands.status,
    query_commands.problems,
    query_commands.sources,
    query_commands.show,
):
    cli.add_command(command)
