"""What gunicorn logs: an access log without queries, whatever format it is given, and an error log without them too."""

from datetime import timedelta
from typing import Any
from urllib.parse import quote

from gunicorn.glogging import Logger

from portal.logs import SECRET, WithoutQueries, without_query

#: The headers that a format may name. In others there is what lets somebody in, or an address with its query, which
#: proxies put there; and the environment holds all of them again.
SPOKEN = frozenset(
    {"{accept}i", "{accept-language}i", "{content-length}i", "{content-type}i", "{host}i", "{user-agent}i"}
    | {"{x-forwarded-for}i", "{x-forwarded-proto}i", "{x-real-ip}i", "{x-request-id}i"}
    | {"{content-language}o", "{content-length}o", "{content-type}o", "{retry-after}o"}
)


class WithoutSecrets(Logger):  # type: ignore[misc]
    """Named in `portal.web`; a format on the command line gets no more out of it than the usual one."""

    def setup(self, cfg: Any) -> None:
        super().setup(cfg)
        self.error_log.addFilter(WithoutQueries())

    def atoms(self, resp: Any, req: Any, environ: Any, request_time: timedelta) -> dict[str, Any]:
        """What a format may name: `r` and `f` without their queries, `q` and `u` with nothing, few headers."""
        said: dict[str, Any] = super().atoms(resp, req, environ, request_time)
        path = SECRET.sub(r"\1…", quote(str(environ.get("PATH_INFO", "")), safe="/:@…"))
        # Of a Basic header; a key may stand there.
        said |= {"U": path, "q": "", "u": "-", "r": f"{said['m']} {path} {said['H']}"}
        said["f"] = without_query(str(said["f"]))
        return {name: value for name, value in said.items() if name in SPOKEN or not name.startswith("{")}
