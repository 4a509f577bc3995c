"""Feeds as bytes, and bytes as files."""
