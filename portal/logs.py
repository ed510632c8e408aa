"""What is kept out of the log."""

import logging
import re

#: Providers call us at addresses that let them in; and so do the links in messages to guests and to sponsors.
SECRET = re.compile(r"(/callbacks/+[^/\s]+/+|/guest/+approve/+|(?:^|(?<=\s))/+[rx]/+)[^/\s?&]+", re.IGNORECASE)


class WithoutCallbackKeys(logging.Filter):
    """Django logs the path of each request that it refuses or fails; some paths hold what lets somebody in."""

    def filter(self, record: logging.LogRecord) -> bool:
        line = record.getMessage()
        if SECRET.search(line):
            record.msg, record.args = SECRET.sub(r"\1…", line), ()
        return True
