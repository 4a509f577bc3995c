"""How `aggregator run` begins."""

from __future__ import annotations

from conftest import Site
from postgresql import new_database


def test_roles_are_for_several_machines(site: Site) -> None:
    result = site.run("run", "--roles", "upstream")
    assert result.code == 2
    assert "a store in PostgreSQL" in result.err


def test_roles_that_there_are_not_are_named(site: Site) -> None:
    for roles in ("cook", "posts,cook", ""):
        result = site.run("run", "--roles", roles)
        assert result.code == 2
        assert "build, posts, upstream" in result.err


def test_an_address_that_is_none_is_an_error(site: Site) -> None:
    site.configure(lambda text: text + "store: 'postgresql://['\n")
    result = site.run("build-feeds")
    assert result.code == 1
    assert "postgresql://[: " in result.err


def test_a_store_in_postgresql_needs_no_file(site: Site) -> None:
    site.configure(lambda text: text + f"store: {new_database()}\n")
    site.build()
    assert not list((site.root / "var").glob("*.db"))
