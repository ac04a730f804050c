"""Names that others choose, made short enough to be looked up by: a database refuses an index entry of some
2,700 bytes, and with it everything else in the transaction.
"""

from __future__ import annotations

from hashlib import blake2b

KEY_BYTES = 500
ADDRESS_LENGTH = 320
"""Characters of a mail address: 64 before the @ and 255 behind it (RFC 5321, 4.5.3.1). Longer ones are none."""

_HASH_BYTES = 10


def bounded(key: str) -> str:
    """`key`, at most `KEY_BYTES` bytes of UTF-8: of a longer one the beginning and a hash of the whole, so that two stay
    two.
    """
    raw = key.encode("utf-8", "surrogatepass")
    if len(raw) <= KEY_BYTES:
        return key
    tail = "~" + blake2b(raw, digest_size=_HASH_BYTES).hexdigest()
    return raw[: KEY_BYTES - len(tail)].decode("utf-8", "ignore") + tail
