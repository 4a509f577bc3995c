"""Notifications to systemd (sd_notify(3), systemd.service(5) `Type=notify`).

Without systemd they do nothing.
"""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Mapping

from aggregator.model.terminal import printable


def notify(*assignments: str, environment: Mapping[str, str] = os.environ) -> None:
    """Send assignments such as `READY=1` to systemd.

    Raises `OSError` if its socket cannot be reached.
    """
    address = environment.get("NOTIFY_SOCKET", "")
    if not address:
        return
    if address.startswith("@"):
        address = "\0" + address[1:]
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as channel:
        channel.connect(address)
        channel.sendall("\n".join(map(printable, assignments)).encode())


def reloading() -> tuple[str, str]:
    """Return the assignments that announce a reload; `READY=1` ends it."""
    return "RELOADING=1", f"MONOTONIC_USEC={time.monotonic_ns() // 1000}"


def watchdog_seconds(environment: Mapping[str, str] = os.environ) -> float | None:
    """Return how long systemd's watchdog waits for `WATCHDOG=1`, None without a watchdog."""
    owner = environment.get("WATCHDOG_PID")
    if owner and owner != str(os.getpid()):
        return None
    try:
        microseconds = int(environment.get("WATCHDOG_USEC", "0"))
    except ValueError:
        return None
    return microseconds / 1e6 if microseconds > 0 else None
