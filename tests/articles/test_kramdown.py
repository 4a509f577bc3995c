"""What kramdown has beyond CommonMark."""

import pytest

from aggregator.articles.kramdown import as_commonmark
from aggregator.articles.sanitize import MARKDOWN, sanitize


def shown(text: str) -> str:
    return "".join(sanitize(text, MARKDOWN, "https://e.example/").split("\n"))


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("a *b*{:.red} c\n{: .x #y}", "<p>a <em>b</em> c</p>"),
        ("{: .x}\na\n{: .y}\nb", "<p>a</p><p>b</p>"),
        ("1. a\n   {: .x}\n2. b", "<ol><li>a</li><li>b</li></ol>"),
        ("[a](http://b.example/){:target='_blank'}", '<p><a href="http://b.example/">a</a></p>'),
        ("a\n\n{::comment}\nhidden\n\n*text*\n{:/comment}\n\nb", "<p>a</p><p>b</p>"),
        ("a\n{::options toc_levels='2' /}\nb", "<p>a</p><p>b</p>"),
        ("*[AB]: A to B\nAB", "<p>AB</p>"),
    ],
)
def test_marks_for_kramdown_vanish(text: str, html: str) -> None:
    assert shown(text) == html


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("`{: .x}` and `a`", "<p><code>{: .x}</code> and <code>a</code></p>"),
        ("```\n{: .x}\n*[a]: b\n$$\n```", "<pre><code>{: .x}*[a]: b$$</code></pre>"),
        ("    {: .x}", "<pre><code>{: .x}</code></pre>"),
        ("<pre>\n{: .x}\n\n{: .y}\n</pre>", "<pre>{: .x}{: .y}</pre>"),
        ("for $100 or $$200, {: or}", "<p>for $100 or $$200, {: or}</p>"),
        ("$$\nnot *closed*", "<p>$$not <em>closed</em></p>"),
    ],
)
def test_what_only_looks_like_them_stays(text: str, html: str) -> None:
    assert shown(text) == html


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ('<div markdown="1">\n*a*\n</div>', "<div><p><em>a</em></p></div>"),
        ("<div markdown=1>*a*</div> *b*", "<div><p><em>a</em></p></div><p><em>b</em></p>"),
        (
            '<div class="x" markdown="block">\n<div>*a*</div>\n\n*b*\n</div>\n*c*',
            "<div><div>*a*</div><p><em>b</em></p></div><p><em>c</em></p>",
        ),
        ('<div markdown="0">\n*a*\n</div>', "<div>*a*</div>"),
        ("<center>\na\n</center>\n*b*", "<center>a</center><p><em>b</em></p>"),
        ("<p>a</p>\n*b*", "<p>a</p><p><em>b</em></p>"),
        ("<br>\n*b*", "<p><br><em>b</em></p>"),
        (
            "<div>\n\n    <p>a</p>\n\n    b\n\n</div>",
            "<div><p>a</p><p>b</p></div>",
        ),
    ],
)
def test_markdown_in_and_after_html(text: str, html: str) -> None:
    assert shown(text) == html


def test_code_after_html_is_code() -> None:
    text = "<div>a</div>\n\n    <b>code</b>\n\n- item\n\n      <i>code</i>\n"
    assert shown(text).count("<pre><code>") == 2


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("a $$x*y*z$$ b", r"<p>a \(x*y*z\) b</p>"),
        ("$$ x_1*_2 $$", r"<p>\[x_1*_2\]</p>"),
        ("$$\nx*y*\n\\frac{a}{b}\n$$", r"<p>\[x*y*\frac{a}{b}\]</p>"),
        ("`$$x$$` is code", "<p><code>$$x$$</code> is code</p>"),
    ],
)
def test_formulas_are_no_markdown(text: str, html: str) -> None:
    assert shown(text) == html


def test_a_text_without_any_of_it_is_left_alone() -> None:
    text = "# A\n\n- b\n\n    c\n\n`<d>`"
    assert as_commonmark(text) == text


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("![a](/b c.png)", '<p><img src="https://e.example/b%20c.png" alt="a"></p>'),
        ("[a](/b c 'd e')", '<p><a href="https://e.example/b%20c" title="d e">a</a></p>'),
        ("`[a](/b c)`", "<p><code>[a](/b c)</code></p>"),
        ("[a](b)(c d)", '<p><a href="https://e.example/b">a</a>(c d)</p>'),
        ('[a](/b "c d")', '<p><a href="https://e.example/b" title="c d">a</a></p>'),
    ],
)
def test_addresses_may_have_spaces(text: str, html: str) -> None:
    assert shown(text) == html
