"""Whether the kernel sees every change of a folder."""

import os
from pathlib import Path

import pytest

from aggregator.daemon.file_systems import is_local

LINE = "36 35 {device} / {point} rw,noatime master:1 - {kind} /dev/root rw\n"


def mounts(folder: Path, *mounted: tuple[Path, str], device: str = "") -> Path:
    """Write a table of mounts beside `folder`, whose device is that of all of them."""
    number = folder.stat().st_dev
    device = device or f"{os.major(number)}:{os.minor(number)}"
    path = folder.with_name("mountinfo")
    path.write_text(
        "".join(
            LINE.format(device=device, point=str(point).replace(" ", "\\040"), kind=kind)
            for point, kind in mounted
        )
    )
    return path


@pytest.mark.parametrize(
    ("kind", "expected"),
    [("ext4", True), ("tmpfs", True), ("nfs4", False), ("fuse.sshfs", False), ("9p", False)],
)
def test_the_kind_of_file_system_decides(tmp_path: Path, kind: str, expected: bool) -> None:
    folder = tmp_path / "posts"
    folder.mkdir()
    assert is_local(folder, mounts(folder, (tmp_path, kind))) == expected


def test_a_device_that_is_mounted_as_two_kinds_is_in_doubt(tmp_path: Path) -> None:
    folder = tmp_path / "posts"
    folder.mkdir()
    assert not is_local(folder, mounts(folder, (tmp_path, "ext4"), (tmp_path, "fuse.sshfs")))


def test_a_subvolume_is_known_by_its_path(tmp_path: Path) -> None:
    folder = tmp_path / "my posts"
    folder.mkdir()
    table = (Path("/"), "nfs"), (tmp_path, "btrfs"), (tmp_path / "my", "nfs")
    assert is_local(folder, mounts(folder, *table, device="0:0"))
    assert not is_local(folder, mounts(folder, *table, (folder, "nfs"), device="0:0"))


def test_in_doubt_it_is_not(tmp_path: Path) -> None:
    assert not is_local(tmp_path / "missing")
    assert not is_local(tmp_path, tmp_path / "missing")
    (tmp_path / "empty").touch()
    assert not is_local(tmp_path, tmp_path / "empty")


def test_the_table_of_this_machine_can_be_read() -> None:
    assert not is_local(Path("/proc"))
