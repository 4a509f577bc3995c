"""The files of a posts folder: their places, their states and their bytes, read safely."""

from __future__ import annotations

import errno
import fcntl
import hashlib
import os
import re
import secrets
import stat
import time
from pathlib import Path

from aggregator.model.errors import UnusableError

# Never follow a link, never wait for the other end of a pipe.
_OPEN = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
# A file younger than this when it was read may have been half-written, and is read again.
QUIET_SECONDS = 2
# Python has the byte N of a name that is not UTF-8 as the character 0xDC00 + N (PEP 383).
_FIRST_BYTE = 0xDC00
# Of digests, whose sum does not depend on the order.
_BYTES = 16
_MODULUS = 2 ** (8 * _BYTES)
# The backslash of an escape, what a terminal would obey, and bytes that are not UTF-8.
_ESCAPED = re.compile(r"[\\\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


def location(path: str) -> str:
    """Return a path as it is stored and shown: printable text, different for every path.

    Bytes that are not UTF-8, control characters and backslashes are escaped.  All other
    names are their own location.
    """
    if path.isascii():
        # Nearly every name, and each of them in every scan of the folder.
        if path.isprintable() and "\\" not in path:
            return path
    else:
        # The bytes count: what they read as must not depend on the locale.
        path = os.fsencode(path).decode("utf-8", "surrogateescape")
    return _ESCAPED.sub(_escape, path)


def _escape(match: re.Match[str]) -> str:
    character = match[0]
    number = ord(character)
    if character == "\\":
        return "\\\\"
    if number >= _FIRST_BYTE:
        return f"\\x{number - _FIRST_BYTE:02x}"
    return f"\\x{number:02x}" if number < 0x80 else f"\\u{number:04x}"


def changed_at(root: Path) -> int:
    """Return when the list of a folder's files last changed, in nanoseconds; 0 if unknown."""
    try:
        return root.stat().st_mtime_ns
    except OSError:
        return 0


class PostsDigest:
    """A digest of the `stat` results of every post of a folder, in whatever order they come."""

    def __init__(self) -> None:
        self._sum = 0
        self._is_certain = True

    def add(self, path: str, found: os.stat_result) -> None:
        """Add a post.  What a link leads to may change unseen: then nothing is certain."""
        if stat.S_ISLNK(found.st_mode):
            self._is_certain = False
        state = f"{found.st_size} {found.st_mtime_ns} {found.st_ctime_ns} {found.st_ino} {path}"
        data = state.encode("utf-8", "surrogateescape")
        self._sum += int.from_bytes(hashlib.blake2b(data, digest_size=_BYTES).digest(), "big")

    def value(self) -> str:
        """Return the digest; where nothing is certain, one that no other equals."""
        return f"{self._sum % _MODULUS:x}" if self._is_certain else secrets.token_hex(_BYTES)


def file_stat(root: str, path: str, digest: PostsDigest) -> os.stat_result | None:
    """Return the `stat` result of a post, and add it to `digest`; None if it is gone.

    A link is followed only if it stays within the folder.  Raises `UnusableError` for
    anything but a regular file, so that reading never waits.
    """
    full = f"{root}/{path}"
    try:
        found = os.lstat(full)
        digest.add(path, found)
        if stat.S_ISREG(found.st_mode):
            return found
        if stat.S_ISLNK(found.st_mode):
            found = os.stat(_inside(root, full))
    except FileNotFoundError as error:
        if os.path.islink(full):
            raise UnusableError("a link to a file that does not exist") from error
        return None
    except OSError as error:
        raise UnusableError(_reason(error)) from error
    if not stat.S_ISREG(found.st_mode):
        kind = {stat.S_IFIFO: "a pipe", stat.S_IFSOCK: "a socket", stat.S_IFDIR: "a folder"}.get(
            stat.S_IFMT(found.st_mode), "a device"
        )
        raise UnusableError(f"{kind}, not a file")
    return found


def is_being_written(path: str, found: os.stat_result) -> bool:
    """Return whether somebody may still be writing a file that changed a moment ago.

    The kernel grants a read lease on a file only if nobody has it open for writing, and
    none on files of other users.  A file of theirs is left until it is quiet, unless it
    was renamed into place after it was written.
    """
    if not 0 <= time.time() - found.st_mtime < QUIET_SECONDS:
        return False
    try:
        descriptor = os.open(path, _OPEN)
    except OSError:
        return False  # reading it will report why
    try:
        fcntl.fcntl(descriptor, fcntl.F_SETLEASE, fcntl.F_RDLCK)
        fcntl.fcntl(descriptor, fcntl.F_SETLEASE, fcntl.F_UNLCK)
    except BlockingIOError:
        return True
    except OSError:
        return found.st_ctime_ns <= found.st_mtime_ns
    finally:
        os.close(descriptor)
    return False


def read_file(root: str, path: str, limit: int) -> bytes | None:
    """Return the bytes of a post; None if it is gone.

    Raises `UnusableError` if it cannot be read, is larger than `limit` bytes, or is no
    longer a file of this folder.
    """
    full = f"{root}/{path}"
    try:
        try:
            descriptor = os.open(full, _OPEN)
        except OSError as error:
            if error.errno != errno.ELOOP:
                raise
            descriptor = os.open(_inside(root, full), _OPEN)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise UnusableError(_reason(error)) from error
    try:
        found = os.fstat(descriptor)
        if "/" in path:
            _check_place(root, full, descriptor)
        if not stat.S_ISREG(found.st_mode):
            raise UnusableError("was replaced by something that is not a file while it was read")
        data = b""
        while max(len(data), found.st_size) <= limit:
            piece = os.read(descriptor, min(found.st_size + 1, limit + 1 - len(data)))
            if not piece:
                return data
            data += piece
        raise UnusableError(f"larger than {limit:,} bytes (posts: max_bytes)")
    except OSError as error:
        raise UnusableError(_reason(error)) from error
    finally:
        os.close(descriptor)


def _check_place(root: str, path: str, descriptor: int) -> None:
    """Raise `UnusableError` if an open file is not below `root`: a folder may be a link."""
    try:
        place = os.readlink(f"/proc/self/fd/{descriptor}")
    except OSError:
        place = os.path.realpath(path)  # a system without that folder
    if not place.startswith(os.path.realpath(root).rstrip("/") + "/"):
        raise UnusableError("a link to something outside the posts folder")


def _inside(root: str, link: str) -> str:
    """Return the target of a link.  Raises `UnusableError` if it is not within the folder."""
    real_root = os.path.realpath(root)
    try:
        target = os.path.realpath(link, strict=True)
    except OSError as error:
        if error.errno == errno.ENOENT:
            raise
        raise UnusableError(_reason(error)) from error
    if not target.startswith(real_root.rstrip("/") + "/"):
        raise UnusableError("a link to something outside the posts folder")
    return target


def _reason(error: OSError) -> str:
    if error.errno == errno.ELOOP:
        return "a loop of links, or a link that was put there while the file was read"
    return f"cannot be read: {error.strerror}"
