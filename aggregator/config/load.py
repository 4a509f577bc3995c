"""config.yaml → `Settings`, and every error in it with its file, line and key."""

from __future__ import annotations

import difflib
import os
from collections.abc import Iterator, Mapping
from pathlib import Path

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo

from aggregator.config import opml, safe_yaml, templates
from aggregator.config.globs import reaches
from aggregator.config.paths import ENVIRONMENT_PREFIX, is_database
from aggregator.config.rules import unknown_origins
from aggregator.config.schema import Settings
from aggregator.model.errors import ConfigError, UnusableError
from aggregator.model.kinds import ORIGIN_KINDS

MAX_CONFIG_BYTES = 1_000_000
_INTERNAL = ("base", "order", opml.LISTS, opml.LEFT_OUT, "site.templates files")
# What a build writes that could be taken for posts, and where it writes.
PAGE = "index.html"
OUTPUT_FOLDERS = frozenset({"sources", "tags", "extra", "archives", "articles"})
_REASONS = {
    "missing": "is required",
    "string_too_short": "must not be empty",
    "string_type": "must be text",
    "int_type": "must be a number",
    "int_parsing": "must be a number",
    "bool_type": "must be true or false",
    "bool_parsing": "must be true or false",
    "tuple_type": "must be a list",
    "model_type": "must be a section of `key: value` lines",
    "model_attributes_type": "must be a section of `key: value` lines",
    "dict_type": "must be a section of `key: value` lines",
    "too_short": "must not be empty",
    "time_delta_type": "must be a duration like 30s, 5m or 48h",
    "greater_than_equal": "must be at least {ge:,}",
    "less_than_equal": "must be at most {le:,}",
    "greater_than": "must be more than {gt:,}",
    "literal_error": "must be {expected}",
}


def load_settings(path: Path, environment: Mapping[str, str] = os.environ) -> Settings:
    """Read and check the configuration at `path`.

    `environment` overrides single values: `AGGREGATOR_STORE`, `AGGREGATOR_FEEDS_URL`, and
    so on for every plain key.  Raises `ConfigError` with all errors, one a line.
    """
    try:
        with path.open("rb") as file:
            raw = file.read(MAX_CONFIG_BYTES + 1)
        text = raw.decode("utf-8-sig")
    except FileNotFoundError as error:
        raise ConfigError(f"{path}: no such file; `aggregator init` writes one") from error
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path}: not UTF-8 text (byte {error.start})") from error
    if len(raw) > MAX_CONFIG_BYTES:
        raise ConfigError(f"{path}: larger than {MAX_CONFIG_BYTES:,} bytes")
    try:
        document = safe_yaml.load(text)
    except UnusableError as error:
        raise ConfigError(f"{path}:{error.line or 1}: {error.reason}") from error
    values = document.value
    if not isinstance(values, dict):
        raise ConfigError(f"{path}:1: must be keys and values, such as site: and feeds:")
    if document.duplicates:
        first = document.duplicates[0]
        raise ConfigError(f"{path}:{document.lines[first]}: {_dotted(first)}: appears twice")
    for key in _INTERNAL:
        if key in values:
            raise ConfigError(f"{path}:{document.lines[(key,)]}: {key}: unknown key")
    overrides = _override(values, environment)
    base = path.resolve().parent
    try:
        values, lines = opml.with_lists(values, document.lines, base)
    except UnusableError as error:
        raise ConfigError(f"{path}:{error.line or 1}: subscriptions: {error.reason}") from error
    try:
        settings = Settings.model_validate({**values, "base": base, "order": _order(values)})
    except ValidationError as error:
        raise ConfigError(*_errors(error, path, lines, overrides)) from error
    other = "://" in settings.store and not settings.store.startswith("sqlite:///")
    if other and not is_database(settings.store):
        line = document.lines.get(("store",), 1)
        reason = "must be the path of an SQLite file, or start with postgresql://"
        raise ConfigError(f"{path}:{line}: store: {reason}")
    if settings.site.templates is not None:
        try:
            own = templates.read(settings.base / settings.site.templates)
        except UnusableError as error:
            place = _place(("site", "templates"), path, lines, overrides)
            raise ConfigError(f"{place}: site.templates: {error.reason}") from error
        settings = settings.model_copy(update={"templates": own})
    for reason in _overlapping_folders(settings):
        location = ("feeds", "directory")
        place = _place(location, path, document.lines, overrides)
        raise ConfigError(f"{place}: {_dotted(location)}: {reason}")
    for number, reason in unknown_origins(settings):
        place = _place(("rules", number, "origins"), path, lines, overrides)
        raise ConfigError(f"{place}: rules[{number}].origins: {reason}")
    return settings


