"""Jekyll posts in a folder."""
