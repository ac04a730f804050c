"""Wire formats that several connectors share: bytes in, records out. Pure functions, no I/O beyond the
guarded child.
"""
