"""Gets a file over HTTP: whole and not too large, or not at all."""

from __future__ import annotations

import http.client
import time
from urllib.error import HTTPError
from urllib.parse import urlsplit
from urllib.request import HTTPRedirectHandler, Request, build_opener

from agents.recognizer.errors import ModelError

MAX_BYTES = 50_000_000
IN_ALL_S = 600.0  # also for one that sends a byte now and then
SCHEMES = ("https", "http")
_PART_BYTES = 65_536


class NotThere(ModelError):
    """The server has nothing at this address."""


def download(address: str, timeout_s: float) -> bytes:
    """What is at an address of SCHEMES. `timeout_s` is how long the server may be silent. Raises ModelError.

    Redirects are followed, but never from https to http. Proxies are as the environment says.
    """
    try:
        content, missing_bytes = _ask(address, timeout_s)
    except HTTPError as error:
        error.close()
        kind = NotThere if error.code in (http.client.NOT_FOUND, http.client.GONE) else ModelError
        raise kind(_failed(address, str(error))) from None
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise ModelError(_failed(address, str(getattr(error, "reason", error)))) from None
    if len(content) > MAX_BYTES:
        raise ModelError(f"{address}: more than {MAX_BYTES:,} bytes is no model")
    if missing_bytes:
        raise ModelError(_failed(address, f"it broke off {missing_bytes:,} bytes before its end; try again"))
    return content


def _ask(address: str, timeout_s: float) -> tuple[bytes, int]:
    """What came, and how many bytes did not."""
    request = Request(address, headers={"User-Agent": "facelatch"})  # noqa: S310 - of SCHEMES only
    content, ends_at = bytearray(), time.monotonic() + IN_ALL_S
    with build_opener(_Redirects).open(request, timeout=timeout_s) as answer:
        while len(content) <= MAX_BYTES and (part := answer.read1(_PART_BYTES)):
            content += part
            if time.monotonic() > ends_at:
                raise TimeoutError(f"not there after {IN_ALL_S:.0f} s")
        return bytes(content), answer.length or 0


def _failed(address: str, why: str) -> str:
    return f"{address}: can't be fetched: {why}; from a copy: --from PLACE"


class _Redirects(HTTPRedirectHandler):
    """What was asked for over TLS is not fetched without."""

    def redirect_request(self, req, fp, code, msg, headers, newurl):  # type: ignore[no-untyped-def]  # urllib's own hook
        secure = urlsplit(req.full_url).scheme == "https"
        if urlsplit(newurl).scheme not in (("https",) if secure else SCHEMES):
            fp.close()
            raise OSError(f"it is redirected to {newurl}, {'without TLS' if secure else 'which is not the web'}")
        return super().redirect_request(req, fp, code, msg, headers, newurl)
