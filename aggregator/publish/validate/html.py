"""Pages to read.  Pure."""

from __future__ import annotations

import lxml.html
from lxml.etree import LxmlError

from aggregator.publish.validate.report import Report

_POLICY = "default-src 'none'"


def check_page(data: bytes, report: Report) -> None:
    """Check a page: a title, a policy without scripts in the page, and the ids of its entries."""
    try:
        data.decode("utf-8")
        parser = lxml.html.HTMLParser(encoding="utf-8")
        document = lxml.html.document_fromstring(data, parser=parser)
    except (LxmlError, ValueError) as error:
        report.add(None, f"not HTML in UTF-8: {error}")
        return
    if not (document.findtext(".//title") or "").strip():
        report.add(None, "no title")
    policies = document.xpath("//meta[@http-equiv='Content-Security-Policy']/@content")
    if not any(policy.startswith(_POLICY) for policy in policies):
        report.add(None, f"no Content-Security-Policy that starts with {_POLICY}")
    for script in document.iter("script"):
        if script.get("src") is None:
            report.add(script.sourceline, "a script in the page")
    report.feed_id = next(iter(document.xpath("//link[@rel='canonical']/@href")), None)
    for entry in document.find_class("h-entry"):
        _entry(entry, report)
    report.check_unique("the id")


def _entry(entry: lxml.html.HtmlElement, report: Report) -> None:
    ids = [found.get("value", "") for found in entry.find_class("u-uid")]
    if not ids or not ids[0]:
        report.add(entry.sourceline, "an entry has no id")
        return
    titles = [found.text_content().strip() for found in entry.find_class("p-name")]
    links = [found.get("href", "") for found in entry.find_class("u-url")]
    report.entries.append((f"{''.join(links[:1])}\n{''.join(titles[:1])}", ids[0]))
    for content in entry.find_class("e-content"):
        html = "".join(
            lxml.html.tostring(part, encoding="unicode") for part in content.iterchildren()
        )
        report.check_html(content.sourceline, "the text", html)
