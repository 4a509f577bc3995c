"""A file with compiled templates: a run that writes few pages spends most of its time on them."""

from __future__ import annotations

import contextlib
import hashlib
import marshal
from pathlib import Path

from jinja2 import BytecodeCache
from jinja2.bccache import Bucket

from aggregator import __version__
from aggregator.model.atomic import replace_file

_MAX_BYTES = 10_000_000
# Every supported Python reads this version of the format.
_FORMAT = 4
_DIGEST_SIZE = hashlib.sha256().digest_size


class CompiledTemplates(BytecodeCache):
    """What Jinja2 compiled, in one file.

    The file is never needed: without it, or if it is damaged, templates are compiled again.
    """

    def __init__(self) -> None:
        self._file: Path | None = None
        self._known: dict[str, bytes] = {}

    def keep_in(self, file: Path) -> None:
        """Read the file, and write it whenever something new is compiled."""
        if file != self._file:
            self._file, self._known = file, _read(file)

    def load_bytecode(self, bucket: Bucket) -> None:
        """Load what is known of a template; Jinja2 checks that it is of the same text."""
        known = self._known.get(bucket.key)
        if known is not None:
            bucket.bytecode_from_string(known)

    def dump_bytecode(self, bucket: Bucket) -> None:
        """Save a compiled template."""
        self._known[bucket.key] = bucket.bytecode_to_string()
        if self._file is not None:
            _write(self._file, self._known)


def _read(file: Path) -> dict[str, bytes]:
    try:
        if not file.is_file():
            return {}  # it might be a pipe, from which nothing comes
        with file.open("rb") as opened:
            digest, data = opened.read(_DIGEST_SIZE), opened.read(_MAX_BYTES)
    except OSError:
        return {}
    # Python may crash when it reads damaged bytecode.
    if digest != _digest(data):
        return {}
    known: dict[str, bytes] = marshal.loads(data)  # noqa: S302
    return known


def _write(file: Path, known: dict[str, bytes]) -> None:
    data = marshal.dumps(known, _FORMAT)
    # Where the folder cannot be written, each run compiles them.
    with contextlib.suppress(OSError):
        replace_file(file, _digest(data) + data)


def _digest(data: bytes) -> bytes:
    return hashlib.sha256(f"{__version__}\n".encode() + data).digest()