def _overlapping_folders(settings: Settings) -> Iterator[str]:
    """Yield a reason for each posts folder that feeds would be written into, or read from."""
    if isinstance(settings.feeds_address, str):
        return
    feeds = settings.feeds_address.resolve()
    for posts in settings.posts:
        folder = (settings.base / posts.path).resolve()
        if feeds == folder:
            yield f"{folder} is also a posts folder: write the feeds into another one"
        elif feeds.is_relative_to(folder):
            page = (feeds / PAGE).relative_to(folder).as_posix()
            if posts.layout != "jekyll" and reaches(posts.glob, page):
                yield f"the posts glob {posts.glob} also matches the feeds' own pages: {page}"
        elif folder.is_relative_to(feeds):
            place = folder.relative_to(feeds).parts[0]
            if place in OUTPUT_FOLDERS:
                yield f"feeds are written into {place}/, which contains the posts folder {folder}"


def _order(values: Mapping[str, object]) -> tuple[str, ...]:
    """Return the sections of origins in the order of the file, missing ones at the end."""
    named = [key for key in values if key in ORIGIN_KINDS]
    return (*named, *(key for key in ORIGIN_KINDS if key not in named))


def overridable() -> dict[str, tuple[str, ...]]:
    """Return the environment variables that override a plain key, and the key of each."""
    names: dict[str, tuple[str, ...]] = {}

    def collect(model: type[BaseModel], path: tuple[str, ...]) -> None:
        for name, info in model.model_fields.items():
            key = (*path, info.alias or name)
            annotation = info.annotation
            if isinstance(annotation, type) and issubclass(annotation, BaseModel):
                collect(annotation, key)
            elif name not in _INTERNAL and not _is_collection(info.annotation):
                names[ENVIRONMENT_PREFIX + "_".join(key).upper()] = key

    collect(Settings, ())
    return names


def _is_collection(annotation: object) -> bool:
    return any(
        getattr(part, "__origin__", None) in (tuple, dict)
        for part in (annotation, *getattr(annotation, "__args__", ()))
    )


def _override(
    values: dict[str, safe_yaml.Value], environment: Mapping[str, str]
) -> dict[tuple[str | int, ...], str]:
    """Replace values of the file by those of the environment; return key → variable."""
    done: dict[tuple[str | int, ...], str] = {}
    if not any(name.startswith(ENVIRONMENT_PREFIX) for name in environment):
        return done
    for name, key in overridable().items():
        if name not in environment:
            continue
        section = values
        for part in key[:-1]:
            inner = section.setdefault(part, {})
            if not isinstance(inner, dict):
                break
            section = inner
        else:
            section[key[-1]] = environment[name]
            done[key] = name
    return done


