"""Parsers of strangers' documents: feeds and pages in a confined child process, JSON here."""
