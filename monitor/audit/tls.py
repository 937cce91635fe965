"""PostgreSQL over TLS: the words of its own clients (`sslmode`, `sslrootcert`, `sslcert`, `sslkey`) in the URL.

The driver takes a context instead, so they are taken out of the URL here. As in libpq, `verify-full` alone proves that
the server is the one that was asked for; `require` encrypts, and would give the password to whoever answers.
"""

import ssl
from typing import Final

from sqlalchemy.engine import URL

from monitor.errors import UsageError

WORDS: Final = ("sslmode", "sslrootcert", "sslcert", "sslkey")
UNCHECKED: Final = ("disable", "allow", "prefer", "require")  # the driver knows these by name
CHECKED: Final = ("verify-ca", "verify-full")
SYSTEM: Final = "system"  # libpq's word for the machine's own authorities

Tls = str | ssl.SSLContext | None


def take_tls(url: URL) -> tuple[URL, Tls]:
    """The URL without the words on TLS, and what the driver is given for them (None: nothing was said).

    Raises UsageError for a mode that does not exist and for a file that cannot be used.
    """
    said = {word: value for word in WORDS if isinstance(value := url.query.get(word), str)}
    bare = url.difference_update_query(WORDS)
    mode = said.pop("sslmode", None)
    if mode is None or mode in UNCHECKED:
        if said:
            raise UsageError(f"{', '.join(said)} in the database URL: they need sslmode=verify-full (or verify-ca)")
        return bare, mode
    if mode not in CHECKED:
        raise UsageError(f"sslmode in the database URL is one of {', '.join((*UNCHECKED, *CHECKED))}")
    return bare, _context(said, names_count=mode == "verify-full")


def _context(files: dict[str, str], *, names_count: bool) -> ssl.SSLContext:
    authorities = files.get("sslrootcert", SYSTEM)
    try:
        context = ssl.create_default_context(cafile=None if authorities == SYSTEM else authorities)
        if "sslcert" in files:
            context.load_cert_chain(files["sslcert"], files.get("sslkey"))
    except OSError as error:  # also what ssl raises
        raise UsageError(f"the certificates of the database URL cannot be used: {error.strerror or error}") from None
    context.check_hostname = names_count
    return context
