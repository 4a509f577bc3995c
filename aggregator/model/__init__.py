"""The nouns, as frozen values.

Also here, since everything uses them: errors, digests, packing, logs.  Every
`datetime` is aware and in UTC.  Values that travel between processes have no slots: those of
frozen dataclasses make pickling several times slower.
"""
