"""A real site in a temporary folder, and the installed command to run on it."""

from __future__ import annotations

import atexit
import contextlib
import datetime
import fcntl
import json
import os
import select
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import feedparser
import pytest
import warden
from hostile_server import HostileServer
from hypothesis import settings
from upstream import Upstream

if TYPE_CHECKING:
    from storage_server import Bucket, StorageServer

    from aggregator.daemon.health import Health
    from aggregator.store.database import Store

pytest_plugins = ["browser"]
warden.watch_over()
# A hundred runs are quicker with the bytecode of the first one.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

PR_SET_PTRACER = 0x59616D61  # prctl, Yama: who may trace a process

# The same examples at every run; HYPOTHESIS_PROFILE=exhaustive looks for new ones.
settings.register_profile("repeatable", derandomize=True)
settings.register_profile("exhaustive", max_examples=2000, deadline=None)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "repeatable"))

COMMAND = Path(sys.executable).parent / "aggregator"
# A command that runs another with mounts of its own.
NAMESPACE = ("unshare", "--mount", *(() if os.geteuid() == 0 else ("--map-root-user",)))
CONFIG = """\
site:
  title: 财经新闻
  url: https://finews.example.org/
  tag: finews.example.org,2021
posts:
  - path: posts
feeds:
  directory: feeds
  url: https://finews.example.org/feeds/
"""
# Posts of tests have short names.
PLAIN = CONFIG.replace("- path: posts\n", "- path: posts\n    layout: plain\n")
ATOM = "{http://www.w3.org/2005/Atom}"
# Of the article of `built`.
BUILT_CODE = "NW202201272264567295"
# How often posts are polled in `health`.
EVERY = datetime.timedelta(seconds=30)
# Of the articles of `every_format`.
CODES = [f"NW2022012722622841{number:02d}" for number in range(3)]
NASTY = "<b>A & B</b> “引号” ]]&gt; \u0008 𠀀"


class Commands:
    """Runs the command in processes forked from one that has loaded it."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None

    def run(self, folder: Path, arguments: list[str], timeout: float, **how: Any) -> Result:
        """The command's end, and what it wrote; `how` is as in `loaded_command`."""
        with self.start(folder, arguments, **how) as started:
            return started.end(timeout)

    def _end(self) -> None:
        if self._process is not None:
            with self._process as process:  # which closes its pipes and waits
                process.kill()

    @contextlib.contextmanager
    def start(self, folder: Path, arguments: list[str], **how: Any) -> Iterator[Started]:
        """The command under way, in a session of its own; at the end it must have ended."""
        if self._process is None:
            script = str(Path(__file__).with_name("loaded_command.py"))
            self._process = subprocess.Popen(
                [sys.executable, script],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                # What was read ahead into a buffer, `select` would wait for in vain.
                bufsize=0,
                # Two runs of the same do the same in the same order.
                env={**os.environ, "PYTHONHASHSEED": "0"},
            )
            atexit.register(self._end)
        server = self._process
        assert server.stdin is not None
        assert server.stdout is not None
        with tempfile.TemporaryDirectory() as outputs:
            out, err = Path(outputs, "out"), Path(outputs, "err")
            order = {
                "folder": str(folder), "arguments": arguments, "out": str(out), "err": str(err)
            }  # fmt: skip
            server.stdin.write(json.dumps({**order, **how}).encode() + b"\n")
            started = Started(int(server.stdout.readline()), server.stdout, out, err)
            try:
                yield started
            finally:
                if not started.has_ended:
                    self._end()
                    self._process = None


@dataclass
class Started:
    """A command under way."""

    pid: int
    answers: IO[bytes]
    out: Path
    err: Path
    has_ended: bool = False

    def ends_within(self, seconds: float) -> bool:
        """Wait for its end; whether it came."""
        return bool(select.select([self.answers], [], [], seconds)[0])

    def end(self, timeout: float) -> Result:
        """How it ended, once it has."""
        if not self.ends_within(timeout):
            raise subprocess.TimeoutExpired("aggregator", timeout)
        code = int(self.answers.readline())
        self.has_ended = True
        return Result(code, self.out.read_bytes(), self.err.read_bytes())


@dataclass
class Result:
    """How a command ended."""

    code: int
    stdout: bytes
    stderr: bytes

    @property
    def out(self) -> str:
        return self.stdout.decode("utf-8", "replace")

    @property
    def err(self) -> str:
        return self.stderr.decode("utf-8", "replace")

    @property
    def json(self) -> Any:
        return json.loads(self.out)


