"""Liquid as Jekyll posts use it, rendered so that no raw braces reach a feed.

Pure.  Site and page variables are filled in and Jekyll's own tags are known; what is
unknown is dropped, and named in the notes.  Everything that a template could use without
end has a limit.
"""

from __future__ import annotations

import functools
import html
import re
from collections.abc import Callable, Mapping
from io import StringIO
from typing import TextIO

import liquid
from liquid import ast
from liquid.exceptions import LiquidError, ResourceLimitError
from liquid.parser import get_parser
from liquid.tag import Tag
from liquid.token import TOKEN_EOF, TOKEN_EXPRESSION, TOKEN_TAG

from aggregator.model.errors import UnusableError
from aggregator.origins.posts.liquid_filters import guarded, jekyll_filters

MARKERS = ("{{", "{%")
MAX_OUTPUT = 5_000_000
# The lexer searches to the end of the text for every tag that is not closed.
MAX_TEMPLATE = 300_000
MAX_MARKERS = 2_000
# Liquid's own filters that are known; each is limited.
_FILTERS = frozenset({
    "abs", "append", "at_least", "at_most", "capitalize", "ceil", "compact", "concat", "date",
    "default", "divided_by", "downcase", "escape", "escape_once", "find", "find_index", "first",
    "floor", "has", "join", "last", "lstrip", "map", "minus", "modulo", "newline_to_br", "plus",
    "prepend", "reject", "remove", "remove_first", "remove_last", "replace", "replace_first",
    "replace_last", "reverse", "round", "rstrip", "size", "slice", "sort", "sort_natural", "split",
    "strip", "strip_html", "strip_newlines", "sum", "times", "truncate", "truncatewords", "uniq",
    "upcase", "url_decode", "url_encode", "where",
})  # fmt: skip
_EXPRESSION = re.compile(r"\{[{%]((?:(?![%}]\}).){1,2000})", re.DOTALL)
_FILTER = re.compile(r"\|\s*([A-Za-z_]\w{0,40})")
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")
_LANGUAGE = re.compile(r"[\w+#.-]{1,30}")
_LEFT_OVER = re.compile(r"\{%.*?%\}|\{\{.*?\}\}|\{%|%\}|\{\{|\}\}", re.DOTALL)

Page = Mapping[str, object]


def render(
    text: str, site: Page, page: Page, address: Callable[[str], str] = lambda name: f"/{name}"
) -> tuple[str, list[str]]:
    """Return `text` with its Liquid rendered, and a note for each thing that was dropped.

    `address` returns the path of another post or page of the site by its name.

    Raises `UnusableError` for a template that exceeds a limit.
    """
    if len(text) > MAX_TEMPLATE or sum(map(text.count, MARKERS)) > MAX_MARKERS:
        raise UnusableError(
            f"Liquid: more than {MAX_MARKERS:,} tags, or a text of more than {MAX_TEMPLATE:,} "
            "characters"
        )
    environment = _environment()
    notes = [
        f"Liquid: the filter {name} is unknown and changed nothing"
        for expression in _EXPRESSION.findall(text)
        for name in _FILTER.findall(expression)
        if name not in environment.filters
    ]
    environment.notes, environment.address = notes, address
    environment.site = site
    try:
        template = environment.from_string(text)
        return template.render(site=site, page=page), sorted(set(notes))
    except ResourceLimitError as error:
        raise UnusableError(f"Liquid: {_first_line(error)}") from error
    except (LiquidError, ValueError, TypeError, LookupError, ArithmeticError, RecursionError) as e:
        notes.append(f"Liquid that cannot be parsed was dropped: {_first_line(e)}")
        return _LEFT_OVER.sub("", text), sorted(set(notes))


class _Environment(liquid.Environment):
    loop_iteration_limit = 20_000
    output_stream_limit = MAX_OUTPUT
    local_namespace_limit = 1_000_000

    def __init__(self) -> None:
        super().__init__(tolerance=liquid.Mode.LAX, strict_filters=False)
        self.notes: list[str] = []
        self.address: Callable[[str], str] = str
        self.site: Page = {}

    def error(
        self,
        exc: type[LiquidError] | LiquidError,
        msg: str | None = None,
        token: liquid.Token | None = None,
    ) -> None:
        """Note an unknown tag and go on; raise anything else."""
        error = exc if isinstance(exc, LiquidError) else exc(msg or "not valid", token=token)
        at = error.token or token
        tag = at.value if at is not None and at.kind == TOKEN_TAG else ""
        if not tag or tag in self.tags:
            raise error
        if not tag.startswith("end"):
            self.notes.append(f"Liquid: {{% {tag[:40]} %}} is unknown and was dropped")


