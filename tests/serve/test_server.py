"""The folder of feeds over HTTP: `aggregator serve`, and other servers as docs/ has them."""

import contextlib
import gzip
import os
import re
import shutil
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import brotli
import pytest
import requests
from conftest import COMMAND, Site, article, share_url

BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
DOCUMENT = Path(__file__).parents[2] / "docs" / "serving.md"


def fill(site: Site) -> Site:
    site.configure(lambda text: text + "  entries: 5\n  combined_entries: 5\n")
    for number in range(17):
        code = f"NW20220127{number:010d}"
        site.post(
            f"2022-01-27-{code}.md",
            article(f"标题{number}", date=f"2022-01-27 10:{number:02d}:00", share=share_url(code)),
        )
    site.build()
    return site


@pytest.fixture(scope="module", params=["fast", "plain"])
def environment(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, str]:
    """The environment of a server, with the libraries of the extra "fast" or without."""
    if request.param == "fast":
        return {**os.environ}
    folder = tmp_path_factory.mktemp("plain")
    for library in ("httptools", "uvloop"):
        (folder / f"{library}.py").write_text("raise ImportError('not installed')")
    return {**os.environ, "PYTHONPATH": str(folder)}


@contextlib.contextmanager
def serving(site: Site, environment: dict[str, str] | None = None) -> Iterator[str]:
    """The address at which a site's feeds are given."""
    with subprocess.Popen(
        [str(COMMAND), "serve", "--listen", "127.0.0.1:0"],
        cwd=site.root,
        env=environment,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stderr is not None
        line = process.stderr.readline()
        try:
            match = re.search(r"http://[\d.:]+", line)
            assert match, line
            yield match[0]
        finally:
            process.send_signal(signal.SIGTERM)
            code, rest = process.wait(10), process.stderr.read()
        assert (code, rest) == (0, "")


@pytest.fixture(scope="module")
def shared(
    tmp_path_factory: pytest.TempPathFactory, environment: dict[str, str]
) -> Iterator[tuple[Site, str]]:
    """A site that no test changes, and its address."""
    site = fill(Site(tmp_path_factory.mktemp("shared") / "site"))
    (site.feeds / "secret.txt").write_text("secret")
    (site.feeds / ".aggregator-1.tmp").write_text("secret")
    (site.feeds / "all.json.gz").write_bytes(gzip.compress(b"x"))
    (site.feeds / "sources" / "link.atom").symlink_to(site.config)
    os.mkfifo(site.feeds / "sources" / "pipe.atom")
    with serving(site, environment) as url:
        yield site, url


@pytest.fixture
def served(shared: tuple[Site, str]) -> Site:
    return shared[0]


@pytest.fixture
def url(shared: tuple[Site, str]) -> str:
    return shared[1]


@pytest.fixture
def own(site: Site) -> Site:
    """A site that a test may change."""
    return fill(site)


def exchange(url: str, request: bytes, timeout: float = 10) -> bytes:
    """Whatever comes back for some bytes, until the server closes."""
    host, _, port = url.removeprefix("http://").partition(":")
    with socket.create_connection((host, int(port)), timeout=timeout) as connection:
        connection.sendall(request)
        found = b""
        while data := connection.recv(65536):
            found += data
    return found


def raw(target: str, *lines: str, method: str = "GET", host: str = "x") -> bytes:
    head = [f"{method} {target} HTTP/1.1", f"Host: {host}", "Connection: close", *lines]
    return ("\r\n".join(head) + "\r\n\r\n").encode("latin-1")


def status(answer: bytes) -> int:
    return int(answer.split(b" ", 2)[1])


def test_a_feed_is_given_whole(served: Site, url: str) -> None:
    answer = requests.get(f"{url}/all.atom", headers={"Accept-Encoding": ""}, timeout=5)
    assert answer.content == (served.feeds / "all.atom").read_bytes()
    assert answer.headers["Content-Type"] == "application/atom+xml; charset=utf-8"
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "Server" not in answer.headers


@pytest.mark.parametrize(
    ("path", "media_type"),
    [
        ("/", "text/html; charset=utf-8"),
        ("/index.html", "text/html; charset=utf-8"),
        ("/feeds.css", "text/css; charset=utf-8"),
        ("/feeds.js", "text/javascript; charset=utf-8"),
        ("/feed.css", "text/css; charset=utf-8"),
        ("/feeds.opml", "text/x-opml; charset=utf-8"),
        ("/sources/huaxiashibao.atom", "application/atom+xml; charset=utf-8"),
        ("/archives/all.1.atom", "application/atom+xml; charset=utf-8"),
    ],
)
def test_media_types(url: str, path: str, media_type: str) -> None:
    answer = requests.get(url + path, timeout=5)
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == media_type
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]


