"""Markdown as Jekyll reads it."""

import pytest

from aggregator.articles.markdown import render_markdown


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("- [ ] a\n- [x] b\n", "<ul><li>☐ a</li><li>☑ b</li></ul>"),
        ("A\n: b\n", "<dl><dt>A</dt><dd>b</dd></dl>"),
        ("**注意：**后文", "<p><strong>注意：</strong>后文</p>"),
        ("a[^x]\n\n[^x]: n", '<a href="#fn:x">1</a>'),
        ("* T\n{:toc}\n\n# A *b*", '<ul><li><a href="#a-b">A <em>b</em></a></li></ul>'),
        ("~~a~~", "<del>a</del>"),
    ],
)
def test_what_readers_see(text: str, html: str) -> None:
    assert html in render_markdown(text).replace("\n", "")
