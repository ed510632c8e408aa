"""What it costs to guess a password whose hash was stolen. A process of its own: in this one hashes are cheap."""

import subprocess
import sys

HASH = """
import django
django.setup()
from django.contrib.auth.hashers import make_password
print(make_password("correct horse battery staple"))
"""


def test_passwords_are_hashed_as_slowly_as_owasp_wants_at_least() -> None:
    made = subprocess.run([sys.executable, "-c", HASH], capture_output=True, text=True, check=True).stdout
    assert made.startswith("argon2$argon2id$v=19$m=19456,t=2,p=1$")
