"""What kramdown has beyond CommonMark → CommonMark.  Pure.

Attribute lists (`{: .class}`), `{:toc}`, extensions (`{::comment}`) and abbreviations leave the
text.  Addresses may have spaces.  Markdown in HTML with `markdown="1"`, after HTML, and beside an
image is Markdown; HTML that is indented within HTML is no code; formulas are no Markdown.  Code
stays as it is.
"""

from __future__ import annotations

import re

# Comments, which CommonMark keeps and the sanitizer removes.
TOC, NO_TOC = "<!--{:toc}-->", "<!--{:.no_toc}-->"
# A span of code, in which nothing is a mark; its first group is its fence.
CODE_SPAN = r"(?<!`)(`++)[^`]++\1(?!`)"
_ATTRIBUTES = re.compile(r"(?:\{:[^{}\n]*\}[ \t]*)+")
_INLINE_ATTRIBUTES = re.compile(CODE_SPAN + r"|(?<=[)*_`\]>])\{:[^{}\n]*\}")
# In a list, the fence is indented or right after the item's mark.
FENCE = re.compile(r" *(?:[*+-] +|\d+[.)] +)?(```++(?!.*`)|~~~+)")
_ITEM = re.compile(r"[ \t]*(?:[*+-]|\d+[.)])(?:[ \t]+|$)")
_HEADING = re.compile(r" {0,3}#{1,6}[ \t]")
_OWN_ID = re.compile(r"#([\w:.-]+)")
_ABBREVIATION = re.compile(r" {0,3}\*\[[^\[\]\n]+\]:")
_VERBATIM = re.compile(r"<(pre|script|style|textarea)\b", re.IGNORECASE)
_BLOCKS = (
    "div|table|section|article|aside|details|figure|center|main|header|footer|nav|ul|ol|dl|"
    "blockquote|form|fieldset"
)
_BLOCK = re.compile(rf"<(/?)(?:{_BLOCKS})\b", re.IGNORECASE)
_BLOCK_END = re.compile(rf"</(?:{_BLOCKS}|p|h[1-6])\s*>[ \t]*\Z", re.IGNORECASE)
# Alone on a line, such a tag would make HTML of the lines after it.
_SPAN_TAG = re.compile(
    r" {0,3}</?(?:a|abbr|b|br|button|cite|code|del|dfn|em|i|img|input|ins|kbd|label|mark|q|ruby|"
    r"samp|small|span|strong|sub|sup|time|tt|u|var)\b[^<>\n]*>[ \t]*",
    re.IGNORECASE,
)
_FORMULA = re.compile(CODE_SPAN + r"|(?<![\\$])\$\$([^$\n]+)\$\$(?!\$)")
_PUNCTUATION = re.compile(r"([!-/:-@\[-`{-~])")
_MARKDOWN_TAG = re.compile(
    r"""<([a-zA-Z][\w-]{0,30})((?:\s[^<>]*?)?)\smarkdown=["']?(?:1|block|span|true)["']?([^<>]*)>"""
)
# An address with spaces in it, and maybe a title.
_SPACED = re.compile(
    CODE_SPAN + r"""|\]\( *([^()\s<>"']+(?: +[^()\s<>"']+)+)((?: +"[^"\n]*"| +'[^'\n]*')?) *\)"""
)
_SPACE_HINT = re.compile(r"\]\( *[^()\s<>\"']+ +[^()\s<>\"']")
# Text right after a tag that ends its line.
_AFTER_TAG = re.compile(r">[ \t]*\n {0,3}[^\s<]")
_HINTS = ("{:", "markdown=", "*[", "$$")


def as_commonmark(text: str) -> str:
    """Return Markdown for kramdown as Markdown that CommonMark reads alike."""
    has_html = "<" in text and (
        "\n\n    " in text or "\n\n\t" in text or _AFTER_TAG.search(text) is not None
    )
    if has_html or any(hint in text for hint in _HINTS) or _SPACE_HINT.search(text):
        return "\n".join(_Lines().read(text))
    return text


