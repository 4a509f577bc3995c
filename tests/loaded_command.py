"""The command with all its modules loaded, which forks a process for each run.

Run as a script it reads a run a line, as JSON, and answers with its exit status.
"""

import json
import os
import sys


def be_the_command(folder: str, arguments: list[str], out: str, err: str) -> None:
    """Run in a folder, with the output in two files."""
    os.chdir(folder)
    for number, path in ((0, os.devnull), (1, out), (2, err)):
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        os.dup2(descriptor, number)
        os.close(descriptor)
    sys.argv = ["aggregator", *arguments]
    from aggregator.cli import main

    main()


def serve() -> None:
    """Fork for every line, until there are no more."""
    import aggregator.publish.atom
    import aggregator.publish.jsonfeed
    import aggregator.publish.opml
    import aggregator.publish.page
    import aggregator.publish.rss  # noqa: F401
    from aggregator import console, inspection, polling, runs  # noqa: F401

    while line := sys.stdin.readline():
        process = os.fork()
        if process == 0:
            be_the_command(**json.loads(line))
            sys.exit(0)
        _, status = os.waitpid(process, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)


if __name__ == "__main__":
    serve()