def test_a_browser_gets_xml_that_it_shows(url: str) -> None:
    def media_type(path: str, accept: str) -> str:
        answer = requests.get(url + path, headers={"Accept": accept}, timeout=5)
        return answer.headers["Content-Type"].partition(";")[0]

    assert media_type("/all.atom", BROWSER) == "application/xml"
    assert media_type("/all.atom", "*/*") == "application/atom+xml"
    assert (
        media_type("/all.atom", "application/atom+xml, text/html;q=0.5") == "application/atom+xml"
    )
    assert media_type("/feeds.opml", BROWSER) == "text/x-opml"


def packed(url: str, coding: str) -> bytes:
    """A feed as it comes in a coding."""
    with requests.get(
        f"{url}/all.atom", headers={"Accept-Encoding": coding}, stream=True, timeout=5
    ) as answer:
        assert answer.headers["Content-Encoding"] == coding
        assert answer.headers["Vary"] == "Accept-Encoding, Accept"
        return bytes(answer.raw.read(decode_content=False))


@pytest.mark.parametrize("coding", ["br", "gzip"])
def test_codings(served: Site, url: str, coding: str) -> None:
    data = (served.feeds / "all.atom").read_bytes()
    assert {"br": brotli, "gzip": gzip}[coding].decompress(packed(url, coding)) == data


def test_packed_files_are_given_as_they_are_unless_they_are_older(own: Site) -> None:
    own.configure(lambda text: text + "  compress: [gzip, br]\n")
    own.build()
    mark = gzip.compress(b"as it is")
    with serving(own) as url:
        assert packed(url, "br") == (own.feeds / "all.atom.br").read_bytes()
        (own.feeds / "all.atom.gz").write_bytes(mark)
        assert packed(url, "gzip") == mark
    os.utime(own.feeds / "all.atom.gz", (0, 0))
    with serving(own) as url:
        assert gzip.decompress(packed(url, "gzip")) == (own.feeds / "all.atom").read_bytes()


def test_the_better_coding_that_the_client_takes(url: str) -> None:
    def coding(accepted: str) -> str | None:
        answer = requests.get(
            f"{url}/all.atom", headers={"Accept-Encoding": accepted}, stream=True, timeout=5
        )
        answer.close()
        return answer.headers.get("Content-Encoding")

    assert coding("gzip, deflate, br") == "br"
    assert coding("gzip, br;q=0") == "gzip"
    assert coding("*") == "br"
    assert coding("identity") is None
    assert coding("br;q=0.000, *;q=0") is None


