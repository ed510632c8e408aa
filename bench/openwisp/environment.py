"""The peer's own virtual environment, `.venv-bench/openwisp`: made once for each lock, from the package index."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
FOLDER = REPOSITORY / ".venv-bench" / "openwisp"
LOCK = Path(__file__).with_name("requirements.lock")
#: A copy of the lock that was installed, and the last thing to be written.
INSTALLED = FOLDER / "installed.lock"
PYTHON = FOLDER / "bin" / "python"


class PeerMissing(Exception):
    """The peer cannot be measured here; the text says why."""


def ready() -> Path:
    """Its Python, after all of the lock was installed. Raises PeerMissing."""
    if not (PYTHON.exists() and INSTALLED.exists() and INSTALLED.read_bytes() == LOCK.read_bytes()):
        uv = Path(sys.executable).with_name("uv")
        _run(uv, "venv", "--quiet", "--clear", "--python", sys.executable, FOLDER)
        _run(
            uv, "pip", "install", "--quiet", "--compile-bytecode", "--require-hashes", "--python", PYTHON,
            "--requirement", LOCK,
        )  # fmt: skip
        shutil.copyfile(LOCK, INSTALLED)
    return PYTHON


def _run(*command: str | Path) -> None:
    # An index that is out of reach is said so soon, unless the reader's own settings are more patient.
    environment = {"UV_HTTP_TIMEOUT": "15", "UV_HTTP_RETRIES": "1"} | os.environ
    try:
        subprocess.run(command, check=True, env=environment, capture_output=True, text=True)
    except FileNotFoundError:
        raise PeerMissing(f"{command[0]} is missing (make lock brings it)") from None
    except subprocess.CalledProcessError as error:
        raise PeerMissing(f"it could not be installed: {' '.join(error.stderr.split())[:400]}") from None
