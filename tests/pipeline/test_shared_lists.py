"""A list of feeds at a URL, and several machines with one store."""

from collections.abc import Callable

import pytest
from conftest import Site
from origins.test_feed_list import feed, serve_list, subscribe
from postgresql import new_database
from upstream import Upstream

# They say themselves where the store is.
pytestmark = pytest.mark.sqlite

POSTS = "  - path: posts\n    layout: plain\n"
Machines = tuple[Site, Site]


@pytest.fixture
def machines(make_site: Callable[[str], Site], upstream: Upstream) -> Machines:
    """Two machines with the same configuration, and a list of the feeds a and b."""
    for name in "abc":
        upstream.document(f"/{name}", feed(name), "application/rss+xml")
    url, database = serve_list(upstream, "a", "b"), new_database()
    sites = make_site("one"), make_site("two")
    for site in sites:
        subscribe(site, url)
        site.configure(lambda text: f"{text}store: '{database}'\n".replace(POSTS, "  []\n"))
    return sites


def origins_of(site: Site) -> set[str]:
    """The subscriptions in the store, as a machine sees them."""
    result = site.run("status", "--json")
    assert result.code == 0, result.err
    names = {origin["origin"] for origin in result.json["origins"]}
    return {name.rpartition("/")[2] for name in names if name.startswith("subscriptions:")}


def copies(site: Site) -> list[bytes]:
    return [path.read_bytes() for path in sorted((site.root / "var").glob("*.opml"))]


def test_what_one_machine_polls_the_other_knows_at_its_next_run(
    machines: Machines, upstream: Upstream
) -> None:
    one, two = machines
    assert one.run("poll").code == 0
    assert copies(two) == []
    two.build()
    assert copies(two) == copies(one) != []
    assert origins_of(two) == origins_of(one) == {"list", "a", "b"}
    assert {entry.title for entry in two.entries()} == {"a一", "b一"}
    # No run with an older list forgets what the newer one brought.
    url = serve_list(upstream, "b", "c")
    assert one.run("poll", url).code == 0
    result = two.run("poll", "--json")
    assert result.code == 0, result.err
    assert sum(origin["requested"] for origin in result.json["origins"]) == 0
    assert origins_of(two) == {"list", "b", "c"}
    two.build()
    assert {entry.title for entry in two.entries()} == {"a一", "b一", "c一"}
    assert (upstream.count("/a"), upstream.count("/b"), upstream.count("/c")) == (1, 1, 1)


def test_a_lost_copy_comes_from_the_store_and_a_lost_list_from_a_machine(
    machines: Machines, upstream: Upstream
) -> None:
    one, two = machines
    assert one.run("poll").code == 0
    (copy,) = (one.root / "var").glob("*.opml")
    before = copy.read_bytes()
    for damage in (copy.unlink, lambda: copy.write_bytes(b"garbage")):
        damage()
        one.build("--no-poll")
        assert copy.read_bytes() == before
    assert upstream.count("/list") == 1
    database = new_database()
    for site in machines:
        lines = site.config.read_text("utf-8").splitlines()
        site.config.write_text("\n".join([*lines[:-1], f"store: '{database}'", ""]), "utf-8")
    for site in machines:  # an empty store publishes nothing, but it has the list
        site.run("build-feeds")
    assert copies(two) == [before]


def test_a_site_that_moves_to_a_database_has_its_lists_there(
    site: Site, machines: Machines
) -> None:
    one, two = machines
    url = one.config.read_text("utf-8").rpartition("store: '")[2][:-2]
    text = one.config.read_text("utf-8").replace(f"store: '{url}'", "store: here.db")
    one.config.write_text(text, "utf-8")
    assert one.run("poll").code == 0
    assert one.run("store", "copy", "here.db", url).code == 0
    two.build()
    assert len(copies(two)) == 1
    assert origins_of(two) == {"list", "a", "b"}
