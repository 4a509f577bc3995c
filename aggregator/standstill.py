"""The shortest way to find out that nothing changed (design §7).

After a run that left everything current, a small file beside the store says what that
was seen on: the configuration, every post's `stat`, every feed's and the store's.  While
all of it is as it was, and no held-back article is due, the next run would do nothing,
and need not load what it would do that with.  The file is a cache: any doubt, and it is
passed over; deleting it costs one full look.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from aggregator import __version__, safe_yaml
from aggregator.errors import AggregatorError, UnusableError
from aggregator.origins.scan import PostsDigest, list_posts

DEFAULT_STORE = "var/aggregator.db"
_MAX_BYTES = 50_000_000
_PREFIX = "AGGREGATOR_"


def stamp_path(store: Path) -> Path:
    """Where the stamp of a store is."""
    return store.with_name(store.name + ".current")


def check(config: Path, environment: Mapping[str, str] = os.environ) -> dict[str, Any] | None:
    """The summary of the last run if nothing has changed since, None in any doubt."""
    try:
        raw = config.read_bytes()
        values = safe_yaml.load(raw.decode("utf-8-sig")).value
        if not isinstance(values, dict):
            return None
        name = environment.get("AGGREGATOR_STORE") or values.get("store") or DEFAULT_STORE
        store = config.resolve().parent / str(name).removeprefix("sqlite:///")
        with stamp_path(store).open("rb") as file:
            stamp = json.loads(file.read(_MAX_BYTES))
        if (
            stamp["config"] != _config_digest(raw, environment)
            or (stamp["next_due"] is not None and stamp["next_due"] <= time.time())
            or any(_stat(path) != found for path, *found in stamp["files"])
            or any(os.stat(root).st_mtime_ns != changed for root, _, _, changed in stamp["posts"])
            or any(_posts_digest(root, glob) != digest for root, glob, digest, _ in stamp["posts"])
        ):
            return None
        summary = stamp["summary"]
        return summary if isinstance(summary, dict) else None
    except (OSError, ValueError, KeyError, TypeError, UnusableError, AggregatorError):
        return None  # no stamp, or one that can't be trusted: the full run finds out why


def note(
    config: Path,
    store: Path,
    posts: Iterable[tuple[str, str, str, int]],
    files: Iterable[str],
    next_due: float | None,
    summary: Mapping[str, Any],
    environment: Mapping[str, str] = os.environ,
) -> None:
    """Note that everything is current.

    `posts` are the folders, their globs, the digests of what was seen in them and when
    the folders themselves had changed before that (which tells of a new file at once),
    `files` all that was published, `next_due` is when a held-back article is due.
    """
    stamp = {
        "config": _config_digest(config.read_bytes(), environment),
        "next_due": next_due,
        "posts": list(posts),
        "files": [(path, *_stat(path)) for path in (*files, str(store))],
        "summary": dict(summary),
    }
    path = stamp_path(store)
    temporary = path.with_name(path.name + ".tmp")
    with contextlib.suppress(OSError):  # a cache that can't be written costs time only
        temporary.write_text(json.dumps(stamp), encoding="utf-8")
        temporary.replace(path)


def forget(store: Path) -> None:
    """Remove the stamp, before anything is changed."""
    with contextlib.suppress(OSError):
        stamp_path(store).unlink(missing_ok=True)


def _config_digest(raw: bytes, environment: Mapping[str, str]) -> str:
    ours = sorted(item for item in environment.items() if item[0].startswith(_PREFIX))
    return hashlib.blake2b(repr((__version__, raw, ours)).encode(), digest_size=16).hexdigest()


def _posts_digest(root: str, glob: str) -> str:
    """The digest that a poll of the folder would come to now."""
    digest = PostsDigest()
    for path in list_posts(Path(root), glob):
        digest.add(path, os.lstat(f"{root}/{path}"))
    return digest.value()


def _stat(path: str) -> list[int]:
    found = os.stat(path)
    return [found.st_size, found.st_mtime_ns, found.st_ino]
