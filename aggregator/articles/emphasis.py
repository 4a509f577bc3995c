"""Emphasis beside punctuation, as kramdown reads it.  Pure.

To CommonMark the stars of `**注意：**后文` open and close nothing, since punctuation is on one
side of them and a letter on the other: made for languages with spaces, that is wrong in Chinese.
"""

from __future__ import annotations

import re
import unicodedata

from aggregator.articles.kramdown import CODE_SPAN, FENCE

# A code span, which stays as it is, or text between marks, in one paragraph; none ever backtracks
# far.
_LINE_END = r"\n(?![ \t]*(?:[*+>|#-]|\d+[.)]))"
_SPAN = re.compile(
    rf"{CODE_SPAN}"
    rf"|(?<![*\\])\*\*(?![\s*])(?P<strong>(?:[^*\n`]|{_LINE_END}|\*(?!\*)|`[^`]++`){{1,500}}?)"
    r"(?<![\s*\\])\*\*(?!\*)"
    rf"|(?<![*\\])\*(?![\s*])(?P<em>(?:[^*\n`]|{_LINE_END}|`[^`]++`){{1,500}}?)(?<![\s*\\])\*(?!\*)"
    rf"|(?<![~\\])~~(?![\s~])(?P<del>(?:[^~\n`]|{_LINE_END}|`[^`]++`){{1,500}}?)(?<![\s~\\])~~(?!~)"
)
_CODE_SPAN = re.compile(CODE_SPAN)
# Other marks between a letter and punctuation; a single star only beside that of Chinese.
_OTHER_MARK = re.compile(
    r"\*(?!\*)(?<=[^\x00-\x7f\w\s*]\*)(?=[^\W_])|\*(?!\*)(?<=[^\W_]\*)(?=[^\x00-\x7f\w\s])|"
    r"~~(?<=[^\w\s~]~~)(?=[^\W_])|~~(?<=[^\W_]~~)(?=[^\w\s~])"
)
_CODE = "(pre|script|style|textarea)\\b"
_MAY_BE_CODE = re.compile(rf"```|~~~|<{_CODE}", re.IGNORECASE)
# Code in a list is indented twice.
_INDENTS = (("    ", "\t"), ("        ", "\t\t"))
_ITEM = re.compile(r"^ {0,3}(?:[*+-]|\d+[.)])[ \t]", re.MULTILINE)
_CODE_START = re.compile(rf"\s*(?:<(?!{_CODE})[^<>]*>\s*)*+<{_CODE}", re.IGNORECASE)


def with_emphasis(text: str) -> str:
    """Return Markdown with tags in place of the stars that CommonMark would leave.

    >>> with_emphasis("**注意：**后文，**强调**。 `**a：**b`")
    '<strong>注意：</strong>后文，**强调**。 `**a：**b`'
    """
    if not _is_suspect(text):
        return text
    closing = ""
    is_in_list = False
    blocks = text.split("\n\n")
    for number, block in enumerate(blocks):
        if block[:1] not in (" ", "\t", ""):
            is_in_list = _ITEM.search(block) is not None
        if closing or _MAY_BE_CODE.search(block):
            blocks[number], closing = _around_code(block, closing)
        elif ("*" in block or "~~" in block) and not block.startswith(_INDENTS[is_in_list]):
            blocks[number] = _with_tags(block)
    return "\n\n".join(blocks)


def _around_code(block: str, closing: str) -> tuple[str, str]:
    """Return a block with code in it, and what ends the code that is open after it.

    `closing` is what ends the code that was open before: a fence, or a tag.
    """
    parts: list[str] = []
    paragraph: list[str] = []
    for line in block.split("\n"):
        if closing:
            is_tag = closing.startswith("<")
            if closing in line.lower() if is_tag else line.lstrip().startswith(closing):
                closing = ""
        elif match := FENCE.match(line):
            closing = match[1]
        elif found := _CODE_START.match(line):
            tag = f"</{found[2].lower()}"
            closing = "" if tag in line.lower() else tag
        else:
            paragraph.append(line)
            continue
        if paragraph:
            parts.append(_with_tags("\n".join(paragraph)))
            paragraph.clear()
        parts.append(line)
    if paragraph:
        parts.append(_with_tags("\n".join(paragraph)))
    return "\n".join(parts), closing


def _with_tags(paragraph: str) -> str:
    """Return a paragraph with tags in place of such marks."""
    return _SPAN.sub(_marked, paragraph) if _is_suspect(paragraph) else paragraph


def _is_suspect(text: str) -> bool:
    """Return whether a mark may be between a letter and punctuation: in few texts one is.

    Reading all lines takes much longer.
    """
    end = 0
    while (place := text.find("**", end)) >= 0:
        end = text.find("\n\n", place)
        end = len(text) if end < 0 else end
        line = text[text.rfind("\n\n", 0, place) + 1 : end]
        if "`" in line:
            line = _CODE_SPAN.sub("`", line)
        before, *parts = line.split("**")
        for inner, after in zip(parts[::2], parts[1::2], strict=False):
            if inner and not _is_plain(before[-1:], inner, after[:1]):
                return True
            before = after
    return ("*" in text or "~~" in text) and _OTHER_MARK.search(text) is not None


def _is_plain(before: str, inner: str, after: str) -> bool:
    """Return whether CommonMark sees the marks around a text between two letters."""
    return not (
        (_is_letter(before) and _is_punctuation(inner[0]))
        or (_is_letter(after) and _is_punctuation(inner[-1]))
    )


def _marked(match: re.Match[str]) -> str:
    name = match.lastgroup
    if name is None:
        return match[0]
    inner, line = match[name], match.string
    before = line[match.start() - 1 : match.start()]
    after = line[match.end() : match.end() + 1]
    if _is_plain(before, inner, after):
        return match[0]
    # A single star between letters of the alphabet may be a multiplication.
    if name == "em" and (inner[0] + inner[-1]).isascii():
        return match[0]
    return f"<{name}>{inner}</{name}>"


def _is_punctuation(letter: str) -> bool:
    return unicodedata.category(letter)[0] in "PS"


def _is_letter(letter: str) -> bool:
    return bool(letter) and not letter.isspace() and not _is_punctuation(letter)