class _Lines:
    """The lines that were read, and what the next one stands in."""

    def __init__(self) -> None:
        self._lines: list[str] = []
        # What ends the code, comment or verbatim element that is open, if any.
        self._end = ""
        self._is_code = False
        self._items: list[int] = []
        self._depth = 0
        # The elements with `markdown="1"` that are open: their names, and how many are nested.
        self._names: list[str] = []
        self._nested: list[int] = []
        self._formulas = 0

    def read(self, text: str) -> list[str]:
        """Return all lines as CommonMark has them."""
        lines = text.split("\n")
        self._formulas = sum(line.strip() == "$$" for line in lines) // 2
        for line, following in zip(lines, [*lines[1:], ""], strict=True):
            self._read(line, following)
        return self._lines

    def _read(self, line: str, following: str) -> None:
        stripped = line.strip()
        if stripped:
            self._is_code = self._starts_code(line) and (
                self._is_code or not (self._lines and self._lines[-1].strip())
            )
        if self._end:
            self._pass_to_end(line, stripped)
        elif match := FENCE.match(line):
            self._end = match[1]
            self._lines.append(line)
        elif stripped == "$$" and self._formulas and not self._is_code:
            self._end = "$$"
            self._formulas -= 1
            self._lines.append("\\\\[")
        elif stripped.startswith("{::comment"):
            self._end = "" if "{:/" in stripped or stripped.endswith("/}") else "{:/"
        elif "{:" in line and not self._is_code and _ATTRIBUTES.fullmatch(stripped):
            self._add_attributes(line, stripped)
        elif not (line.startswith((" ", "*")) and _ABBREVIATION.match(line)):
            self._read_text(line, stripped, following)

    def _starts_code(self, line: str) -> bool:
        """Return whether a line is indented as code, in the list that it stands in."""
        if "\t" in line[:40]:
            line = line[:40].expandtabs(4)
        indent = len(line) - len(line.lstrip())
        while self._items and indent < self._items[-1]:
            self._items.pop()
        is_code = indent >= 4 + (self._items[-1] if self._items else 0)
        if not is_code and (match := _ITEM.match(line)):
            self._items.append(match.end())
        return is_code

    def _pass_to_end(self, line: str, stripped: str) -> None:
        """Add a line of code as it is; leave out one of a comment."""
        if self._end == "{:/":
            if "{:/" in stripped:
                self._end = ""
            return
        if self._end == "$$":
            self._add_formula(stripped)
            return
        self._lines.append(line)
        if self._end.startswith("<"):
            if self._end in line.lower():
                self._end = ""
        elif stripped.startswith(self._end) and not stripped.strip(self._end[0]):
            self._end = ""

    def _add_formula(self, stripped: str) -> None:
        """Add a line of a formula, safe from Markdown, or the end of the formula."""
        if stripped == "$$":
            self._end = ""
            self._lines[-1] += "\\\\]"
        elif self._lines[-1] == "\\\\[":
            self._lines[-1] += _PUNCTUATION.sub(r"\\\1", stripped)
        else:
            self._lines.append(_PUNCTUATION.sub(r"\\\1", stripped))

    def _add_attributes(self, line: str, stripped: str) -> None:
        """Leave a list of attributes out, less what it says about the table of contents."""
        words = stripped.strip("{:} \t").split()
        last = self._lines[-1] if self._lines else ""
        if "toc" in words:
            while self._lines and self._lines[-1].strip():
                if _ITEM.match(self._lines.pop()):
                    break
            self._lines += ["", TOC, ""]
        elif _HEADING.match(last):
            own = _OWN_ID.search(stripped)
            if "no_toc" in stripped:
                self._lines[-1] = last = f"{last} {NO_TOC}"
            if own is not None and not last.rstrip().endswith("}"):
                self._lines[-1] = f"{last} {{#{own[1]}}}"
        elif not line.startswith((" ", "\t")):
            self._lines.append("")

    def _read_text(self, line: str, stripped: str, following: str) -> None:
        if not self._is_code:
            if "{:" in line:
                line = _INLINE_ATTRIBUTES.sub(lambda match: match[0] if match[1] else "", line)
            if "](" in line:
                line = _SPACED.sub(
                    lambda match: f"](<{match[2]}>{match[3]})" if match[2] else match[0], line
                )
            if "$$" in line:
                line = self._with_formulas(line, stripped)
        if "<" in line or self._depth or self._names:
            line = self._read_html(line, stripped)
            is_followed = following.strip() and not self._depth and not self._is_code
            if is_followed and _SPAN_TAG.fullmatch(line):
                line += "<!---->"
            elif is_followed and not self._end and _BLOCK_END.search(line):
                line += "\n"
        self._lines.append(line)

    def _with_formulas(self, line: str, stripped: str) -> str:
        """Return a line with formulas as Jekyll leaves them to a script, safe from Markdown."""
        is_alone = _FORMULA.fullmatch(stripped) and not (self._lines and self._lines[-1].strip())
        start, end = ("\\\\[", "\\\\]") if is_alone else ("\\\\(", "\\\\)")

        def formula(match: re.Match[str]) -> str:
            if match[2] is None:
                return match[0]
            return start + _PUNCTUATION.sub(r"\\\1", match[2].strip()) + end

        return _FORMULA.sub(formula, line)

    def _read_html(self, line: str, stripped: str) -> str:
        """Return a line of HTML, or within HTML, as CommonMark has it."""
        if self._is_code:
            if not self._depth or self._names:
                return line
            before = next((other for other in reversed(self._lines) if other.strip()), "")
            if not stripped.startswith("<") and not before.lstrip().startswith("<"):
                return line
            line, self._is_code = stripped, False
        is_html = self._depth > 0 or stripped.startswith("<")
        match = _VERBATIM.search(line) if is_html else None
        if match and f"</{match[1].lower()}" not in line.lower():
            self._end = f"</{match[1].lower()}"
        if "markdown=" in line:
            line = _MARKDOWN_TAG.sub(self._open, line)
        if self._names:
            line = self._closed(line)
        elif is_html:
            for close in _BLOCK.findall(line):
                self._depth = max(self._depth + (-1 if close else 1), 0)
        return line

    def _open(self, match: re.Match[str]) -> str:
        """Return a tag with `markdown="1"`, apart from what is within."""
        self._names.append(match[1].lower())
        self._nested.append(0)
        return f"\n\n<{match[1]}{match[2]}{match[3]}>\n\n"

    def _closed(self, line: str) -> str:
        """Return a line with the end tag of the innermost of those elements apart."""
        tags = rf"<(/?){self._names[-1]}\b[^<>]*>"
        for match in re.finditer(tags, line, re.IGNORECASE):
            self._nested[-1] += -1 if match[1] else 1
            if self._nested[-1] == 0:
                self._names.pop()
                self._nested.pop()
                return f"{line[: match.start()]}\n\n{match[0]}\n\n{line[match.end() :]}"
        return line
