"""Markdown as Jekyll reads it → HTML.  Pure.

CommonMark's renderer is fast and never fails; what kramdown, which Jekyll uses, has beyond it is
brought into a form that CommonMark has.
"""

from __future__ import annotations

import re

from aggregator.articles import kramdown, toc
from aggregator.articles.emphasis import with_emphasis

# Feed readers show no forms.
_CHECKBOX = re.compile(r'<input disabled="" type="checkbox"( checked="")?/>\n?')
_NOTE = re.compile(r'(<sup class="footnote-reference"><a href="#)')


def render_markdown(text: str, *, with_all_emphasis: bool = True) -> str:
    """Return the HTML of a text, with tables, footnotes, task and definition lists.

    HTML in the text is kept.  Links to footnotes lead to where Jekyll has them.  To find all
    emphasis takes as long as all the rest.
    """
    import pyromark

    options = (
        pyromark.Options.ENABLE_TABLES
        | pyromark.Options.ENABLE_FOOTNOTES
        | pyromark.Options.ENABLE_STRIKETHROUGH
        | pyromark.Options.ENABLE_HEADING_ATTRIBUTES
        | pyromark.Options.ENABLE_TASKLISTS
        | pyromark.Options.ENABLE_DEFINITION_LIST
    )
    text = kramdown.as_commonmark(text)
    if with_all_emphasis:
        text = with_emphasis(text)
    html = str(pyromark.html(text, options=options))
    if 'type="checkbox"' in html:
        html = _CHECKBOX.sub(lambda match: "☑ " if match[1] else "☐ ", html)
    if "footnote-reference" in html:
        html = _NOTE.sub(r"\1fn:", html)
    if kramdown.TOC in html:
        html = toc.with_toc(html)
    return html
