# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where signal messages come from, as one line of text in a site: `scheme://[user@]host[:port]/path?option=value`.

The scheme is the file name of a transport. The path of an MQTT source is the topic filter, without the slash that
divides it from the host: a topic that itself begins with a slash is written with two (`mqtt://broker//spat/1090`).
`%` escapes a byte as in any URL; `#` and `+` are wildcards and need no escape.
"""

from leezenflow.errors import LeezenflowError
from leezenflow.file_names import is_file_name

# A site's source fits into one line that a technician can read aloud.
MAX_URL_CHARACTERS = 512
MAX_OPTIONS = 16


class Source:
    """The parts of a source: `scheme`, `user`, `host`, `path` (text, "" if absent), `port` (int or None), `options`.

    `options` maps names to text as written; `typed_options` gives them the types their transport declares.
    """

    __slots__ = ("host", "options", "path", "port", "scheme", "user")

    def __init__(self, scheme, user, host, port, path, options):
        self.scheme = scheme
        self.user = user
        self.host = host
        self.port = port
        self.path = path
        self.options = options


def parse_source(url):
    """Return the `Source` that `url` names; `LeezenflowError` says what to change in the site's [signal] source."""
    if not isinstance(url, str) or not 0 < len(url) <= MAX_URL_CHARACTERS:
        raise _complaint(url, "must be a text of 1 to %d characters" % MAX_URL_CHARACTERS)
    scheme, mark, rest = _divide(url, "://")
    if not mark or not scheme or not is_file_name(scheme):
        raise _complaint(url, "must begin with a transport, such as mqtt://, udp:// or uart://")
    rest, _, query = _divide(rest, "?")
    authority, _, path = _divide(rest, "/")
    user = ""
    if "@" in authority:
        user, _, authority = _divide(authority, "@")
        if ":" in user:
            # The complaint ends up in logs: it does not repeat what follows the user's name.
            raise _complaint(scheme + "://...", "holds a password: write it into the device's secrets instead")
    host, mark, port_text = _divide(authority, ":")
    port = None
    if mark:
        if not _is_number(port_text) or not 0 < int(port_text) < 65536:
            raise _complaint(url, "has the port %r: use a number from 1 to 65535" % port_text)
        port = int(port_text)
    return Source(scheme, _unescape(url, user), host, port, _unescape(url, path), _options(url, query))


def typed_options(declared, given, owner):
    """Return every option of a driver's `OPTIONS` with its value from `given` or its default.

    `given` maps names to values, or to text as in a URL. `owner` names the driver in the `LeezenflowError` for an
    unknown name, a wrong type or a value out of range.
    """
    values = {}
    for name in given:
        if name not in declared:
            raise LeezenflowError("%s has no option %r: it knows %s" % (owner, name, ", ".join(sorted(declared))))
    for name in declared:
        rule = declared[name]
        value = given.get(name, rule.get("default"))
        if name in given:
            value = _typed(owner, name, rule, value)
        values[name] = value
    return values


def _typed(owner, name, rule, value):
    kind = rule["type"]
    if kind == "int":
        if isinstance(value, str) and _is_number(value[1:] if value[:1] == "-" else value):
            value = int(value)
        low, high = rule["range"]
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            raise LeezenflowError("%s: %s is %r: give a whole number from %d to %d" % (owner, name, value, low, high))
    elif kind == "bool":
        if value in ("1", "true", "yes", "0", "false", "no"):
            value = value in ("1", "true", "yes")
        if not isinstance(value, bool):
            raise LeezenflowError("%s: %s is %r: give true or false" % (owner, name, value))
    elif not isinstance(value, str) or ("choices" in rule and value not in rule["choices"]):
        expected = "one of " + ", ".join(rule["choices"]) if "choices" in rule else "text"
        raise LeezenflowError("%s: %s is %r: give %s" % (owner, name, value, expected))
    return value


def _options(url, query):
    options = {}
    if not query:
        return options
    parts = query.split("&")
    if len(parts) > MAX_OPTIONS:
        raise _complaint(url, "has more than %d options" % MAX_OPTIONS)
    for part in parts:
        name, mark, value = _divide(part, "=")
        if not mark or not is_file_name(name) or name in options:
            raise _complaint(url, "has the option %r: write each once, as ?name=value&name=value" % part)
        options[name] = _unescape(url, value)
    return options


def _unescape(url, text):
    if "%" not in text:
        return text
    out = bytearray()
    data = text.encode()
    at = 0
    while at < len(data):
        byte = data[at]
        at += 1
        if byte == 0x25:
            byte = _hex_digit(data, at) << 4 | _hex_digit(data, at + 1)
            at += 2
            if byte < 0:
                raise _complaint(url, "has a % without two hexadecimal digits behind it")
        out.append(byte)
    try:
        return bytes(out).decode()
    except UnicodeError:
        raise _complaint(url, "is not UTF-8 once its % escapes are undone")


def _hex_digit(data, at):
    """Return the value of the hexadecimal digit `data[at]`, -1 if there is none."""
    return b"0123456789abcdef".find(bytes(data[at : at + 1]).lower()) if at < len(data) else -1


def _divide(text, mark):
    """Return the part before `mark`, `mark`, and the part behind it (str.partition)."""
    at = text.find(mark)
    if at < 0:
        return text, "", ""
    return text[:at], mark, text[at + len(mark) :]


def _is_number(text):
    return text.isdigit() and len(text) <= 9


def _complaint(url, what):
    shown = url if not isinstance(url, str) or len(url) <= 80 else url[:80] + "..."
    return LeezenflowError("signal source %r %s" % (shown, what))
