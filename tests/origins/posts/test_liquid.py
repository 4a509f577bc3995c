"""Templates from people who wish us ill: nothing is spent without end, nothing raises."""

import resource
import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aggregator.model.errors import UnusableError
from aggregator.origins.posts import liquid

SITE, PAGE = {"url": "https://e.example"}, {"title": "Titel", "tags": ["a", "b"]}
BOMBS = {
    "parentheses": "{{ " + "(" * 5000 + "1" + ")" * 5000 + " }}",
    "brackets": "{{ a" + "[a" * 3000 + "]" * 3000 + " }}",
    "and": "{% if " + "a and " * 20_000 + "a %}x{% endif %}",
    "filters": "{{ 'a'" + " | append: 'b'" * 20_000 + " }}",
    "doubling": "{% assign a = 'xxxxxxxxxx' %}" + "{% assign a = a | append: a %}" * 40 + "{{ a }}",
    "numbers": "{{ 9 " + "| times: 999999999999 " * 5000 + "}}",
    "replace": "{{ 'aaaaaaaaaaaaaaaaaaaa' " + "| replace: 'a', 'aaaaaaaaaa' " * 9 + "}}",
    "range": "{{ (1..99999999) | join: ',' }}{{ (1..99999999) | sort | size }}",
    "loop": "{% for i in (1..99999999) %}x{% endfor %}",
    "loops": "{% for i in (1..1000) %}{% for j in (1..1000) %}x{% endfor %}{% endfor %}",
    "rows": "{% tablerow i in (1..99999999) %}x{% endtablerow %}",
    "blocks": "{% if a %}" * 900 + "{% endif %}" * 900,
    "open": "{{ " * 20_000,
    "raw": "{% raw %}" * 5000,
    "capture": "{% capture a %}" * 200,
    "long": "{{ a }}" + "x" * 400_000,
}
RUN = """
import sys
from aggregator.origins.posts import liquid
from aggregator.model.errors import UnusableError
try:
    print(len(liquid.render(sys.stdin.read(), {}, {})[0]))
except UnusableError as error:
    print(error)
"""


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_ends_soon_and_small(name: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", RUN],
        input=BOMBS[name],
        capture_output=True,
        text=True,
        timeout=10,
        check=False,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (1 << 30, 1 << 30)),
    )
    assert done.returncode == 0, done.stderr[-500:]


@settings(deadline=None)
@given(
    st.lists(
        st.one_of(
            st.text(max_size=8),
            st.sampled_from(
                [
                    "{{",
                    "}}",
                    "{%",
                    "%}",
                    "{%-",
                    "-%}",
                    "if",
                    "else",
                    "endif",
                    "for",
                    "endfor",
                    "in",
                    "raw",
                    "endraw",
                    "assign",
                    "=",
                    "|",
                    ":",
                    ",",
                    "'",
                    '"',
                    "page.title",
                    "site.url",
                    "(1..3)",
                    "[0]",
                    "append:",
                    "split:",
                    "replace:",
                    "size",
                    "date:",
                    "unknown",
                    "and",
                    "or",
                    "==",
                    "contains",
                    "highlight",
                    "endhighlight",
                    "post_url",
                    "include",
                    "case",
                    "when",
                    "endcase",
                ]
            ),
        ),
        max_size=20,
    ).map(" ".join)
)
def test_any_template_is_rendered_or_refused(text: str) -> None:
    try:
        found, notes = liquid.render(text, SITE, PAGE)
    except UnusableError:
        return
    assert isinstance(found, str)
    assert all(isinstance(note, str) for note in notes)


JEKYLL = {
    "{{ 'a b' | uri_escape }}": "a%20b",
    "{{ 'a,b;c?' | cgi_escape }}": "a%2Cb%3Bc%3F",
    "{{ '2021-03-09 10:00:00 +0800' | date_to_string }}": "09 Mar 2021",
    "{{ '2021-03-09' | date_to_long_string }}": "09 March 2021",
    "{{ 'b,a,c' | split: ',' | sort | reverse | join: '-' }}": "c-b-a",
    "{{ page.tags | array_to_sentence_string }}": "a and b",
    "{{ page.tags | jsonify }}": '["a", "b"]',
    "{{ 'Die Börse & Co.' | slugify }}": "die-börse-co",
    "{{ '你好 hello world' | number_of_words: 'auto' }}": "4",
    "{{ '/a/index.html' | strip_index | relative_url }}": "/a/",
    "{{ 'x' | absolute_url }}": "https://e.example/x",
    "{{ 7 | times: 6 | divided_by: 2 }}": "21",
    "{{ page.tags | uniq | size }}{{ site.posts | where: 'a', 'b' | sort: 'c' }}": "2",
    "{{ site.posts | where_exp: 'p', 'p.a' | group_by: 'c' }}": "",
}


@pytest.mark.parametrize("template", JEKYLL)
def test_the_filters_of_liquid_and_of_jekyll_are_known(template: str) -> None:
    assert liquid.render(template, SITE, PAGE) == (JEKYLL[template], [])


@pytest.mark.parametrize(
    "template",
    [
        "{% assign a = 'x' | split: '' %}" + "{% assign a = a | concat: a %}" * 40 + "{{ a }}",
        "{% assign a = 'xxxxxxxxxx' %}" + "{% assign a = a | append: a %}" * 16
        + "{% assign b = a | split: '' %}{{ b | join: a }}",
        "{{ 9 " + "| times: 999999999999 " * 5000 + "}}",
    ],
)  # fmt: skip
def test_filters_of_lists_and_numbers_have_limits(template: str) -> None:
    try:
        found, _ = liquid.render(template, SITE, PAGE)
    except UnusableError:
        return
    assert len(found) < 1000
