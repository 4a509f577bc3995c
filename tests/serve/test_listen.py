"""`--listen`: what it takes for an address, and that nobody listens everywhere unawares."""

import signal
import socket
import subprocess
from pathlib import Path

import pytest
from conftest import COMMAND, Site, article

from aggregator.serve import server

BAD = [
    "",
    ":",
    "nonsense",
    "127.0.0.1",
    "127.0.0.1:",
    "localhost:8610x",
    ":http",
    "70000",
    ":65536",
    "-1",
    "+80",
    "8_610",
    "８６１０",
    "::1",
    "[::1]",
    "[::1:8610",
    "*:8610",
    "http://127.0.0.1:8610/",
    "127.0.0.1:8610/feeds",
]


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Site:
    site = Site(tmp_path_factory.mktemp("listening") / "site")
    site.post("1.md", article())
    site.build()
    return site


def address_of(site: Site, address: str) -> str:
    """The address at which `serve` says that it serves."""
    process = subprocess.Popen(
        [str(COMMAND), "serve", "--listen", address],
        cwd=site.root,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    line = process.stderr.readline()
    process.send_signal(signal.SIGTERM)
    with process.stderr:
        assert process.wait(20) == 0, line + process.stderr.read()
    return line.strip().rpartition(" ")[2]


@pytest.mark.parametrize(
    ("address", "host"),
    [
        ("0", "127.0.0.1"),
        (":0", "127.0.0.1"),
        ("localhost:0", "127.0.0.1"),
        ("127.0.0.1:0", "127.0.0.1"),
    ],
)
def test_a_port_alone_is_that_of_this_machine(built: Site, address: str, host: str) -> None:
    assert address_of(built, address).startswith(f"http://{host}:")


@pytest.mark.parametrize("host", ["0.0.0.0", "::"])
def test_an_address_that_is_written_out_is_open_to_everybody(host: str) -> None:
    address = f"[{host}]:8610" if ":" in host else f"{host}:8610"
    assert server.host_and_port(address) == (host, 8610)


def test_asyncio_sends_small_pieces_at_once() -> None:
    """It turns Nagle's algorithm off only for sockets that name their protocol."""
    with server.listen("127.0.0.1:0", "--listen") as listener:
        assert listener.proto == socket.IPPROTO_TCP


@pytest.mark.parametrize("address", ["0:0", "0x0:0", "0.0:0"])
def test_short_forms_of_every_address_are_refused(built: Site, address: str) -> None:
    for command in ("serve", "run"):
        result = built.run(command, "--listen", address)
        assert result.code == 2
        assert "write 0.0.0.0:PORT" in result.err


@pytest.mark.parametrize("address", BAD)
def test_what_is_no_address_is_a_usage_error_with_an_example(built: Site, address: str) -> None:
    for command in ("serve", "run"):
        result = built.run(command, "--listen", address, timeout=20)
        assert result.code == 2
        assert f"--listen {address}: write ADDRESS:PORT, such as 127.0.0.1:86" in result.err
        assert "Traceback" not in result.err


def test_help_and_documentation_say_so(built: Site) -> None:
    for command in ("serve", "run"):
        assert "PORT alone is 127.0.0.1:PORT" in " ".join(built.run(command, "--help").out.split())
    serving = Path(__file__).parents[2] / "docs" / "serving.md"
    assert "`0.0.0.0:8610`" in serving.read_text("utf-8")