@pytest.mark.parametrize("coding", ["", "gzip", "br"])
def test_an_unchanged_feed_is_not_sent_again(url: str, coding: str) -> None:
    headers = {"Accept-Encoding": coding}
    first = requests.get(f"{url}/all.atom", headers=headers, timeout=5)
    etag, modified = first.headers["ETag"], first.headers["Last-Modified"]
    assert re.fullmatch(r'"[^"]+"', etag)
    for condition in (
        {"If-None-Match": etag},
        {"If-None-Match": f'"other", W/{etag}'},
        {"If-None-Match": "*"},
        {"If-Modified-Since": modified},
    ):
        again = requests.get(f"{url}/all.atom", headers={**headers, **condition}, timeout=5)
        assert again.status_code == 304, condition
        assert again.content == b""
        assert again.headers["ETag"] == etag
    for condition in (
        {"If-None-Match": '"other"', "If-Modified-Since": modified},
        {"If-Modified-Since": "Thu, 01 Jan 2015 00:00:00 GMT"},
        {"If-Modified-Since": "the day before yesterday"},
    ):
        again = requests.get(f"{url}/all.atom", headers={**headers, **condition}, timeout=5)
        assert again.status_code == 200, condition


def test_a_changed_feed_is_sent_again(own: Site) -> None:
    with serving(own) as url:
        etag = requests.get(f"{url}/all.atom", timeout=5).headers["ETag"]
        own.post("new.md", article("neu", date="2022-02-01"))
        own.build()
        again = requests.get(f"{url}/all.atom", headers={"If-None-Match": etag}, timeout=5)
        assert again.status_code == 200
        assert "neu" in again.content.decode()


def test_each_coding_has_a_tag_of_its_own(url: str) -> None:
    tags = {
        requests.get(f"{url}/all.atom", headers={"Accept-Encoding": name}, timeout=5).headers[
            "ETag"
        ]
        for name in ("", "gzip", "br")
    }
    assert len(tags) == 3


def test_head(url: str) -> None:
    got = requests.get(f"{url}/all.atom", timeout=5)
    head = requests.head(f"{url}/all.atom", timeout=5)
    assert head.content == b""
    names = ("ETag", "Content-Type", "Content-Length", "Last-Modified", "Cache-Control")
    assert [head.headers[name] for name in names] == [got.headers[name] for name in names]


def test_ranges(served: Site, url: str) -> None:
    data = (served.feeds / "all.atom").read_bytes()
    size = len(data)

    def part(asked: str, **headers: str) -> requests.Response:
        return requests.get(f"{url}/all.atom", headers={"Range": asked, **headers}, timeout=5)

    for asked, first, last in (
        ("bytes=0-99", 0, 99),
        ("bytes=100-", 100, size - 1),
        ("bytes=-7", size - 7, size - 1),
        (f"bytes=5-{10 * size}", 5, size - 1),
    ):
        answer = part(asked)
        assert answer.status_code == 206, asked
        assert answer.content == data[first : last + 1]
        assert answer.headers["Content-Range"] == f"bytes {first}-{last}/{size}"
    outside = part(f"bytes={size}-")
    assert (outside.status_code, outside.headers["Content-Range"]) == (416, f"bytes */{size}")
    for whole in ("bytes=0-1,3-4", "bytes=9-3", "bytes=-", "lines=1-2", "bytes=" + "9" * 400 + "-"):
        assert part(whole).content == data, whole
    etag = requests.get(f"{url}/all.atom", headers={"Accept-Encoding": ""}, timeout=5).headers[
        "ETag"
    ]
    assert part("bytes=0-9", **{"If-Range": etag}).status_code == 206
    assert part("bytes=0-9", **{"If-Range": '"other"'}).content == data


def test_how_long_answers_keep(url: str) -> None:
    def caching(path: str) -> str:
        return requests.get(url + path, timeout=5).headers["Cache-Control"]

    assert caching("/all.atom").startswith("public, max-age=60")
    assert caching("/index.html").startswith("public, max-age=60")
    assert caching("/archives/all.1.atom") == "public, max-age=31536000, immutable"
    # The last one still grows.
    assert caching("/archives/all.3.atom").startswith("public, max-age=60")


