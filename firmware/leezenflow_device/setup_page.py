# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""First-time setup without a socket: requests in, answers out; and the DNS that leads a telephone to the page.

One page, one form, no script. What is typed in goes nowhere but into the values that `wifi_of` returns.
"""

# A form with name and password of a network has some 200 bytes, its request head up to 2 kB.
MAX_REQUEST_BYTES = 4096

_PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Leezenflow</title><style>body{font:1.2em sans-serif;max-width:22em;margin:1em auto}
input{font:inherit;width:100%;margin:.2em 0 1em}</style><h1>Leezenflow</h1>"""
_FORM = """<form method="post" action="/"><label>Wi-Fi<input name="ssid" maxlength="32" required></label>
<label>Password<input name="password" type="password" maxlength="63"></label>
<input type="submit" value="Save"></form>"""


def page(words=""):
    """Return the answer with the form; `words` (a constant of ours, never what somebody typed) stand above it."""
    return _answer("200 OK", _PAGE + ("<p>%s</p>" % words if words else "") + _FORM)


def saved_page():
    """Return the answer that ends it all."""
    return _answer("200 OK", _PAGE + "<p>Saved. The unit starts again and joins that Wi-Fi.</p>")


def redirect(address):
    """Return the answer that leads to our page: telephones ask for pages of their own to notice a captive portal."""
    return b"HTTP/1.1 302 Found\r\nLocation: http://%s/\r\nContent-Length: 0\r\nConnection: close\r\n\r\n" % address


def refusal():
    """Return the answer to what is no request for us."""
    return _answer("400 Bad Request", _PAGE + "<p>That was no form of this page.</p>")


def _answer(status, body):
    body = body.encode()
    head = "HTTP/1.1 %s\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: %d\r\n" % (status, len(body))
    return head.encode() + b"Cache-Control: no-store\r\nConnection: close\r\n\r\n" + body


def is_complete(request):
    """Say whether all of a request (bytes so far) is there; too long a one counts as complete."""
    if len(request) >= MAX_REQUEST_BYTES:
        return True
    end = request.find(b"\r\n\r\n")
    return end >= 0 and len(request) - end - 4 >= _content_length(request[:end])


def split_request(request):
    """Return (method, path, body) of a complete request, (b"", b"", b"") for anything else."""
    end = request.find(b"\r\n\r\n")
    words = request[: request.find(b"\r\n")].split(b" ")
    if end < 0 or len(request) >= MAX_REQUEST_BYTES or len(words) != 3:
        return b"", b"", b""
    return words[0], words[1], request[end + 4 : end + 4 + _content_length(request[:end])]


def _content_length(head):
    for line in head.lower().split(b"\r\n")[1:]:
        if line.startswith(b"content-length:"):
            text = line[15:].strip()
            return int(text) if text.isdigit() and len(text) < 6 else MAX_REQUEST_BYTES
    return 0


def wifi_of(body):
    """Return {"ssid", "password"} of a form's body (bytes), None if they cannot be a Wi-Fi's (IEEE 802.11i)."""
    values = {}
    for part in body.split(b"&"):
        at = part.find(b"=")
        if at > 0:
            values[bytes(part[:at])] = _unescape(part[at + 1 :])
    ssid, password = values.get(b"ssid"), values.get(b"password", b"")
    if ssid is None or password is None or not 0 < len(ssid) <= 32 or (password and not 8 <= len(password) <= 63):
        return None
    try:
        return {"ssid": ssid.decode(), "password": password.decode()}
    except UnicodeError:
        return None


def _unescape(data):
    """Undo the escapes of a form (application/x-www-form-urlencoded); None for broken ones."""
    out = bytearray()
    at = 0
    while at < len(data):
        byte = data[at]
        at += 1
        if byte == 0x2B:
            byte = 0x20
        elif byte == 0x25:
            try:
                byte = int(bytes(data[at : at + 2]), 16) if len(data) >= at + 2 else -1
            except ValueError:
                byte = -1
            if byte < 0:
                return None
            at += 2
        out.append(byte)
    return bytes(out)


def name_answer(question, address):
    """Return the DNS answer (RFC 1035) that leads every name to `address` (four bytes), None for no question."""
    if len(question) < 17 or len(question) > 512 or question[2] & 0xF8 or question[4:6] != b"\0\1":
        return None
    end = 12
    while end < len(question) and question[end]:
        if question[end] > 63:
            return None
        end += 1 + question[end]
    end += 5
    if end > len(question):
        return None
    head = question[:2] + b"\x81\x80\0\1\0\1\0\0\0\0"
    return head + question[12:end] + b"\xc0\x0c\0\1\0\1\0\0\0\x0a\0\4" + address
