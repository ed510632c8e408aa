"""What is kept out of the log."""

import logging
import re

#: Providers call us at addresses that let them in, and sponsors answer at addresses that let guests in.
SECRET_PATH = re.compile(r"((?:/callbacks/+[^/\s]+|/guest/+approve)/+)[^/\s?&]+", re.IGNORECASE)


class WithoutSecretPaths(logging.Filter):
    """Django logs the path of each request that it refuses or fails; the path of some holds a secret."""

    def filter(self, record: logging.LogRecord) -> bool:
        line = record.getMessage()
        if SECRET_PATH.search(line):
            record.msg, record.args = SECRET_PATH.sub(r"\1…", line), ()
        return True
