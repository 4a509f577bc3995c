"""A server that misbehaves byte by byte, as each path asks of it."""

import contextlib
import socket
import socketserver
import threading
from collections.abc import Callable

Answer = Callable[[socket.socket], None]


class HostileServer:
    """Answers on every loopback address: each case can be a host of its own."""

    def __init__(self) -> None:
        self.answers: dict[str, Answer] = {}
        self.stopping = threading.Event()
        hostile = self

        class Handler(socketserver.BaseRequestHandler):
            def handle(self) -> None:
                self.request.settimeout(20)
                head = b""
                with contextlib.suppress(OSError):
                    while b"\r\n\r\n" not in head:
                        piece = self.request.recv(65536)
                        if not piece:
                            return
                        head += piece
                    path = head.split(b" ", 2)[1].decode("latin-1")
                    if path == "/robots.txt":
                        self.request.sendall(whole(404))
                        return
                    hostile.answers[path](self.request)

        class Server(socketserver.ThreadingTCPServer):
            allow_reuse_address = True
            daemon_threads = True
            block_on_close = False
            request_queue_size = 256

            def handle_error(self, *_: object) -> None:
                pass  # whoever was answered has hung up, as he should

        self._server = Server(("0.0.0.0", 0), Handler)
        self.port = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        self._thread.start()

    def close(self) -> None:
        self.stopping.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def drip(self, connection: socket.socket, head: bytes, piece: bytes) -> None:
        """Send `head`, then `piece` ten times a second until nobody listens."""
        connection.sendall(head)
        while not self.stopping.wait(0.1):
            connection.sendall(piece)


def whole(
    status: int, body: bytes = b"", media_type: str = "application/json", *headers: str
) -> bytes:
    """A plain answer."""
    lines = [
        f"HTTP/1.1 {status} X",
        f"Content-Type: {media_type}",
        f"Content-Length: {len(body)}",
        "Connection: close",
        *headers,
    ]
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body


def sends(*pieces: bytes) -> Answer:
    """An answer that is these bytes."""

    def answer(connection: socket.socket) -> None:
        for piece in pieces:
            connection.sendall(piece)

    return answer
