"""The state folder (`var/` unless PORTAL_VAR moves it): database, broker files and keys, for their owner only."""

import os
import secrets
from pathlib import Path

OWNER_ONLY = 0o700


def prepare(folder: Path) -> None:
    """Makes the folder and its rooms; files made by this process from now on are readable by their owner only."""
    os.umask(0o077)
    for room in (folder, folder / "keys", *broker_folders(folder).values()):
        room.mkdir(mode=OWNER_ONLY, parents=True, exist_ok=True)


def broker_folders(folder: Path) -> dict[str, Path]:
    """Where the broker without a server keeps its files, under Kombu's own option names."""
    broker = folder / "broker"
    return {
        "data_folder_in": broker / "queue",
        "data_folder_out": broker / "queue",
        "processed_folder": broker / "processed",
        "control_folder": broker / "control",
    }


def kept_key(folder: Path, name: str) -> str:
    """A random key that is made once and kept in `keys/`; processes that start together agree on one."""
    path = folder / "keys" / name
    if not path.exists():
        draft = path.with_suffix(f".{os.getpid()}.draft")
        draft.write_text(secrets.token_urlsafe(48))
        try:
            # A hard link appears whole or not at all, and the first process wins.
            os.link(draft, path)
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    return path.read_text().strip()
