"""The command with all its modules loaded, which forks a process for each run.

Run as a script it reads a run a line, as JSON, and answers with the number of the process
and then with its exit status.
"""

import ctypes
import gc
import json
import os
import signal
import sys
import time
import traceback

real_time = time.time
PR_SET_PTRACER = 0x59616D61


def be_the_command(
    folder: str,
    arguments: list[str],
    out: str,
    err: str,
    clock: float | None = None,
    alone: bool = False,
    stopped: bool = False,
) -> None:
    """Run in a folder, with the output in two files.

    `clock` is where the clock stands still; `alone` starts no more processes, and
    `stopped` waits to be traced and then sent SIGCONT.
    """
    os.setsid()
    os.chdir(folder)
    for number, path in ((0, os.devnull), (1, out), (2, err)):
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        os.dup2(descriptor, number)
        os.close(descriptor)
    sys.argv = ["aggregator", *arguments]
    from aggregator import processes
    from aggregator.cli import main

    if alone:
        processes.use_one_process()
    if clock is not None:
        stand_still.at = clock
    if stopped:
        # Any process of the same user may trace this one, where only parents may.
        anybody = ctypes.c_ulong(-1)
        ctypes.CDLL(None).prctl(PR_SET_PTRACER, anybody, 0, 0, 0)
        os.kill(os.getpid(), signal.SIGSTOP)
    main()


def stand_still() -> float:
    """The time, or the moment at which the clock of this process stands still."""
    return stand_still.at if stand_still.at is not None else real_time()


stand_still.at = None


def serve() -> None:
    """Fork for every line, until there are no more."""
    time.time = stand_still
    import aggregator.publish.atom
    import aggregator.publish.json_feed
    import aggregator.publish.opml
    import aggregator.publish.page
    import aggregator.publish.rss  # noqa: F401
    from aggregator.pipeline import building, polling  # noqa: F401

    gc.freeze()  # what all have in common stays shared
    while line := sys.stdin.readline():
        process = os.fork()
        if process == 0:
            code = 1
            try:
                be_the_command(**json.loads(line))
                code = 0
            except SystemExit as end:
                code = end.code if isinstance(end.code, int) else int(end.code is not None)
            except BaseException:  # noqa: BLE001  # as the interpreter itself would
                traceback.print_exc()
            sys.stdout.flush()
            sys.stderr.flush()
            # To take the loaded modules apart would cost more than most runs.
            os._exit(code)
        print(process, flush=True)
        _, status = os.waitpid(process, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)


if __name__ == "__main__":
    serve()
