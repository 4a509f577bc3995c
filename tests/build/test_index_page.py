"""The page beside the feeds."""

from conftest import Site, article


def test_somebody_elses_page_is_left_alone(site: Site) -> None:
    site.post("1.md", article("eins"))
    site.feeds.mkdir()
    mine = site.feeds / "index.html"
    mine.write_text("<h1>mine</h1>")
    result = site.build()
    assert "was not made by aggregator, and was kept" in result.err
    assert mine.read_text() == "<h1>mine</h1>"
    mine.unlink()
    site.build()
    assert "北京" in mine.read_text("utf-8") or "华夏时报" in mine.read_text("utf-8")
