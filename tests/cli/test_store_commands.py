"""`aggregator store copy` as people meet it; what it copies is tested in tests/store/."""

import pytest
from conftest import Site


@pytest.mark.sqlite
def test_it_says_what_to_write_into_the_configuration(built: Site) -> None:
    result = built.run("store", "copy", "var/aggregator.db", "sqlite:///new.db")
    new = built.root / "new.db"
    assert (result.code, result.err) == (0, "")
    assert f"rows copied from {built.store} to {new}\n" in result.out
    assert f"next: write `store: {new}` into config.yaml\n" in result.out
    result = built.run("store", "copy", "new.db", "other.db", "--quiet")
    assert (result.code, result.out, result.err) == (0, "", "")


@pytest.mark.sqlite
def test_help_has_an_example_and_needs_no_configuration(built: Site) -> None:
    built.config.unlink()
    result = built.run("store", "copy", "--help")
    assert "  Example:\n    aggregator store copy " in result.out
    assert built.run("store", "copy", "var/aggregator.db", "new.db").code == 0
    assert built.run("store", "copy", "var/aggregator.db").code == 2


def test_an_address_of_another_database_is_refused(built: Site) -> None:
    for arguments in (("mysql://ann:secret@h/x", "a.db"), ("var/aggregator.db", "mysql://h/x")):
        result = built.run("store", "copy", *arguments)
        assert result.code == 2
        assert "postgresql://" in result.err
        assert "secret" not in result.err
    assert not list(built.root.glob("mysql*"))
