"""One-time codes that a provider made: kept as a digest only, and compared in constant time."""

from django.utils.crypto import constant_time_compare, salted_hmac


def digest(key: str, code: str) -> str:
    """What is kept of a code; `key` is its message's, so that equal codes do not look alike."""
    return salted_hmac(f"messaging.codes.{key}", code.strip(), algorithm="sha256").hexdigest()


def matches(key: str, kept: str, typed: str) -> bool:
    """Whether this is the code of which the digest is kept."""
    return bool(kept) and constant_time_compare(kept, digest(key, typed))
