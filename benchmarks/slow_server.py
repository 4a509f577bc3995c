"""An upstream on loopback that answers after 20 ms, for against_requests.py.

    python benchmarks/slow_server.py FLAVOUR

prints its address.  FLAVOUR "stable" gives a page with an ETag and answers 304 to
whoever has that, "changing" gives another 30 kB of gzip at every request.
"""

from __future__ import annotations

import asyncio
import gzip
import json
import random
import re
import sys
from typing import ClassVar

DELAY = 0.02
PACKED_BYTES = 30_000
PAGES = 64
_REQUEST = re.compile(rb"GET (\S+) HTTP/1\.1\r\n(.*?)\r\n\r\n", re.DOTALL)
_ETAG = re.compile(rb"if-none-match:", re.IGNORECASE)


def pages() -> list[bytes]:
    """JSON answers whose HTML packs to about 30 kB, all of them different."""
    random_ = random.Random(1)
    found = []
    for _ in range(PAGES):
        words = ["".join(chr(random_.randrange(0x4E00, 0x9FA5)) for _ in range(30))
                 for _ in range(480)]  # fmt: skip
        html = "".join(f"<p>{word}</p>\n" for word in words)
        found.append(gzip.compress(json.dumps({"content": html}, ensure_ascii=False).encode(), 6))
    return found


class Server(asyncio.Protocol):
    """One connection that is kept alive."""

    bodies: ClassVar[list[bytes]] = []
    is_stable = True
    turn = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the connection."""
        self.transport = transport
        self.received = b""

    def data_received(self, data: bytes) -> None:
        """Answer each request that is complete, a while later."""
        self.received += data
        while match := _REQUEST.match(self.received):
            self.received = self.received[match.end() :]
            asyncio.get_running_loop().call_later(
                DELAY, self.transport.write, self.answer(match[2])
            )

    def answer(self, headers: bytes) -> bytes:
        """304 for who has the page, 200 for others."""
        if Server.is_stable and _ETAG.search(headers):
            return b'HTTP/1.1 304 Not Modified\r\nETag: "1"\r\n\r\n'
        Server.turn += 1
        body = Server.bodies[Server.turn % len(Server.bodies)]
        return (
            b"HTTP/1.1 200 OK\r\nContent-Type: application/json; charset=utf-8\r\n"
            b'Content-Encoding: gzip\r\nETag: "%d"\r\nContent-Length: %d\r\n\r\n'
            % (1 if Server.is_stable else Server.turn, len(body))
        ) + body


async def main() -> None:
    """Serve until the process is ended."""
    Server.is_stable = sys.argv[1] == "stable"
    Server.bodies = pages()
    server = await asyncio.get_running_loop().create_server(Server, "127.0.0.1", 0)
    print(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