@pytest.mark.parametrize(
    "target",
    [
        "/../config.yaml",
        "/%2e%2e/config.yaml",
        "/..%2fconfig.yaml",
        "/%2e%2e%2fconfig.yaml",
        "/sources/../../config.yaml",
        "/sources/%2e%2e/%2e%2e/config.yaml",
        "/..%5cconfig.yaml",
        "//evil.example.org",
        "//all.atom",
        "/all.atom%00.html",
        "/%00",
        "/all.atom/",
        "/sources",
        "/sources/",
        "/archives/",
        "/config.yaml",
        "/secret.txt",
        "/.aggregator-1.tmp",
        "/all.json.gz",
        "/ALL.ATOM",
        "/" + "a" * 5000,
        "/%ff%fe",
        "/sources/link.atom",
        "/sources/pipe.atom",
    ],
)
def test_109_nothing_else_is_given(url: str, target: str) -> None:
    answer = exchange(url, raw(target))
    assert status(answer) == 404, answer
    assert b"tag:" not in answer
    assert b"secret" not in answer


def test_110_slow_clients_are_let_go(own: Site, environment: dict[str, str]) -> None:
    script = (
        "import sys; from pathlib import Path; from aggregator.serve import server;"
        "from aggregator.config.load import load_settings;"
        "from aggregator.serve import http_protocol;"
        "http_protocol.REQUEST_SECONDS = 1.0;"
        "http_protocol.RESPONSE_SECONDS = 1.0;"
        "settings = load_settings(Path(sys.argv[1]));"
        "server.run(settings, '127.0.0.1:0', lambda url: print(url, flush=True))"
    )
    big = own.feeds / "sources" / "big.atom"
    big.write_bytes(os.urandom(30_000_000))
    with subprocess.Popen(
        [str(COMMAND.parent / "python"), "-c", script, str(own.config)],
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            assert process.stdout is not None
            host, _, port = (
                process.stdout.readline().strip().strip("/").removeprefix("http://").partition(":")
            )

            def connect() -> socket.socket:
                connection = socket.create_connection((host, int(port)), timeout=10)
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
                return connection

            def closed_after(first: bytes, drip: bytes) -> float:
                started = time.monotonic()
                with connect() as connection:
                    connection.settimeout(0.1)
                    connection.sendall(first)
                    while time.monotonic() - started < 10:
                        try:
                            connection.sendall(drip)
                            if not connection.recv(1):
                                break
                        except TimeoutError:
                            continue
                        except OSError:
                            break
                return time.monotonic() - started

            assert closed_after(b"", b"") < 5
            assert closed_after(b"GET /all.atom HTTP/1.1\r\nHost: x\r\n", b"A") < 5
            pipelined = raw("/sources/big.atom").replace(b"Connection: close\r\n", b"")
            for asked in (raw("/sources/big.atom"), pipelined + pipelined, pipelined):
                with connect() as connection:
                    connection.sendall(asked)
                    taken = len(connection.recv(1000))
                    if asked == pipelined:
                        connection.sendall(pipelined)
                    # The rest is not fetched: the server must not hold it for ever.
                    deadline = time.monotonic() + 10
                    while _is_connected(port) and time.monotonic() < deadline:
                        threading.Event().wait(0.05)
                    assert time.monotonic() < deadline
                assert taken
            assert closed_after(b"GET / HTTP/1.1\r\nX: " + b"a" * 100_000, b"a") < 5
            assert requests.get(f"http://{host}:{port}/all.atom", timeout=5).status_code == 200
        finally:
            process.terminate()
            assert process.wait(10) == 0


def _is_connected(port: str) -> bool:
    """Whether the server's side of a connection is still there."""
    wanted = f":{int(port):04X}"
    lines = Path("/proc/net/tcp").read_text().splitlines()[1:]
    return any(line.split()[1].endswith(wanted) and line.split()[3] == "01" for line in lines)


@pytest.mark.parametrize(
    "request_",
    [
        raw("/all.atom", host=""),
        raw("/all.atom", host="a b\x01"),
        raw("/all.atom", "Range: bytes=a-b"),
        raw("/all.atom", "Range: \xff\xfe", "If-Range: \xff"),
        raw("/all.atom", "If-Modified-Since: Thu, 99 Foo 99999 99:99:99 GMT"),
        raw("/all.atom", 'If-None-Match: \xff"""', "Accept-Encoding: \xff;q=x,,;"),
        raw("http://[::1/all.atom"),
        raw("*", method="OPTIONS"),
        b"GET /all.atom HTTP/1.0\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00",
        b"GET\r\n\r\n",
        raw("/all.atom", "Content-Length: -1"),
        raw("/all.atom", "Transfer-Encoding: chunked", "Content-Length: 5"),
    ],
)
def test_111_odd_requests_are_no_errors_of_ours(url: str, request_: bytes) -> None:
    answer = exchange(url, request_)
    assert status(answer) < 500, answer
    assert requests.get(f"{url}/all.atom", timeout=5).status_code == 200


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "TRACE", "PATCH", "CONNECT", "QUERY"])
def test_112_other_methods(url: str, method: str) -> None:
    answer = exchange(url, raw("/all.atom", "Content-Length: 0", method=method))
    assert status(answer) in (405, 400), answer
    if method in ("POST", "TRACE"):
        assert status(answer) == 405
        assert b"allow: GET, HEAD, OPTIONS" in answer


