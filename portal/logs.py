"""What is kept out of the log."""

import logging
import re

#: Providers call us at addresses that let them in.
CALLBACK = re.compile(r"(/callbacks/+[^/\s]+/+)[^/\s?]+", re.IGNORECASE)


class WithoutCallbackKeys(logging.Filter):
    """Django logs the path of each request that it refuses or fails; a callback's path holds its gateway's key."""

    def filter(self, record: logging.LogRecord) -> bool:
        line = record.getMessage()
        if CALLBACK.search(line):
            record.msg, record.args = CALLBACK.sub(r"\1…", line), ()
        return True
