"""Connections with deadlines for slow clients."""

from __future__ import annotations

import asyncio
from typing import Any

from uvicorn.protocols.http.auto import AutoHTTPProtocol

# For a whole request to arrive, for a whole response to be taken, and between two requests.
REQUEST_SECONDS = 10.0
RESPONSE_SECONDS = 120.0
IDLE_SECONDS = 30
MAX_REQUEST = 32 * 1024
MAX_CONNECTIONS = 2000


class DeadlineProtocol(AutoHTTPProtocol):  # type: ignore[misc, valid-type]
    """uvicorn's protocol, on httptools or else h11, with deadlines for the client."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._deadline: asyncio.TimerHandle | None = None
        self._received = 0
        self._last_whole_request: object = None

    def connection_made(self, transport: Any) -> None:
        """Start the deadline of the first request."""
        super().connection_made(transport)
        self._set_deadline(REQUEST_SECONDS)

    def data_received(self, data: bytes) -> None:
        """Limit a request's size, and its time from the first byte on."""
        self._received += len(data)
        if self._received > MAX_REQUEST:
            self._abort()
            return
        if self._deadline is None:
            self._set_deadline(REQUEST_SECONDS)
        super().data_received(data)
        request = self.cycle
        if request is not self._last_whole_request and not request.more_body:
            self._last_whole_request = request
            self._received = 0
            if not self.flow.write_paused:  # else it is the deadline of the response before
                self._cancel_deadline()

    def pause_writing(self) -> None:
        """Start the deadline of the response: the client takes it more slowly than it is sent."""
        super().pause_writing()
        self._set_deadline(RESPONSE_SECONDS)

    def resume_writing(self) -> None:
        """Cancel the deadline of the response: the client has taken what there was."""
        self._cancel_deadline()
        super().resume_writing()

    def connection_lost(self, exc: Exception | None) -> None:
        """Cancel the deadline."""
        self._cancel_deadline()
        super().connection_lost(exc)

    def _set_deadline(self, seconds: float) -> None:
        self._cancel_deadline()
        self._deadline = self.loop.call_later(seconds, self._abort)

    def _cancel_deadline(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _abort(self) -> None:
        self._cancel_deadline()
        if self.transport is not None:
            self.transport.abort()
