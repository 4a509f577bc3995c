"""Skip a run when nothing has changed since the last one.

After a run that left everything current, a small file beside the store, the stamp, describes
the program, the configuration, every post, every published file and the store.  While all of
them are the same, and no scheduled article is due, the next run would do nothing, and ends
before it loads the database and the renderer.  Paths are those of the configuration, so that a
copy of the site is compared with the copy, and inodes distinguish it from the original.  The
stamp is a cache: it is ignored in any doubt, and may be deleted.
"""

from __future__ import annotations

import contextlib
import json
import os
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from aggregator import __version__
from aggregator.config import safe_yaml, templates
from aggregator.config.globs import Layout
from aggregator.config.paths import DEFAULT_STORE, ENVIRONMENT_PREFIX, is_database, store_file
from aggregator.model.atomic import remove_quietly, replace_file
from aggregator.model.digests import digest_of
from aggregator.model.errors import AggregatorError, StoreError, UnusableError
from aggregator.origins.posts.listing import walk
from aggregator.origins.posts.scan import PostsDigest
from aggregator.store import write_token

_MAX_BYTES = 50_000_000


def stamp_path(store: Path) -> Path:
    """Return the path of the stamp of a store."""
    return store.with_name(store.name + ".current")


def check(config: Path, environment: Mapping[str, str] = os.environ) -> dict[str, Any] | None:
    """Return the summary of the last run if nothing has changed since, or None in any doubt."""
    try:
        raw = config.read_bytes()
        values = safe_yaml.load(raw.decode("utf-8-sig")).value
        if not isinstance(values, dict):
            return None
        name = environment.get(f"{ENVIRONMENT_PREFIX}STORE") or values.get("store") or DEFAULT_STORE
        store = store_file(config.resolve().parent, str(name))
        with stamp_path(store).open("rb") as file:
            stamp = json.loads(file.read(_MAX_BYTES))
        base = config.resolve().parent
        feeds = base / stamp["feeds"]
        posts = [(str(base / path), *rest) for path, *rest in stamp["posts"]]
        if (
            stamp["config"] != _config_digest(raw, environment)
            or (stamp["next_due"] is not None and stamp["next_due"] <= time.time())
            or any(_stat(f"{feeds}/{path}") != found for path, *found in stamp["files"])
            or any(os.stat(root).st_mtime_ns != changed for root, *_, changed in posts)
            or any(_posts_digest(*place) != digest for *place, digest, _ in posts)
            or [(path, *_stat(base / path)) for path in _templates(base, stamp["templates"])]
            != [tuple(found) for found in stamp["template_files"]]
            or stamp["store"] != _state(str(name) if is_database(str(name)) else store)
        ):
            return None
        summary = stamp["summary"]
        return summary if isinstance(summary, dict) else None
    except (OSError, ValueError, KeyError, TypeError, UnusableError, AggregatorError):
        return None  # no stamp, or an unreadable one: the full run says why


def note(
    config: Path,
    store: Path,
    address: Path | str,
    posts: Iterable[tuple[str, str, str, str, int]],
    feeds: str,
    files: Iterable[str],
    own_templates: str | None,
    next_due: float | None,
    summary: Mapping[str, Any],
    environment: Mapping[str, str] = os.environ,
) -> None:
    """Write the stamp beside `store`: everything is current, and the store at `address`.

    `posts` are the folders, their globs and layouts, digests of what was seen in them, and
    when the folders themselves had changed before that, which shows a new file at once.
    `files` are all that is published in the folder `feeds`, `own_templates` is the folder of the
    owner's templates, and `next_due` is when a scheduled article is due.  Folders are those of
    the configuration.
    """
    base = config.resolve().parent
    root = base / feeds
    # A cache that cannot be written costs time only.
    with contextlib.suppress(OSError, StoreError):
        stamp = {
            "config": _config_digest(config.read_bytes(), environment),
            "next_due": next_due,
            "posts": list(posts),
            "feeds": feeds,
            "files": [(name, *_stat(f"{root}/{name}")) for name in files],
            "templates": own_templates,
            "template_files": [
                (path, *_stat(base / path)) for path in _templates(base, own_templates)
            ],
            "store": _state(address),
            "summary": dict(summary),
        }
        # Nothing else may be there of a store in a database.
        store.parent.mkdir(parents=True, exist_ok=True)
        replace_file(stamp_path(store), json.dumps(stamp).encode())


def forget(store: Path) -> None:
    """Remove the stamp before anything is changed."""
    remove_quietly(stamp_path(store))


def _config_digest(raw: bytes, environment: Mapping[str, str]) -> str:
    ours = sorted(item for item in environment.items() if item[0].startswith(ENVIRONMENT_PREFIX))
    return digest_of((__version__, _program(), raw, ours)).hex()


def _program() -> list[tuple[str, int, int]]:
    """Describe the program's own files: a checkout changes them but not the version."""
    found = []
    folders = [os.path.dirname(os.path.dirname(__file__))]
    while folders:
        with os.scandir(folders.pop()) as entries:
            for entry in entries:
                if entry.is_dir():
                    if entry.name != "__pycache__":
                        folders.append(entry.path)
                else:
                    status = entry.stat()
                    found.append((entry.name, status.st_size, status.st_mtime_ns))
    return sorted(found)


def _posts_digest(root: str, glob: str, layout: Layout) -> str:
    """Return the digest that a poll of the folder would come to now."""
    collector, _ = walk(Path(root), glob, layout, _Collector)
    return collector.digest.value()


class _Collector:
    """Adds each post that is found to a digest."""

    def __init__(self) -> None:
        self.digest = PostsDigest()

    def add(self, path: str, entry: os.DirEntry[str]) -> None:
        self.digest.add(path, entry.stat(follow_symlinks=False))


def _templates(base: Path, folder: str | None) -> list[str]:
    """Return the paths of the owner's templates from `base`, and that of their folder."""
    if folder is None:
        return []
    return [os.path.relpath(path, base) for path in templates.files(base / folder)]


def _state(address: Path | str) -> list[int] | str:
    """Return what changes whenever something is written to the store at an address."""
    return _stat(address) if isinstance(address, Path) else write_token.current(address)


def _stat(path: str | Path) -> list[int]:
    found = os.stat(path)
    return [found.st_size, found.st_mtime_ns, found.st_ino]
