"""From the store to published files: what differs is rendered and written."""
