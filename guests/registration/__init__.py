"""How a guest registers: from a phone, over its code, to being let in. Knows no HTTP.

`process` is the whole of it, read from the top. `codes` has the code and its judgement, `wrong_codes` what a guest
reads then, `tokens` by what a browser and a link are known, `repeats` forms that are sent twice, `showing` the password
that is shown once.
"""

from guests.registration.process import TRIES, News, Started, confirm, news, resend, resume, start

__all__ = ["TRIES", "News", "Started", "confirm", "news", "resend", "resume", "start"]
