"""Documents of strangers: feeds and pages in a confined child process, JSON here."""
