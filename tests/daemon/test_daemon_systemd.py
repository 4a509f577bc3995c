"""What systemd is told, over a socket as its own."""

import os
import socket
from pathlib import Path

import pytest

from aggregator.daemon.systemd import notify, reloading, watchdog_seconds


@pytest.mark.parametrize("is_abstract", [False, True])
def test_assignments_arrive_in_one_message(tmp_path: Path, is_abstract: bool) -> None:
    address = f"@aggregator-{os.getpid()}" if is_abstract else str(tmp_path / "socket")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(address.replace("@", "\0", 1) if is_abstract else address)
        listener.settimeout(5)
        notify("READY=1", "STATUS=a\nb", environment={"NOTIFY_SOCKET": address})
        # A status of two lines would be an assignment more.
        assert listener.recv(4096) == b"READY=1\nSTATUS=a\\nb"


def test_without_systemd_nothing_is_sent(tmp_path: Path) -> None:
    notify("READY=1", environment={})
    with pytest.raises(OSError, match="No such file"):
        notify("READY=1", environment={"NOTIFY_SOCKET": str(tmp_path / "none")})


@pytest.mark.parametrize(
    ("environment", "seconds"),
    [
        ({}, None),
        ({"WATCHDOG_USEC": "1500000"}, 1.5),
        ({"WATCHDOG_USEC": "1500000", "WATCHDOG_PID": str(os.getpid())}, 1.5),
        ({"WATCHDOG_USEC": "1500000", "WATCHDOG_PID": "1"}, None),
        ({"WATCHDOG_USEC": "0"}, None),
        ({"WATCHDOG_USEC": "x"}, None),
    ],
)
def test_the_watchdog_is_that_of_this_process(
    environment: dict[str, str], seconds: float | None
) -> None:
    assert watchdog_seconds(environment) == seconds


def test_a_reload_is_announced_with_its_time() -> None:
    first, second = reloading(), reloading()
    assert first[0] == "RELOADING=1"
    times = [int(found[1].removeprefix("MONOTONIC_USEC=")) for found in (first, second)]
    assert 0 < times[0] <= times[1]
