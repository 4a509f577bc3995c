"""What runs and `sources` print for people."""

from conftest import Site, article


def test_a_run_says_what_it_read_and_wrote(site: Site) -> None:
    site.post("2022-01-27-a.md", article("标题"))
    out = site.build().out
    assert "1 new" in out
    assert "2 feeds" in out
    assert "0 of 2 feeds written" in site.build("--full").out


def test_sources_are_a_table(built: Site) -> None:
    lines = built.run("sources").out.splitlines()
    assert "name" in lines[0]
    assert any("huaxiashibao" in line for line in lines[1:])
