"""What `aggregator init` writes."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

from aggregator.errors import AggregatorError


def write_starter(directory: Path) -> list[Path]:
    """Write config.yaml and posts/ into `directory`; return what was made.

    Raises `AggregatorError` rather than touch a configuration that is there.
    """
    config = directory / "config.yaml"
    posts = directory / "posts"
    text = files("aggregator").joinpath("starter.yaml").read_text(encoding="utf-8")
    try:
        directory.mkdir(parents=True, exist_ok=True)
        with config.open("x", encoding="utf-8") as file:
            file.write(text)
        posts.mkdir(exist_ok=True)
    except FileExistsError as error:
        raise AggregatorError(f"{config}: there is one already; it was left alone") from error
    except OSError as error:
        raise AggregatorError(f"{directory}: cannot be written: {error.strerror}") from error
    return [config, posts]
