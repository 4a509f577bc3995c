"""What `aggregator show` reports of one article."""

import pytest
from conftest import Site, article

CODE = "NW202201272264567295"


@pytest.mark.parametrize("name", [CODE, CODE[2:], CODE.lower()])
def test_show_by_any_form_of_the_code(built: Site, name: str) -> None:
    found = built.run("show", name, "--json").json
    assert found["code"] == CODE
    assert [copy["location"] for copy in found["copies"]] == [
        f"2022-01-27-{CODE[2:]}.md",
        f"2022-01-27-{CODE}.md",
    ]
    assert found["feeds"] == ["sources/huaxiashibao.atom", "all.atom"]
    assert len(found["revisions"]) == 1
    assert found["published"] == "2022-01-27T14:14:24Z"
    assert "\n  published  2022-01-27 22:14 (" in built.run("show", name).out


def test_show_by_id_link_and_post(site: Site) -> None:
    site.configure(lambda text: text.replace("site:\n", "site:\n  permalink: pretty\n", 1))
    site.post("2022-01-27-hello.md", article("甲"))
    site.build()
    (entry,) = site.entries()
    names = [entry.id, entry.link, "2022-01-27-hello.md", "posts/2022-01-27-hello.md"]
    assert {site.run("show", name, "--json").json["title"] for name in names} == {"甲"}


def test_show_of_what_is_not_there(built: Site) -> None:
    result = built.run("show", "NW000000000000000000")
    assert result.code == 1
    assert "no article NW000000000000000000" in result.err


def test_show_tells_what_a_revision_changed(site: Site) -> None:
    code = "NW202201280000000001"
    paragraphs = [f"<p>第{number}段{'长' * 300}。</p>" for number in range(5)]
    path = site.post(f"2022-01-28-{code}.md", article("甲", "\n".join(paragraphs)))
    site.build()
    path.write_text(path.read_text("utf-8").replace("第3段", "第三段"), "utf-8")
    site.build()
    path.write_text(path.read_text("utf-8").replace('"甲"', '"乙"'), "utf-8")
    site.build()
    first, second, third = site.run("show", code, "--json").json["revisions"]
    assert first["changes"] == []
    assert [line[:4] for line in second["changes"]] == ["-第3段", "+第三段"]
    assert third["changes"] == ["-甲", "+乙"]
    short, whole = site.run("show", code).out, site.run("show", code, "-v").out
    assert "revisions (3)" in short
    assert max(map(len, short.splitlines())) < 300 < max(map(len, whole.splitlines()))
