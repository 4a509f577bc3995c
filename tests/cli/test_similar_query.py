"""The stories that several outlets report, for people and for scripts."""

import pytest
from conftest import Site
from same_story import code_of, post, text


@pytest.fixture
def reported(site: Site) -> Site:
    post(site, 1, text(1))
    post(site, 2, text(1)[:300])
    post(site, 3, text(3))
    post(site, 4, text(4), date="2022-01-28 00:00:00 +0800")
    post(site, 5, text(4))
    site.build()
    return site


@pytest.mark.usefixtures("on_both")
def test_groups_are_listed_newest_first(reported: Site) -> None:
    found = reported.run("similar", "--json").json
    assert [[one["code"] for one in group["articles"]] for group in found] == [
        [code_of(5), code_of(4)],
        [code_of(1), code_of(2)],
    ]
    first = found[1]["articles"][0]
    assert (first["name"], first["title"], first["hidden_behind"]) == ("日报1", "标题1", None)
    assert 90 <= first["share"] <= 100
    assert reported.run("similar", "--since", "2022-01-28", "--json").json == found[:1]
    lines = reported.run("similar").out.splitlines()
    assert lines[0] == "2 articles"
    assert (
        lines[2].split("\t")[1:] == [code_of(5), "2022-01-27", "日报5", "标题5"]
        or "标题5" in lines[2]
    )


def test_show_says_which_are_similar_and_why(reported: Site) -> None:
    (other,) = reported.run("show", code_of(2), "--json").json["similar"]
    assert (other["code"], other["name"]) == (code_of(1), "日报1")
    out = reported.run("show", code_of(2)).out
    assert "similar (1), with the share of the shorter text in common" in out
    assert f" %  {code_of(1)}  日报1  标题1" in out
    assert "similar (" not in reported.run("show", code_of(3)).out


def test_show_says_what_stands_for_an_article(reported: Site) -> None:
    reported.configure(lambda text: text + "  similar: collapse\n")
    reported.build()
    assert reported.run("show", code_of(2), "--json").json["hidden_behind"] == code_of(1)
    assert f"which show {code_of(1)}" in reported.run("show", code_of(2)).out
    assert reported.run("show", code_of(1), "--json").json["hidden_behind"] is None


def test_without_any_that_is_said(site: Site) -> None:
    site.build()
    assert site.run("similar").out == "no similar articles\n"
    assert site.run("similar", "--json").json == []
    assert site.run("similar", "--since", "yesterday").code == 2
