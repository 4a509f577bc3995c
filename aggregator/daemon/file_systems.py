"""Whether the kernel sees every change of a folder, from `/proc/self/mountinfo` (proc(5))."""

from __future__ import annotations

import os
from pathlib import Path

MOUNTS = Path("/proc/self/mountinfo")
# On others, such as network mounts, other machines make changes without events here.
LOCAL = frozenset({
    "bcachefs", "btrfs", "exfat", "ext2", "ext3", "ext4", "f2fs", "jfs", "nilfs2", "ntfs3",
    "overlay", "ramfs", "reiserfs", "tmpfs", "ubifs", "vfat", "xfs", "zfs",
})  # fmt: skip


def is_local(folder: Path, mounts: Path = MOUNTS) -> bool:
    """Return whether a folder is on a local file system; False in doubt."""
    try:
        number = folder.stat().st_dev
        lines = mounts.read_text("utf-8", "surrogateescape").splitlines()
    except OSError:
        return False
    device = f"{os.major(number)}:{os.minor(number)}"
    kinds = {_kind(line) for line in lines if line.split(" ", 3)[2:3] == [device]}
    if kinds:
        return kinds <= LOCAL
    # A subvolume of Btrfs has a device of its own, and only the mount of its path says more.
    path = os.path.realpath(folder)
    above = [line for line in lines if _is_above(_point(line), path)]
    return bool(above) and _kind(max(above, key=lambda line: len(_point(line)))) in LOCAL


def _kind(line: str) -> str:
    """Return the type of the file system of a mount."""
    return line.partition(" - ")[2].partition(" ")[0]


def _point(line: str) -> str:
    """Return where a mount is; spaces in it are escaped."""
    return line.split(" ")[4].replace("\\040", " ")


def _is_above(point: str, path: str) -> bool:
    return path == point or path.startswith(point.rstrip("/") + "/")
