"""Output that cannot be written."""

import contextlib
import fcntl
import os
import signal
import subprocess

import pytest
from conftest import COMMAND, Site, article
from waiting import has_open, wait_for

CODE = "NW202201272264567295"
WITH_JSON = ["check", "poll", "build-feeds", "status", "problems", "sources", "show"]
COMMANDS = ["init", *WITH_JSON, "systemd"]


@pytest.mark.parametrize("command", COMMANDS[1:])
@pytest.mark.parametrize("end", ["> /dev/full", ">&-"], ids=["full", "closed"])
def test_output_that_cannot_be_written(built: Site, command: str, end: str) -> None:
    done = subprocess.run(
        f"{COMMAND} {command} {CODE if command == 'show' else ''} {end}",
        shell=True,
        cwd=built.root,
        capture_output=True,
        text=True,
        check=False,
    )
    assert "Traceback" not in done.stderr, done.stderr
    assert "Exception" not in done.stderr, done.stderr
    if end == "> /dev/full":
        assert done.returncode == 1
        assert "No space left" in done.stderr


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_closed_streams_keep_no_command_from_its_work(site: Site, closed: str) -> None:
    site.post("2022-01-27-1.md", article())
    done = subprocess.run(
        f"{COMMAND} build-feeds {closed}",
        shell=True,
        cwd=site.root,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0
    assert len(site.entries()) == 1


def test_errors_of_a_command_without_standard_error_are_in_its_status(site: Site) -> None:
    site.configure(lambda text: text.replace("tag:", "tug:"))
    done = subprocess.run(f"{COMMAND} build-feeds 2>&-", shell=True, cwd=site.root, check=False)
    assert done.returncode == 2


@pytest.mark.parametrize(
    ("arguments", "status"),
    [("nonsense", 2), ("show 2021", 1), ("build-feeds --config no.yaml", 2)],
)
def test_the_status_of_an_error_that_cannot_be_written(
    built: Site, arguments: str, status: int
) -> None:
    for end in ("2>/dev/full", ">/dev/full 2>/dev/full", ">&- 2>/dev/full"):
        command = f"{COMMAND} {arguments} {end}"
        done = subprocess.run(command, shell=True, cwd=built.root, check=False)
        assert done.returncode == status, end


@pytest.mark.sqlite
@pytest.mark.parametrize("end", ["", "2>/dev/full", "2>&-"])
def test_the_status_of_an_interrupt_whatever_can_be_written(built: Site, end: str) -> None:
    path = built.store.with_name("aggregator.db.lock")
    with path.open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        process = subprocess.Popen(
            f"exec {COMMAND} build-feeds --wait 60 {end}", shell=True, cwd=built.root
        )
        wait_for(lambda: has_open(process.pid, path))  # it waits for the lock
        process.send_signal(signal.SIGINT)
        assert process.wait(20) == 130


def test_a_reader_that_is_not_ready(built: Site) -> None:
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    with contextlib.suppress(BlockingIOError):
        while True:
            os.write(writer, b"x" * 4096)
    done = subprocess.run([COMMAND, "nonsense"], cwd=built.root, stderr=writer, check=False)
    assert done.returncode == 2
    os.close(reader)
    os.close(writer)


def test_a_reader_that_leaves_early(built: Site) -> None:
    for _ in range(3):
        done = subprocess.run(
            f"{COMMAND} show {CODE} --json | head -c 1",
            shell=True,
            cwd=built.root,
            capture_output=True,
            check=True,
        )
        assert b"Traceback" not in done.stderr
        assert b"Exception" not in done.stderr
