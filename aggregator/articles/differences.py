"""Two texts of an article → what a correction changed, for people.  Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from difflib import SequenceMatcher
from itertools import groupby, islice

from aggregator.articles.sanitize import plain_text
from aggregator.model.pages import Piece

# Texts of many equal parts take time by the cube of their number: so many paragraphs are
# compared, clauses of one, words of a clause, and pairs of clauses in all.
MAX_PARAGRAPHS, MAX_CLAUSES, MAX_WORDS, MAX_PAIRS = 150, 100, 100, 60
Parts = Sequence[str]
# So many differing paragraphs are shown.
MAX_SHOWN = 30
# A word, or a character of a script without spaces between words.
_WORD = re.compile(r"[A-Za-z0-9\u00c0-\u024f\u0400-\u04ff]+|\s+|.", re.DOTALL)
_CLAUSE = re.compile(r"[^。！？；，、,.;!?]*[。！？；，、,.;!?]*\s*", re.DOTALL)
_BLOCK = re.compile(
    r"</?(?:p|div|li|h[1-6]|tr|blockquote|pre|ul|ol|table|figure|section|article|br|hr)\b[^<>]*>"
)


def differences(old: str, new: str) -> tuple[tuple[tuple[Piece, ...], ...], bool]:
    """Return the paragraphs of sanitized HTML that differ, as pieces, and whether some are cut.

    >>> differences("<p>one two</p><p>same</p>", "<p>one three</p><p>same</p>")[0]
    ((Piece(kind='same', text='one '), Piece(kind='removed', text='two'), Piece(kind='added', \
text='three')),)
    """
    before, after = _paragraphs(old), _paragraphs(new)
    is_cut = max(len(before), len(after)) > MAX_PARAGRAPHS
    before, after = before[:MAX_PARAGRAPHS], after[:MAX_PARAGRAPHS]
    changed = (
        pieces for removed, added in _replaced(before, after) for pieces in _changed(removed, added)
    )
    found = tuple(islice(changed, MAX_SHOWN + 1))
    return found[:MAX_SHOWN], is_cut or len(found) > MAX_SHOWN


def _replaced(old: Parts, new: Parts) -> Iterator[tuple[Parts, Parts]]:
    """Yield the parts that stand in place of others, each with those."""
    for kind, first, last, start, end in _operations(old, new):
        if kind != "equal":
            yield old[first:last], new[start:end]


def _operations(old: Parts, new: Parts) -> list[tuple[str, int, int, int, int]]:
    return list(SequenceMatcher(None, old, new, autojunk=False).get_opcodes())


def _changed(before: Parts, after: Parts) -> Iterator[tuple[Piece, ...]]:
    """Yield the pieces of paragraphs that stand in place of others."""
    shared = min(len(before), len(after))
    for old, new in zip(before, after, strict=False):
        yield tuple(_joined(_pieces(old, new)))
    for old in before[shared:]:
        yield (Piece("removed", old),)
    for new in after[shared:]:
        yield (Piece("added", new),)


def _pieces(old: str, new: str) -> Iterator[Piece]:
    """Yield what differs in a paragraph: clauses, and within those words."""
    before, after = _clauses(old), _clauses(new)
    pairs = 0
    for kind, first, last, start, end in _operations(before, after):
        removed, added = "".join(before[first:last]), "".join(after[start:end])
        if kind == "equal":
            yield Piece("same", removed)
            continue
        words = _WORD.findall(removed), _WORD.findall(added)
        if max(map(len, words)) > MAX_WORDS or pairs >= MAX_PAIRS:
            yield from _pair(removed, added)
            continue
        pairs += 1
        for how, i, j, k, m in _operations(*words):
            one, other = "".join(words[0][i:j]), "".join(words[1][k:m])
            if how == "equal":
                yield Piece("same", one)
            else:
                yield from _pair(one, other)


def _pair(removed: str, added: str) -> Iterator[Piece]:
    if removed:
        yield Piece("removed", removed)
    if added:
        yield Piece("added", added)


def _joined(pieces: Iterable[Piece]) -> Iterator[Piece]:
    """Join neighbours of the same kind."""
    for kind, some in groupby(pieces, lambda piece: piece.kind):
        yield Piece(kind, "".join(piece.text for piece in some))


def _clauses(text: str) -> list[str]:
    """Return the clauses of a paragraph; a long one's rest is one clause."""
    found = [clause for clause in _CLAUSE.findall(text) if clause]
    return [*found[:MAX_CLAUSES], *filter(None, ["".join(found[MAX_CLAUSES:])])]


def _paragraphs(html: str) -> list[str]:
    texts = (plain_text(part) for part in _BLOCK.split(html))
    return [text for text in texts if text]