class _Text(ast.Node):
    """A piece of finished text."""

    def __init__(self, token: liquid.Token, text: str) -> None:
        super().__init__(token)
        self.text = text

    def render_to_output(self, context: liquid.RenderContext, buffer: TextIO) -> int:
        return buffer.write(self.text)


class _Code(ast.Node):
    """A highlighted block, whose body is code and not markup."""

    def __init__(self, token: liquid.Token, language: str, block: ast.BlockNode) -> None:
        super().__init__(token)
        self.language = language
        self.block = block

    def render_to_output(self, context: liquid.RenderContext, buffer: TextIO) -> int:
        body = StringIO()
        self.block.render(context, body)
        code = html.escape(body.getvalue().strip("\n"), quote=False)
        kind = f' class="language-{self.language}"' if self.language else ""
        return buffer.write(f"\n<pre><code{kind}>{code}</code></pre>\n")


class _Highlight(Tag):
    name = "highlight"
    end = "endhighlight"

    def parse(self, stream: liquid.TokenStream) -> ast.Node:
        token = stream.current
        words = _expression(stream).split()
        next(stream)
        language = words[0] if words and _LANGUAGE.fullmatch(words[0]) else ""
        block = get_parser(self.env).parse_block(stream, frozenset(("endhighlight", TOKEN_EOF)))
        stream.expect(TOKEN_TAG, value="endhighlight")
        return _Code(token, language, block)


class _Address(Tag):
    """`post_url` and `link`: the URL of another post or page of the site."""

    block = False

    def parse(self, stream: liquid.TokenStream) -> ast.Node:
        token = stream.current
        name = _expression(stream).strip()
        return _Text(token, self.env.address(name))  # type: ignore[attr-defined]


class _Dropped(Tag):
    """A tag that needs files of the site: it is dropped with a note."""

    block = False

    def parse(self, stream: liquid.TokenStream) -> ast.Node:
        token = stream.current
        _expression(stream)
        self.env.notes.append(  # type: ignore[attr-defined]
            f"Liquid: {{% {token.value} %}} needs the site's own files and was dropped"
        )
        return _Text(token, "")


def _expression(stream: liquid.TokenStream) -> str:
    """Return the words after a tag's name; the stream is then at the tag's last token."""
    if stream.peek.kind != TOKEN_EXPRESSION:
        return ""
    next(stream)
    return str(stream.current.value)


def _relative_url(site: Page, value: object) -> str:
    """Return a path below the site's own; a whole URL stays as it is."""
    text = str(value)
    if _SCHEME.match(text):
        return text
    return f"{site.get('baseurl', '')}{'/' if text else ''}{text.removeprefix('/')}"


def _absolute_url(site: Page, value: object) -> str:
    """Return the whole URL of a path of the site."""
    text = _relative_url(site, value)
    return text if _SCHEME.match(text) else f"{site.get('url', '')}{text}"


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or ["not valid"])[0]


@functools.lru_cache(maxsize=1)
def _environment() -> _Environment:
    environment = _Environment()
    known = {name: function for name, function in environment.filters.items() if name in _FILTERS}
    environment.filters.clear()
    for name, function in known.items():
        environment.add_filter(name, guarded(name, function))
    environment.add_tag(_Highlight)
    for name in ("post_url", "link"):
        environment.add_tag(type(f"_Address_{name}", (_Address,), {"name": name}))
    for name in ("include", "include_relative", "render"):
        environment.add_tag(type(f"_Dropped_{name}", (_Dropped,), {"name": name}))
    environment.add_filter("relative_url", lambda value: _relative_url(environment.site, value))
    environment.add_filter("absolute_url", lambda value: _absolute_url(environment.site, value))
    for name, function in jekyll_filters().items():
        environment.add_filter(name, guarded(name, function))
    return environment
