"""One run of a site: lock, open or recover the store, poll, build."""
