"""What a build says: to people, to scripts, and to nobody."""

import os

from conftest import Site, article


def test_quiet_says_nothing_and_verbose_says_which(built: Site) -> None:
    for text in ("zwei", "drei"):
        result = built.build("-q")
        assert (result.out, result.err) == ("", "")
        built.post("2.md", article(text))
    out = built.build("-v").out
    assert "  all.atom\n" in out
    assert "1 problem: see aggregator problems" in out


def test_json_of_a_build_and_of_one_with_nothing_to_do_have_the_same_keys(built: Site) -> None:
    built.post("2.md", article("zwei"))
    for path in built.posts.iterdir():
        os.utime(path, (0, 0))
    first = built.build("--json").json
    second = built.build("--json").json
    assert first["new"] == 1
    assert first["written"] == ["sources/huaxiashibao.atom", "all.atom", "index.html"]
    assert second["new"] == 0
    assert second["written"] == []
    assert set(second) == set(first)


def test_json_of_a_build_that_fails_has_the_failure(built: Site) -> None:
    before = built.feed_bytes()
    built.posts.rename(built.root / "away")
    result = built.build("--json", expect=1)
    assert result.json["failures"] == [f"{built.posts}: no such folder (is the disk mounted?)"]
    assert result.json["articles"] == 1
    assert built.feed_bytes() == before
