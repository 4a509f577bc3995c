"""`systemd`: the units of the folder systemd/, filled in for this installation."""

from __future__ import annotations

import re
import sys
from pathlib import Path

UNITS = (
    "aggregator.service",
    "aggregator-build.service",
    "aggregator-build.timer",
    "aggregator-worker@.service",
    "sysusers.conf",
    "tmpfiles.conf",
)
# The paths that stand in the units.
_COMMAND = "/opt/aggregator/.venv/bin/aggregator"
_CONFIG = "/etc/aggregator/config.yaml"
_STATE = "/var/lib/aggregator"
_HOMES = ("/home", "/root", "/run/user")


def filled_unit(name: str, config: Path, user: str) -> str:
    """Return a unit with the paths of this installation and of the site of `config`.

    A service may write to the site's store and feeds, and read home folders only if the
    program or the site is in one.  Raises `ConfigError` if the configuration of a service
    cannot be used.
    """
    text = Path(__file__).with_name("units").joinpath(name).read_text(encoding="utf-8")
    if not name.endswith(".service"):
        return text
    import sysconfig

    from aggregator.config.load import load_settings

    settings = load_settings(config)
    base = settings.base.absolute()
    script = Path(sysconfig.get_path("scripts"), "aggregator")
    command = [str(script)] if script.is_file() else [sys.executable, "-m", "aggregator"]
    written = {(base / settings.store_path).parent}
    if isinstance(settings.feeds_address, Path):
        written.add(base / settings.feeds_address)
    read = [Path(command[0]), base, *(base / posts.path for posts in settings.posts), *written]
    lines = [f"ProtectHome={'read-only' if any(map(_is_in_a_home, read)) else 'yes'}"]
    # The minus: a folder that is missing is no error here, but one that the service explains.
    paths = [f"-{path}" for path in sorted(written) if not path.is_relative_to(_STATE)]
    if paths:
        lines.append(f"ReadWritePaths={' '.join(map(_quoted, paths))}")
    for old, new in (
        (_COMMAND, " ".join(map(_quoted, command))),
        (_CONFIG, _quoted(str(config.absolute()))),
        ("User=aggregator\n", f"User={_quoted(user)}\n"),
        ("ProtectHome=yes\n", "\n".join(lines) + "\n"),
    ):
        text = text.replace(old, new)
    return text


def _is_in_a_home(path: Path) -> bool:
    return any(path.is_relative_to(home) for home in _HOMES)


def _quoted(word: str) -> str:
    """Return a word as unit files take it (systemd.syntax(7))."""
    word = word.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%")
    return f'"{word}"' if re.search(r"[\s\"'\\;]", word) else word
