"""An article: its identity, its dates, its sanitized text, the best of its copies.  Pure."""
