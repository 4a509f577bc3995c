"""The owner's own templates: the files of a folder, with limits."""

from __future__ import annotations

import re
import stat
from pathlib import Path

from aggregator.model.errors import UnusableError

MAX_BYTES, MAX_FILES = 500_000, 100
# Of templates, and of what pages refer to.
SUFFIXES = frozenset({".html", ".css", ".js", ".svg"})
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,79}")


def read(folder: Path) -> dict[str, str]:
    """Return the texts of the templates in a folder, by name; other files are left alone.

    Raises `UnusableError` if the folder or one of them cannot be read.
    """
    try:
        paths = sorted(path for path in folder.iterdir() if _is_template(path))
    except OSError as error:
        raise UnusableError(f"{folder}: cannot be read: {error.strerror}") from error
    if len(paths) > MAX_FILES:
        raise UnusableError(f"{folder}: holds more than {MAX_FILES} templates")
    return {path.name: _text(path) for path in paths}


def files(folder: Path) -> list[Path]:
    """Return the folder and its templates: if none of them changes, no template does."""
    return [folder, *sorted(path for path in folder.iterdir() if _is_template(path))]


def _is_template(path: Path) -> bool:
    return path.suffix in SUFFIXES and _NAME.fullmatch(path.name) is not None


def _text(path: Path) -> str:
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            raise UnusableError(f"{path}: is not a file")
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
        if len(data) > MAX_BYTES:
            raise UnusableError(f"{path}: is larger than {MAX_BYTES:,} bytes")
        return data.decode("utf-8-sig")
    except OSError as error:
        raise UnusableError(f"{path}: cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise UnusableError(f"{path}: is not UTF-8 text (byte {error.start})") from error
