"""Where copies of articles are read from."""