def test_a_script_of_another_site_may_ask_conditionally(url: str) -> None:
    answer = requests.options(
        f"{url}/all.atom",
        headers={"Origin": "https://x.example.org", "Access-Control-Request-Method": "GET"},
        timeout=5,
    )
    assert answer.status_code == 204
    assert "If-None-Match" in answer.headers["Access-Control-Allow-Headers"]


def test_113_a_read_during_replacement_gives_one_version(own: Site) -> None:
    path = own.feeds / "all.atom"
    versions = [f"<feed>{letter * 200_000}</feed>".encode() for letter in "ab"]
    stop = threading.Event()

    def replace() -> None:
        number = 0
        while not stop.is_set():
            number += 1
            new = path.with_name("new.tmp")
            new.write_bytes(versions[number % 2])
            os.replace(new, path)

    path.write_bytes(versions[0])
    writer = threading.Thread(target=replace)
    seen = set()
    with serving(own) as url, requests.Session() as session:
        writer.start()
        try:
            for number in range(300):
                headers = {"Accept-Encoding": ("", "gzip", "br")[number % 3]}
                answer = session.get(f"{url}/all.atom", headers=headers, timeout=5)
                assert answer.content in versions
                seen.add(answer.content)
        finally:
            stop.set()
            writer.join()
    assert len(seen) == 2


def test_errors_are_said(own: Site) -> None:
    assert "write ADDRESS:PORT" in own.run("serve", "--listen", "nonsense").err
    taken = socket.create_server(("127.0.0.1", 0))
    with taken:
        result = own.run("serve", "--listen", f"127.0.0.1:{taken.getsockname()[1]}")
    assert (result.code, "in use" in result.err) == (2, True)
    shutil.rmtree(own.feeds)
    result = own.run("serve")
    assert (result.code, "run aggregator build-feeds first" in result.err) == (2, True)


