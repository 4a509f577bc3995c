"""`aggregator systemd`: the units of the folder systemd/, for this installation and site."""

import shutil
import subprocess
from pathlib import Path

import pytest
from conftest import COMMAND, Site

from aggregator.cli.systemd import UNITS

ROOT = Path(__file__).parents[2]
SERVICES = [unit for unit in UNITS if unit.endswith(".service")]


@pytest.mark.parametrize("unit", SERVICES)
def test_a_service_has_the_paths_of_this_installation_and_site(site: Site, unit: str) -> None:
    site.configure(lambda text: text + "store: /var/lib/aggregator/aggregator.db\n")
    text = site.run("systemd", unit, "--user", "web").out
    assert f"{COMMAND} " in text
    assert f" --config {site.config}{' --roles %I' if '@' in unit else ''}\n" in text
    assert f"\nReadWritePaths=-{site.feeds}\n" in text
    assert "\nUser=web\n" in text
    assert "/opt/aggregator" not in text
    assert "/etc/aggregator/config.yaml" not in text


def test_a_path_is_quoted(make_site) -> None:
    site = make_site('a 100% "site"')
    text = site.run("systemd").out
    path = str(site.root).replace("%", "%%").replace('"', '\\"')
    assert f' --config "{path}/config.yaml"\n' in text
    assert f'\nReadWritePaths="-{path}/feeds" "-{path}/var"\n' in text


@pytest.mark.sqlite
@pytest.mark.parametrize(("store", "feeds"), [("/srv/a.db", "/srv"), ("/home/a/a.db", "/home/a")])
def test_a_site_in_a_home_folder_can_be_read(site: Site, store: str, feeds: str) -> None:
    site.configure(
        lambda text: (
            text.replace("directory: feeds", f"directory: {feeds}/feeds") + f"store: {store}\n"
        )
    )
    text = site.run("systemd").out
    assert f"\nReadWritePaths=-{feeds} -{feeds}/feeds\n" in text
    in_home = any(str(path).startswith(("/home", "/root")) for path in (COMMAND, feeds))
    assert f"\nProtectHome={'read-only' if in_home else 'yes'}\n" in text


def test_a_service_is_not_made_from_a_broken_configuration(site: Site) -> None:
    site.configure(lambda text: text.replace("title:", "titel:"))
    result = site.run("systemd")
    assert (result.code, result.out) == (2, "")
    assert "config.yaml:2" in result.err


@pytest.mark.parametrize("unit", [name for name in UNITS if not name.endswith(".conf")])
def test_systemd_accepts_it(site: Site, tmp_path: Path, unit: str) -> None:
    if shutil.which("systemd-analyze") is None:
        pytest.skip("no systemd-analyze here")
    for name in (unit, "aggregator-build.service"):  # a timer needs its service
        text = site.run("systemd", name, "--user", "root").out
        (tmp_path / name).write_text(text, "utf-8")
    done = subprocess.run(
        ["systemd-analyze", "verify", tmp_path / unit], capture_output=True, text=True, check=False
    )
    said = [line for line in done.stderr.splitlines() if str(tmp_path) in line or unit in line]
    assert (done.returncode, said) == (0, [])


def test_every_unit_can_be_printed(site: Site) -> None:
    assert sorted(UNITS) == sorted(path.name for path in (ROOT / "systemd").iterdir())
    for unit in UNITS:
        if not unit.endswith(".service"):
            assert site.run("systemd", unit).out == (ROOT / "systemd" / unit).read_text("utf-8")
