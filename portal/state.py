"""The state folder (`var/` unless PORTAL_VAR moves it): database, broker files and keys, for their owner only.

A folder that cannot be used stops nothing here; checks.py says what is wrong with it.
"""

import os
import secrets
from contextlib import suppress
from pathlib import Path

OWNER_ONLY = 0o700
FOR_OTHERS = 0o077


def prepare(folder: Path) -> None:
    """Makes the folder and its rooms; files made by this process from now on are readable by their owner only."""
    os.umask(FOR_OTHERS)
    for room in (folder, folder / "keys", folder / "static", broker_folder(folder)):
        with suppress(OSError):
            room.mkdir(mode=OWNER_ONLY, parents=True, exist_ok=True)


def broker_folder(folder: Path) -> Path:
    """Where the broker without a server keeps its tasks."""
    return folder / "broker"


def kept_key(folder: Path, name: str) -> str:
    """A random key that is made once and kept in `keys/`; processes that start together agree on one.

    Empty where the folder cannot be used.
    """
    path = folder / "keys" / name
    try:
        if not path.exists():
            _keep_new_key(path)
        return path.read_text().strip()
    except (OSError, ValueError):
        return ""


def _keep_new_key(path: Path) -> None:
    draft = path.with_suffix(f".{os.getpid()}.draft")
    draft.write_text(secrets.token_urlsafe(48))
    try:
        # A hard link appears whole or not at all, and the first process wins.
        os.link(draft, path)
    except FileExistsError:
        pass
    finally:
        draft.unlink()