def block(language: str) -> str:
    """The configuration of a server in the documentation."""
    return DOCUMENT.read_text("utf-8").partition(f"```{language}\n")[2].partition("```")[0]


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def wait_for(url: str, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        assert process.poll() is None
        try:
            requests.get(url, timeout=5)
            return
        except requests.ConnectionError:
            threading.Event().wait(0.05)
    raise AssertionError("the server does not come up")


def nginx(site: Site, port: int) -> list[str]:
    modules = Path("/usr/lib/nginx/modules/ngx_http_brotli_static_module.so")
    server = block("nginx").replace("/srv/site/feeds", str(site.feeds))
    server = re.sub(r"listen .*;", f"listen 127.0.0.1:{port};", server, count=1)
    if not modules.exists():
        server = server.replace("brotli_static on;", "")
    config = site.root / "nginx.conf"
    config.write_text(
        (f"load_module {modules};\n" if modules.exists() else "")
        + f"daemon off; pid {site.root}/pid; error_log {site.root}/error.log;\n"
        + ("user root;\n" if os.getuid() == 0 else "")
        + "events {}\nhttp { include /etc/nginx/mime.types; access_log off;\n"
        + server
        + "}\n"
    )
    return ["nginx", "-c", str(config), "-e", f"{site.root}/error.log"]


def caddy(site: Site, port: int) -> list[str]:
    server = block("caddy").replace("/srv/site/feeds", str(site.feeds))
    server = re.sub(r"^\S+ \{", f"http://127.0.0.1:{port} {{", server, count=1)
    config = site.root / "Caddyfile"
    config.write_text("{\n  admin off\n  auto_https off\n}\n" + server)
    return ["caddy", "run", "--config", str(config), "--adapter", "caddyfile"]


def varies(answer: requests.Response) -> set[str]:
    return set(answer.headers["Vary"].replace(" ", "").split(","))


@pytest.mark.parametrize("command", [nginx, caddy])
def test_other_servers_do_the_same(own: Site, command: Callable[[Site, int], list[str]]) -> None:
    own.configure(lambda text: text + "  formats: [atom, rss, json]\n  compress: [gzip, br]\n")
    own.build("--full")
    (own.feeds / "secret.txt").write_text("secret")
    port = free_port()
    arguments = command(own, port)
    if shutil.which(arguments[0]) is None:
        pytest.skip(f"{arguments[0]} is not installed (apt-get install {arguments[0]})")
    with (
        serving(own) as our_url,
        subprocess.Popen(arguments, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as theirs,
    ):
        try:
            url = f"http://127.0.0.1:{port}"
            wait_for(url, theirs)
            for path in (
                "/", "/all.atom", "/all.rss", "/all.json", "/feeds.opml", "/feeds.css", "/feeds.js",
                "/sources/huaxiashibao.atom", "/archives/all.1.atom",
            ):  # fmt: skip
                for coding, accept in (("", "*/*"), ("gzip", "*/*"), ("gzip", BROWSER)):
                    headers = {"Accept-Encoding": coding, "Accept": accept}
                    mine = requests.get(our_url + path, headers=headers, timeout=5)
                    other = requests.get(url + path, headers=headers, timeout=5)
                    assert other.status_code == 200, path
                    assert other.content == mine.content
                    for name in (
                        "Content-Type", "Content-Encoding", "Content-Security-Policy",
                        "Last-Modified", "X-Content-Type-Options", "Referrer-Policy",
                        "Access-Control-Allow-Origin",
                    ):  # fmt: skip
                        assert other.headers.get(name) == mine.headers.get(name), (
                            path,
                            coding,
                            name,
                        )
                    assert varies(other) == varies(mine), (path, coding)
                    if not path.startswith("/archives/"):
                        assert other.headers["Cache-Control"] == mine.headers["Cache-Control"], path
                    etag = other.headers["ETag"]
                    again = requests.get(
                        url + path, headers={**headers, "If-None-Match": etag}, timeout=5
                    )
                    assert again.status_code == 304
            for target in (
                "/../config.yaml",
                "/%2e%2e/config.yaml",
                "/sources/",
                "/secret.txt",
                "/archives/",
            ):
                assert status(exchange(url, raw(target, host=f"127.0.0.1:{port}"))) in (
                    400,
                    403,
                    404,
                ), target
            assert requests.head(f"{url}/all.atom", timeout=5).status_code == 200
            assert requests.post(f"{url}/all.atom", timeout=5).status_code == 405
        finally:
            theirs.terminate()
