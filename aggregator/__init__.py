"""Keeps every article of a folder of posts once, and publishes feeds of them."""

__version__ = "0.2.0"
