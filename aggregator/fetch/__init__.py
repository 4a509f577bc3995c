"""The only outgoing connection: polite, bounded, safe."""
