"""The same steps as jobs of procrastinate, for several machines with one store."""
