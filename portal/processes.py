"""`python -m portal.processes`: runs what the Procfile names, together; when one stops or a signal comes, all stop."""

import os
import signal
import sys
from pathlib import Path

from honcho import manager
from honcho.environ import parse_procfile

PROCFILE = Path(__file__).resolve().parent.parent / "Procfile"
#: Seconds for a worker to finish what it is handing over. Honcho's own 5 would cut it off.
PATIENCE = 20
#: What honcho calls the end by SIGINT and by SIGTERM.
TOLD_TO_STOP = (130, 143)


def main() -> int:
    """The exit code: that of the process that stopped by itself, or 0 when all were told to."""
    os.umask(0o077)
    manager.KILL_WAIT = PATIENCE
    together = manager.Manager()
    # As the shell's activate script does, so that the Procfile can name programs plainly.
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"
    environment = os.environ | {"PATH": path, "PYTHONUNBUFFERED": "1"}
    environment.pop("PORTAL_ADMIN_PASSWORD", None)
    for name, command in parse_procfile(PROCFILE.read_text()).processes.items():
        together.add_process(name, command, env=environment)
    # A closed terminal must not leave processes behind either.
    signal.signal(signal.SIGHUP, lambda *_: os.kill(os.getpid(), signal.SIGTERM))
    together.loop()
    # To be told to stop is no failure.
    return 0 if together.returncode in TOLD_TO_STOP else int(together.returncode)


if __name__ == "__main__":
    sys.exit(main())
