"""What is on this machine: the protocol file, the key of checkpoints, the HTTP port, the heartbeat's address."""

import asyncio
from collections.abc import Iterator
from typing import Final
from urllib.parse import urlsplit

from monitor.audit.log import SqlAuditLog
from monitor.audit.proof.keyfile import open_to_others, read_secret
from monitor.audit.proof.keys import signing_keys
from monitor.audit.proof.publishing import newest_in
from monitor.audit.protocols import activations
from monitor.cli.doctoring.symptom import Symptom, doubt, well, wrong
from monitor.errors import MonitorError
from monitor.protocol.model import Protocol
from monitor.settings import Settings

KNOCK: Final = 3.0  # seconds for an answer on this machine, or from the heartbeat's receiver


async def look_at_protocol(settings: Settings) -> Symptom:
    """Whether the file can be read, and whether it is the one in force on the log."""
    try:
        given = Protocol.load(settings.protocol)
    except MonitorError as error:
        return wrong("protocol", str(error), "safety-monitor protocol check FILE")
    named = f"{given.id} {given.version}, {given.hash.removeprefix('sha256:')[:12]}"
    try:
        log = await SqlAuditLog.open(settings.log_url, writing=False)
    except MonitorError:
        return well("protocol", f"{named}; no log to compare it with")
    try:
        found = await activations(log)
    except MonitorError as error:
        return wrong("protocol", str(error), "use the release that wrote this log, or a later one")
    finally:
        await log.close()
    if found and found[-1].hash != given.hash:
        force = f"{found[-1].protocol.version}, {found[-1].hash.removeprefix('sha256:')[:12]}, is in force on the log"
        return wrong("protocol", f"{named} is given; {force}", "use that file, or `safety-monitor protocol activate`")
    return well("protocol", named + (" is in force" if found else "; the first start of a worker records it"))


def look_at_checkpoints(settings: Settings) -> Iterator[Symptom]:
    """Whether checkpoints are signed, and go where they can be held."""
    part = "checkpoints"
    if settings.checkpoint_key is None:
        yield doubt(
            part,
            "none are signed: a rewritten log could not be told",
            "safety-monitor audit keygen --out FILE, then set checkpoint_key",
        )
        return
    try:
        count = len(signing_keys(read_secret(settings.checkpoint_key)))
        newest = newest_in(settings.checkpoint_file)
    except MonitorError as error:
        yield wrong(part, str(error), "look at checkpoint_key and checkpoint_file")
        return
    held = f"; the newest in the file is of {newest.size} records" if newest else ""
    yield well(part, f"signed with {count} key{'s' * (count > 1)}{held}")
    if open_to_others(settings.checkpoint_key):
        yield doubt(part, "others may read the key", f"chmod 600 {settings.checkpoint_key}")
    if settings.checkpoint_file is None:
        yield doubt(part, "they stay in this house", "set checkpoint_file, best on another machine's disk")


async def look_at_http(settings: Settings) -> Symptom:
    """Whether the port is free, or a worker of ours answers there."""
    where = f"{settings.http_host}:{settings.http_port}"
    try:
        server = await asyncio.start_server(lambda _r, w: w.close(), settings.http_host, settings.http_port)
    except OSError as error:
        if await _answers(settings):
            return well("http", f"a worker answers at {where}")
        return wrong("http", f"{where} cannot be taken: {error.strerror}", "end what holds it, or set http_port")
    server.close()
    await server.wait_closed()
    return well("http", f"{where} is free{', and asks for a token' if settings.http_token else ''}")


async def _answers(settings: Settings) -> bool:
    try:
        async with asyncio.timeout(KNOCK):
            reader, writer = await asyncio.open_connection(settings.http_host, settings.http_port)
            writer.write(b"GET /livez HTTP/1.0\r\n\r\n")
            said = await reader.read()
            writer.close()
    except (OSError, TimeoutError):
        return False
    return said.endswith(b"alive\n")


async def look_at_heartbeat(settings: Settings) -> Symptom:
    """Whether the receiver can be reached; no heartbeat is sent, for it would say that all is well."""
    if settings.heartbeat_url is None:
        return doubt("heartbeat", "none is sent: nobody notices our silence", "set heartbeat_url (a dead-man's switch)")
    parts = urlsplit(settings.heartbeat_url.get_secret_value())
    if parts.scheme not in ("https", "http") or not parts.hostname:
        return wrong("heartbeat", "its address is no URL of a web server", "set heartbeat_url to https://...")
    try:
        async with asyncio.timeout(KNOCK):
            _, writer = await asyncio.open_connection(
                parts.hostname, parts.port or (443 if parts.scheme == "https" else 80)
            )
            writer.close()
    except (OSError, TimeoutError) as error:
        return wrong("heartbeat", f"{parts.hostname} does not answer: {type(error).__name__}", "look at heartbeat_url")
    if parts.scheme == "http":
        return doubt("heartbeat", "its address crosses the network in clear", "https")
    return well("heartbeat", f"{parts.hostname} answers")
