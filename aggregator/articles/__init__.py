"""An article: its identity, its dates, its clean text, the best of its copies.  Pure."""
