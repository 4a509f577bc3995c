"""One request up to its response: certificates and redirects."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from fetching import fetch, limited
from upstream import Upstream, send

from aggregator.model.errors import FetchError
from aggregator.model.polls import Request


@pytest.fixture(scope="module")
def tls_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[int, Path]]:
    """A server with a certificate that nobody vouches for: its port, and that."""
    import ssl
    import subprocess
    import threading
    from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

    folder = tmp_path_factory.mktemp("tls")
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1",
         "-subj", "/CN=127.0.0.2", "-addext", "subjectAltName=IP:127.0.0.2",
         "-keyout", "key.pem", "-out", "cert.pem"],
        cwd=folder, check=True, capture_output=True,
    )  # fmt: skip

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(302)
            self.send_header("Location", "http://127.0.0.2:9999/")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    class Server(ThreadingHTTPServer):
        def handle_error(self, *_: object) -> None:
            pass

    server = Server(("127.0.0.2", 0), Handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "cert.pem", folder / "key.pem")
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    yield server.server_address[1], folder / "cert.pem"
    server.shutdown()
    thread.join()
    server.server_close()


def test_61_a_certificate_that_is_not_valid(tls_server: tuple[int, Path]) -> None:
    with pytest.raises(FetchError, match="its certificate is not valid"):
        fetch(f"https://127.0.0.2:{tls_server[0]}/")


@pytest.mark.parametrize("allowed", [False, True])
def test_39_from_https_to_http(
    tls_server: tuple[int, Path], allowed: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    port, certificate = tls_server
    # What `load_default_certs` reads beside certifi's.
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    with pytest.raises(FetchError) as raised:
        fetch(f"https://127.0.0.2:{port}/", allow_downgrade=allowed)
    assert ("from https to http" in raised.value.reason) is not allowed
    assert ("connection refused" in raised.value.reason) is allowed


def test_validators_are_sent_and_kept_at_a_304(upstream: Upstream) -> None:
    url = upstream.document("/x", b"gut")
    with limited() as fetcher:
        first = fetcher.fetch(Request(url, obey_robots=False))
        second = fetcher.fetch(Request(url, first.validators, obey_robots=False))
    assert (first.status, first.body) == (200, b"gut")
    assert (second.status, second.body) == (304, None)
    assert second.validators == first.validators


def test_a_permanent_move_is_named_and_a_temporary_one_is_not(upstream: Upstream) -> None:
    upstream.document("/there", b"gut")
    for status in (301, 308, 302, 307):
        upstream.answers[f"/{status}"] = lambda handler, status=status: send(
            handler, status, headers={"Location": "/there"}
        )
    upstream.answers["/both"] = lambda handler: send(handler, 301, headers={"Location": "/302"})
    found = {name: fetch(f"{upstream.url}/{name}") for name in ("301", "308", "302", "307", "both")}
    assert {response.body for response in found.values()} == {b"gut"}
    moved = {name: response.moved_to for name, response in found.items()}
    there = f"{upstream.url}/there"
    assert moved == {
        "301": there, "308": there, "302": None, "307": None, "both": f"{upstream.url}/302"
    }  # fmt: skip