def _errors(
    error: ValidationError,
    path: Path,
    lines: Mapping[safe_yaml.Path, int],
    overrides: Mapping[tuple[str | int, ...], str],
) -> list[str]:
    """Return a line for each error: file, line, key, what is wrong, what may be meant."""
    found: dict[tuple[object, ...], str] = {}
    items = error.errors(include_url=False)
    for item in items:
        location, kind = item["loc"], item["type"]
        if kind == "too_short" and any(_is_within(other["loc"], location) for other in items):
            continue  # its items are wrong, and have been left out
        message = item["msg"].removeprefix("Value error, ")
        reason = _REASONS.get(kind, message[0].lower() + message[1:])
        reason = reason.format(**item["ctx"]) if kind in _REASONS and "ctx" in item else reason
        if kind == "extra_forbidden":
            reason = "unknown key" + _suggestion(location)
        elif item["input"] is None and kind == "string_type":
            reason = "is empty: fill it in"
        elif kind in ("model_type", "model_attributes_type", "tuple_type"):
            reason += _example(location, kind, item["input"])
        place = _place(location, path, lines, overrides)
        if location[-1] == "[key]":
            location, reason = location[:-2], f'the name "{location[-2]}" {reason}'
        # The feeds of a list in OPML all have its error.
        found.setdefault((place, location[-1:], reason), f"{place}: {_dotted(location)}: {reason}")
    return list(found.values())


def _is_within(inner: tuple[str | int, ...], outer: tuple[str | int, ...]) -> bool:
    return len(inner) > len(outer) and inner[: len(outer)] == outer


def _example(location: tuple[str | int, ...], kind: str, value: object) -> str:
    """Return how to write a section, or a list of sections, that must have a key."""
    fields = _fields_at(location)
    key = next((key for key, field in fields.items() if field.is_required()), None)
    if key is None and kind == "tuple_type" and isinstance(value, str) and value:
        return f": write `{location[-1]}: [{value}]`"
    if key is None:
        return ""
    is_item = kind == "tuple_type" or isinstance(location[-1], int)
    given = value if isinstance(value, str) and value and is_item else "…"
    return f": write `{'- ' if is_item else ''}{key}: {given}`"


def _place(
    location: tuple[str | int, ...],
    path: Path,
    lines: Mapping[safe_yaml.Path, int],
    overrides: Mapping[tuple[str | int, ...], str],
) -> str:
    """Return the file and line of a key or of its section, or the variable that overrides it."""
    if location in overrides:
        return f"environment: {overrides[location]}"
    ends = range(len(location), 0, -1)
    line = next((lines[location[:end]] for end in ends if location[:end] in lines), 1)
    return f"{path}:{line}"


def _suggestion(location: tuple[str | int, ...]) -> str:
    """Return where an unknown key belongs, or the nearest known key."""
    known = sorted(_fields_at(location[:-1]))
    sections = [name for name in sorted(_fields_at(())) if location[-1] in _fields_at((name,))]
    if len(location) == 1 and sections:
        return f"; it belongs under {' or '.join(f'{name}:' for name in sections)}"
    nearest = difflib.get_close_matches(str(location[-1]), known, n=1, cutoff=0.5)
    if nearest:
        return f", did you mean {nearest[0]}?"
    return f"; known here: {', '.join(known)}" if known else ""


def _fields_at(location: tuple[str | int, ...]) -> dict[str, FieldInfo]:
    """Return the fields of the section at `location` by their keys; none where it is no section."""
    model: type[BaseModel] = Settings
    for part in location:
        if isinstance(part, int):
            continue
        field = next(
            (info for name, info in model.model_fields.items() if part in (name, info.alias)), None
        )
        if field is None:
            continue  # the free key of a mapping, such as a source's slug
        inner = _model_within(field.annotation)
        if inner is None:
            return {}
        model = inner
    return {
        info.alias or name: info
        for name, info in model.model_fields.items()
        if (info.alias or name) not in _INTERNAL
    }


def _model_within(annotation: object) -> type[BaseModel] | None:
    """Return the section class in an annotation, directly or in a list or mapping."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    for argument in getattr(annotation, "__args__", ()):
        found = _model_within(argument)
        if found is not None:
            return found
    return None


def _dotted(location: tuple[str | int, ...]) -> str:
    """Return `posts[0].glob` for `("posts", 0, "glob")`."""
    dotted = ""
    for part in location:
        dotted += f"[{part}]" if isinstance(part, int) else f".{part}" if dotted else part
    return dotted
