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
