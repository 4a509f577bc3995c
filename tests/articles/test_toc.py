"""A table of contents."""

from aggregator.articles.kramdown import NO_TOC, TOC
from aggregator.articles.toc import MAX_HEADINGS, with_toc


def test_headings_are_nested_by_their_levels() -> None:
    html = f"{TOC}<h2>A</h2><h4>B</h4><h3>C</h3><h2>A</h2><h1>D</h1>"
    assert with_toc(html).partition("<h2>")[0] == (
        '<ul><li><a href="#a">A</a><ul><li><a href="#b">B</a></li><li><a href="#c">C</a></li></ul>'
        '</li><li><a href="#a-1">A</a></li><li><a href="#d">D</a></li></ul>'
    )


def test_links_in_headings_go_and_marked_headings_are_left_out() -> None:
    html = f'{TOC}<h2 id="own">A <a href="x">b</a> &amp; c</h2><h2>No {NO_TOC}</h2>'
    assert with_toc(html).partition("<h2")[0] == (
        '<ul><li><a href="#own">A b &amp; c</a></li></ul>'
    )


def test_without_headings_there_is_none_and_never_two() -> None:
    assert with_toc(f"<p>a</p>{TOC}") == "<p>a</p>"
    assert with_toc(f"{TOC}{TOC}<h1>A</h1>").count("<ul>") == 1
    assert with_toc(TOC + "<h1>A</h1>" * 2 * MAX_HEADINGS).count("<li>") == MAX_HEADINGS
