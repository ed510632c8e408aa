"""What gunicorn logs: an access log without queries, whatever format it is given, and an error log without them too."""

from datetime import timedelta
from typing import Any
from urllib.parse import quote

from gunicorn.glogging import Logger

from portal.logs import SECRET, WithoutQueries, without_query

#: Headers that hold what lets somebody in, or addresses with queries. The environment holds all of them again.
UNSPOKEN = ("{authorization}i", "{cookie}i", "{x-api-key}i", "{referer}i", "{set-cookie}o", "{location}o")


class WithoutSecrets(Logger):  # type: ignore[misc]
    """Named in `portal.web`; a format on the command line gets no more out of it than the usual one."""

    def setup(self, cfg: Any) -> None:
        super().setup(cfg)
        self.error_log.addFilter(WithoutQueries())

    def atoms(self, resp: Any, req: Any, environ: Any, request_time: timedelta) -> dict[str, Any]:
        """What a format may name: `r` and `f` without their queries, `q` and `u` with nothing."""
        said: dict[str, Any] = super().atoms(resp, req, environ, request_time)
        path = SECRET.sub(r"\1…", quote(str(environ.get("PATH_INFO", "")), safe="/:@…"))
        # Of a Basic header; a key may stand there.
        said |= {"U": path, "q": "", "u": "-", "r": f"{said['m']} {path} {said['H']}"}
        said["f"] = without_query(str(said["f"]))
        for name in [*UNSPOKEN, *(name for name in said if name.endswith("}e"))]:
            said.pop(name, None)
        return said
