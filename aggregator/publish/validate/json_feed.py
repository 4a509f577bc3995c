"""JSON Feed 1.1.  Pure."""

from __future__ import annotations

import json
from typing import Any

from aggregator.model.nesting import check_json
from aggregator.publish.validate.report import Report

_VERSION = "https://jsonfeed.org/version/1.1"


def check_json_feed(data: bytes, report: Report) -> None:
    """Check JSON Feed 1.1: all that could stop a reader."""
    try:
        text = data.decode("utf-8")
        check_json(text)
        feed = json.loads(text)
    except ValueError as error:
        report.add(getattr(error, "lineno", None), f"not JSON: {error}")
        return
    if not isinstance(feed, dict):
        report.add(None, "not an object")
        return
    if feed.get("version") != _VERSION:
        report.add(None, f"version is not {_VERSION}")
    _text(feed, "title", report, "feed")
    for name in ("home_page_url", "feed_url"):
        report.check_address(None, name, str(feed.get(name, "")))
    report.feed_id = str(feed.get("feed_url", ""))
    items = feed.get("items")
    if not isinstance(items, list):
        report.add(None, "items is not a list")
        return
    for number, item in enumerate(items, 1):
        if isinstance(item, dict):
            _item(item, f"item {number}", report)
        else:
            report.add(None, f"item {number} is not an object")
    report.check_unique("the id")


def _item(item: dict[str, Any], name: str, report: Report) -> None:
    identifier = _text(item, "id", report, name)
    url = str(item.get("url", ""))
    for key in ("url", "external_url"):
        if key in item:
            report.check_address(None, f"{name}: {key}", str(item[key]))
    for key in ("date_published", "date_modified"):
        if key in item:
            report.check_timestamp(None, f"{name}: {key}", str(item[key]))
    html = item.get("content_html")
    if not isinstance(html, str) and not isinstance(item.get("content_text"), str):
        report.add(None, f"{name}: neither content_html nor content_text")
    if isinstance(html, str):
        report.check_html(None, f"{name}: content_html", html)
    for attachment in item.get("attachments", ()):
        if not isinstance(attachment, dict) or not {"url", "mime_type"} <= attachment.keys():
            report.add(None, f"{name}: an attachment needs url and mime_type")
    report.entries.append((f"{url}\n{item.get('title', '')}", identifier))


def _text(values: dict[str, Any], key: str, report: Report, name: str) -> str:
    value = values.get(key)
    if not isinstance(value, str) or not value:
        report.add(None, f"{name}: no {key}")
        return ""
    return value
