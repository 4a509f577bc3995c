"""One poll of posts folders or of the upstream, into the store."""