class Site:
    """A folder with config.yaml, posts/ and feeds/."""

    installed = False

    def __init__(self, root: Path) -> None:
        self.root = root
        self.posts = root / "posts"
        self.feeds = root / "feeds"
        self.config = root / "config.yaml"
        self.posts.mkdir(parents=True)
        self.config.write_text(PLAIN, encoding="utf-8")
        if on_postgresql:
            self.move_to_postgresql()

    def move_to_postgresql(self) -> str:
        """Have the store in a database of its own; return its address."""
        from postgresql import new_database

        url = new_database()
        # Tests add to the end of the file.
        self.configure(lambda text: f"store: '{url}'\n{text}")
        return url

    @property
    def store(self) -> Path:
        """The SQLite file; a test that looks at it is about it."""
        if on_postgresql:
            pytest.skip("about the SQLite file")
        return self.root / "var" / "aggregator.db"

    def configure(self, change: Callable[[str], str]) -> None:
        """Rewrite config.yaml."""
        self.config.write_text(change(self.config.read_text("utf-8")), encoding="utf-8")

    def post(self, name: str, text: str | bytes) -> Path:
        """Write a post file as it is given."""
        path = self.posts / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text if isinstance(text, bytes) else text.encode("utf-8"))
        return path

    def run(
        self,
        *arguments: str | Path,
        prefix: tuple[str, ...] = (),
        environment: Mapping[str, str] | None = None,
        timeout: float = 60,
    ) -> Result:
        """Run the command in the site's folder, under `prefix` if given.

        The same entry point as that of the installed command runs in a process that was
        forked with its modules loaded, which takes half the time; tests of the command
        itself are `installed`.
        """
        if not (self.installed or prefix or environment):
            return commands.run(self.root, [str(argument) for argument in arguments], timeout)
        done = subprocess.run(
            [*prefix, str(COMMAND), *map(str, arguments)],
            cwd=self.root,
            capture_output=True,
            timeout=timeout,
            env={**os.environ, **(environment or {})},
            check=False,
        )
        return Result(done.returncode, done.stdout, done.stderr)

    def build(self, *arguments: str, expect: int = 0, **options: Any) -> Result:
        """Run build-feeds, and check its exit status."""
        result = self.run("build-feeds", *arguments, **options)
        assert result.code == expect, (result.out, result.err)
        assert "Traceback" not in result.err, result.err
        return result

    def feed(self, path: str = "all.atom") -> Any:
        """A feed as feedparser reads it: well-formed, or this fails."""
        parsed = feedparser.parse(
            (self.feeds / path).read_bytes(), sanitize_html=False, resolve_relative_uris=False
        )
        assert not parsed.bozo, parsed.bozo_exception
        return parsed

    def entries(self, path: str = "all.atom") -> list[Any]:
        """The entries of a feed, newest first."""
        entries: list[Any] = self.feed(path).entries
        return entries

    def problems(self) -> list[dict[str, Any]]:
        """What `aggregator problems --json` lists."""
        result = self.run("problems", "--json")
        assert result.code == 0, result.err
        found: list[dict[str, Any]] = result.json
        return found

    def feed_bytes(self) -> dict[str, bytes]:
        """Every feed file by its path."""
        return {
            str(path.relative_to(self.feeds)): path.read_bytes()
            for path in sorted(self.feeds.rglob("*.atom"))
        }


class Clock:
    """A clock that goes when it is told to."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


commands = Commands()
# AGGREGATOR_TEST_STORE=postgresql runs every test that uses a site on PostgreSQL.
on_postgresql = os.environ.get("AGGREGATOR_TEST_STORE") == "postgresql"


def need_namespace(*options: str) -> None:
    """Skip the test where no mounts of one's own are allowed, as in some containers."""
    if subprocess.run([*NAMESPACE, *options, "true"], capture_output=True, check=False).returncode:
        pytest.skip("no mount namespaces here (unshare --mount)")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if on_postgresql and item.get_closest_marker("sqlite") is not None:
            item.add_marker(pytest.mark.skip(reason="about the SQLite file"))


@pytest.fixture(params=["sqlite", "postgresql"])
def on_both(site: Site, request: pytest.FixtureRequest) -> None:
    """Have a test run with its site on each of the databases."""
    if request.param == "postgresql" and not on_postgresql:
        site.move_to_postgresql()


@pytest.fixture(autouse=True)
def databases_of_a_test() -> Iterator[None]:
    """Drop the databases that a test made when it ends."""
    import postgresql

    yield
    postgresql.drop_databases()


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path / "site")


