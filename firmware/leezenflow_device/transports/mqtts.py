# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""MQTT over TLS: `mqtts://[user@]broker[:8883]/topic/filter?option=value`, with all options of `mqtt://`.

The broker must show a certificate for the very name (or IP address) in the source, signed by the authority in
`/certs/ca.der`; there is no way to switch that off. A unit proves itself by its password, or by a certificate of its
own. Certificates and keys are DER files. The handshake does not block: the picture goes on between its steps, the
longest of which is one calculation on the curve.

Dates of certificates need a clock, and a board without a battery starts years ago. So before the first handshake the
clock is brought forward to the newest `notBefore` of our own certificates: those were made earlier than now. That is
enough for a broker whose certificates begin no later than the authority's (those that `leezenflow keys broker` makes);
for others, and to notice expired ones, a time server has to set the clock. A refused date is simply tried again.
"""

import ssl
import time

from leezenflow.errors import LeezenflowError, SignalError
from leezenflow_device.configuration import read_bytes
from leezenflow_device.transports import mqtt

# Options of this transport are those of that one, too.
EXTENDS = "mqtt"

OPTIONS = {
    "ca": {"type": "str", "default": "ca.der", "help": "the authority's certificate, a file in /certs (or a path)"},
    "certificate": {"type": "str", "default": "", "help": "the unit's own certificate, a file in /certs; empty: none"},
    "key": {"type": "str", "default": "unit_key.der", "help": "the key of the unit's own certificate"},
}

DEFAULT_TLS_PORT = 8883
_FOLDER = "/certs/"
# A certificate has 0.4 to 2 kB.
_MAX_FILE_BYTES = 8192


class Transport(mqtt.Transport):
    """As of `mqtt`, on a verified TLS connection."""

    default_port = DEFAULT_TLS_PORT

    def __init__(self, source, secrets, clock, unit_name=""):
        from leezenflow.source_url import typed_options  # only a start needs it

        declared = dict(mqtt.OPTIONS)
        declared.update(OPTIONS)
        options = typed_options(declared, source.options, "mqtts")
        mqtt.Transport.__init__(self, source, secrets, clock, unit_name, options)
        authority = _read(options["ca"])
        self._floor = not_before(authority, options["ca"])
        self._context = context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.verify_mode = ssl.CERT_REQUIRED
        try:
            context.load_verify_locations(cadata=authority)
            if options["certificate"]:
                certificate = _read(options["certificate"])
                self._floor = max(self._floor, not_before(certificate, options["certificate"]))
                context.load_cert_chain(certificate, _read(options["key"]))
        except (ValueError, OSError) as error:
            raise LeezenflowError("the certificates in /certs cannot be used (%s); install them again" % error)

    def _secure(self, sock):
        set_clock_floor(self._floor)
        try:
            return self._context.wrap_socket(sock, server_hostname=self._host, do_handshake_on_connect=False)
        except BaseException:
            sock.close()
            raise

    async def _greet(self, sock, incoming):
        try:
            await mqtt.Transport._greet(self, sock, incoming)
        except ValueError as error:
            # mbedTLS says in words what is wrong with the certificate.
            words = str(error).strip()
            if "validity" in words:
                words += " (the unit's clock says %04d-%02d-%02d)" % time.gmtime()[:3]
            raise SignalError("refused", "the broker cannot be trusted: " + words)
        except OSError as error:
            if isinstance(error.errno, int) and error.errno < 0:
                raise SignalError("refused", "TLS failed: %s; does the broker know this unit's certificate?" % error)
            raise


def _read(name):
    path = name if "/" in name else _FOLDER + name
    data = read_bytes(path, _MAX_FILE_BYTES)
    if not data:
        raise LeezenflowError('%s: missing; install it with --secrets ("certs": {...})' % path)
    return data


def set_clock_floor(floor):
    """Bring the board's clock forward to `floor` (year, month, day, hour, minute, second; UTC) if it is behind it."""
    if tuple(time.gmtime()[:6]) >= floor:
        return
    try:
        from machine import RTC
    except ImportError:  # a unix port has a clock that is somebody else's
        return
    year, month, day, hour, minute, second = floor
    RTC().datetime((year, month, day, 0, hour, minute, second, 0))


def not_before(certificate, name="certificate"):
    """Return when a DER certificate (RFC 5280) begins: (year, month, day, hour, minute, second), UTC."""
    try:
        at = _enter(certificate, _enter(certificate, 0, 0x30), 0x30)
        if certificate[at] == 0xA0:  # version
            at = _skip(certificate, at)
        for _ in range(3):  # serial number, algorithm, issuer
            at = _skip(certificate, at)
        at = _enter(certificate, at, 0x30)
        length = certificate[at + 1]
        text = certificate[at + 2 : at + 2 + length]
        if certificate[at] == 0x17 and length == 13:  # UTCTime: two digits of the year
            text = (b"19" if text >= b"50" else b"20") + text
        elif certificate[at] != 0x18 or length != 15:
            raise ValueError
        return (int(text[:4]),) + tuple([int(text[i : i + 2]) for i in range(4, 14, 2)])
    except (ValueError, IndexError):
        raise LeezenflowError("%s: not a certificate in DER; install it again" % name)


def _enter(data, at, tag):
    """Return where the content of the element at `at` begins."""
    if data[at] != tag:
        raise ValueError
    return at + 2 if data[at + 1] < 0x80 else at + 2 + (data[at + 1] & 0x7F)


def _skip(data, at):
    """Return where the element behind the one at `at` begins."""
    length = data[at + 1]
    if length < 0x80:
        return at + 2 + length
    size = length & 0x7F
    return at + 2 + size + int.from_bytes(data[at + 2 : at + 2 + size], "big")
