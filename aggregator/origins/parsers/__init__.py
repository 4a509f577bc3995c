"""Documents of strangers, parsed in a confined child process."""