@pytest.fixture
def upstream() -> Iterator[Upstream]:
    server = Upstream()
    yield server
    server.close()


@pytest.fixture
def hostile() -> Iterator[HostileServer]:
    server = HostileServer()
    yield server
    server.close()


@pytest.fixture(scope="module")
def _started_storage_server() -> Iterator[StorageServer]:
    from storage_server import StorageServer

    server = StorageServer()
    yield server
    server.close()


@pytest.fixture
def storage_server(_started_storage_server: StorageServer) -> StorageServer:
    """An S3 server, found by the environment of the module's tests."""
    _started_storage_server.reset()
    return _started_storage_server


@pytest.fixture
def bucket(storage_server: StorageServer) -> Bucket:
    return storage_server.new_bucket()


@pytest.fixture(params=["sqlite", "postgresql"])
def address(tmp_path: Path, request: pytest.FixtureRequest) -> Path | str:
    """The address of a store that does not exist yet, in each of the databases."""
    from postgresql import new_database

    return tmp_path / "store.db" if request.param == "sqlite" else new_database()


@pytest.fixture(params=["sqlite", "postgresql"])
def store(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Store]:
    """An empty store, in each of the databases."""
    from postgresql import empty_store

    from aggregator.store.database import Store

    with Store(tmp_path / "store.db" if request.param == "sqlite" else empty_store()) as found:
        yield found


@pytest.fixture
def every_format(site: Site) -> Site:
    site.configure(
        lambda text: (
            text + "  formats: [atom, rss, json]\n  hubs: ['https://hub.example.org/?a=1&b=2']\n"
        )
    )
    for number, code in enumerate(CODES):
        site.post(
            f"2022-01-27-{code}.md",
            article(
                f"标题{number} & <其他>",
                f"<p>正文{number}：{NASTY}</p><img src='//img.example.org/{number}.png'>",
                date=f"2022-01-27 1{number}:00:00 +0800",
                share=share_url(code),
                source="huaxiashibao" if number else "chenbao",
                name="华夏时报" if number else "晨报",
            ),
        )
    site.build()
    post = site.posts / f"2022-01-27-{CODES[1]}.md"
    post.write_text(post.read_text("utf-8").replace("正文1", "更正1"), "utf-8")
    site.build()
    return site


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def health(tmp_path: Path, clock: Clock) -> Health:
    from aggregator.daemon.health import Health

    return Health(tmp_path / "state", EVERY, clock)


@pytest.fixture
def inotify(
    tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> Iterator[None]:
    """The user's inotify, which all tests of a run share unless a test is to be `alone` with it."""
    is_alone = request.node.get_closest_marker("alone_with_inotify") is not None
    # The workers of a run have the folder above their own in common.
    with (tmp_path_factory.getbasetemp().parent / "inotify.lock").open("ab") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX if is_alone else fcntl.LOCK_SH)
        yield


@pytest.fixture
def built(site: Site) -> Site:
    """A site with one article, of two posts, and a bad post."""
    for stem, host in ((BUILT_CODE, "a.example.org"), (BUILT_CODE[2:], "b.example.org")):
        site.post(f"2022-01-27-{stem}.md", article("标题", share=share_url(BUILT_CODE, host)))
    site.post("bad.md", "nichts")
    site.build()
    return site


@pytest.fixture
def _installed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Commands run as they are installed, each in a process of its own."""
    monkeypatch.setattr(Site, "installed", True)


@pytest.fixture
def make_site(tmp_path: Path) -> Callable[[str], Site]:
    return lambda name: Site(tmp_path / name)


def article(
    title: str = "标题",
    body: str = "<p>正文。</p>",
    *,
    date: str | None = "2022-01-27 22:14:24 +0800",
    source: str = "huaxiashibao",
    name: str = "华夏时报",
    share: str | None = None,
    extra: str = "",
) -> str:
    """A post in the form of the site: front matter, HTML, share link, navigation line."""
    lines = ["---", "layout: post", f'title: "{title}"']
    if date is not None:
        lines.append(f"date: {date}")
    lines += [f"categories: {source}", f"tags: {name}新闻"]
    if extra:
        lines.append(extra)
    lines += ["---", body]
    if share is not None:
        lines += ["", f"<{share}>"]
    lines += [
        "",
        f"[返回{name}新闻](//site.example.org/category/{source}.html)｜[返回首页](//site.example.org/)",
    ]
    return "\n".join(lines)


def share_url(code: str, host: str = "news.example.org") -> str:
    return f"http://{host}/html_News/NewsShare.html?infoCode={code}"
