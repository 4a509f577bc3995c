"""Connections that end in time, whatever the client does."""

from __future__ import annotations

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

# For a whole request to come, for a whole answer to be taken, and between two requests.
REQUEST_SECONDS = 10.0
ANSWER_SECONDS = 120.0
IDLE_SECONDS = 30
MAX_REQUEST = 32 * 1024
MAX_CONNECTIONS = 2000


class ImpatientProtocol(HttpToolsProtocol):
    """uvicorn's protocol with deadlines: by itself it waits for ever for a request to end."""

    request_seconds = REQUEST_SECONDS
    answer_seconds = ANSWER_SECONDS

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._deadline: asyncio.TimerHandle | None = None
        self._received = 0

    def connection_made(self, transport: Any) -> None:
        """The first request is waited for from now on."""
        super().connection_made(transport)
        self._wait(self.request_seconds)

    def data_received(self, data: bytes) -> None:
        """A request has a size, and a time from its first byte on."""
        self._received += len(data)
        if self._received > MAX_REQUEST:
            self._close()
            return
        if self._deadline is None:
            self._wait(self.request_seconds)
        super().data_received(data)

    def on_message_complete(self) -> None:
        """The request is there."""
        self._received = 0
        self._stop_waiting()
        super().on_message_complete()

    def pause_writing(self) -> None:
        """The client is slower than we are."""
        super().pause_writing()
        self._wait(self.answer_seconds)

    def resume_writing(self) -> None:
        """The client has taken what there was."""
        self._stop_waiting()
        super().resume_writing()

    def connection_lost(self, exc: Exception | None) -> None:
        """Nothing to wait for any more."""
        self._stop_waiting()
        super().connection_lost(exc)

    def _wait(self, seconds: float) -> None:
        self._stop_waiting()
        self._deadline = self.loop.call_later(seconds, self._close)

    def _stop_waiting(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _close(self) -> None:
        self._stop_waiting()
        if self.transport is not None:
            self.transport.abort()
