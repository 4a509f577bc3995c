"""What a service tells systemd (sd_notify(3), systemd.service(5) `Type=notify`).

Without systemd all of this does nothing.
"""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Mapping

from aggregator.model.terminal import printable


def notify(*assignments: str, environment: Mapping[str, str] = os.environ) -> bool:
    """Send assignments such as `READY=1` to systemd; return whether somebody listens.

    Raises `OSError` if the socket that systemd names cannot be reached.
    """
    address = environment.get("NOTIFY_SOCKET", "")
    if not address:
        return False
    if address.startswith("@"):
        address = "\0" + address[1:]
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as channel:
        channel.connect(address)
        channel.sendall("\n".join(map(printable, assignments)).encode())
    return True


def reloading() -> tuple[str, str]:
    """The assignments that announce a reload; `READY=1` ends it."""
    return "RELOADING=1", f"MONOTONIC_USEC={time.monotonic_ns() // 1000}"


def watchdog_seconds(environment: Mapping[str, str] = os.environ) -> float | None:
    """How long systemd waits for a sign of life, None if it does not."""
    owner = environment.get("WATCHDOG_PID")
    if owner and owner != str(os.getpid()):
        return None
    try:
        microseconds = int(environment.get("WATCHDOG_USEC", "0"))
    except ValueError:
        return None
    return microseconds / 1e6 if microseconds > 0 else None
