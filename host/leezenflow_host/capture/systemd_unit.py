# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A systemd service that records for years: the command as it was typed, with the rights it needs and no more."""

import shutil
import sys
from pathlib import Path, PurePosixPath

_NAME = "leezenflow-capture"
_SAFE = set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./:@=+,#?&~")


def make_unit(
    url: str,
    out: str,
    rotate: str | None,
    max_mb: float | None,
    adapter: str | None,
    note: str,
    secrets: Path | None,
    program: str | None = None,
    to: str | None = None,
) -> str:
    """The text of the unit file. A relative `out` lies in the service's own folder, /var/lib/leezenflow.

    `program` is how leezenflow is called there; without it, as it was called here.
    """
    absolute = PurePosixPath(out).is_absolute()
    words = [_quote(url), "--out", _quote(out) if absolute else "${STATE_DIRECTORY}/" + _quote(out)]
    if rotate is not None:
        words += ["--rotate", rotate]
    if max_mb is not None:
        words += ["--max-mb", f"{max_mb:g}"]
    if adapter is not None:
        words += ["--adapter", adapter]
    if to is not None:
        words += ["--to", _quote(to)]
    if note:
        words += ["--note", _quote(note)]
    credential = ""
    if secrets is not None:
        words += ["--secrets", "${CREDENTIALS_DIRECTORY}/secrets.json"]
        credential = f"LoadCredential=secrets.json:{_escape(str(secrets.absolute()))}\n"
    # A serial line belongs to a group; what lies outside the service's own folder must be named to be written.
    serial = "serial:" in (url[:7], (to or "")[:7])
    device = "SupplementaryGroups=dialout\n" if serial else "PrivateDevices=yes\n"
    folder = f"ReadWritePaths={_escape(_fixed_folder(out))}\n" if absolute else ""
    return (
        f"# {_NAME}.service: save as /etc/systemd/system/{_NAME}.service, then\n"
        f"#   systemctl daemon-reload && systemctl enable --now {_NAME}\n"
        f"#   journalctl -u {_NAME} -f\n"
        "[Unit]\n"
        "Description=Leezenflow: recording of signal messages\n"
        "Wants=network-online.target\n"
        "# The time of arrival is the computer's: a recording whose clock jumps is hard to judge.\n"
        "After=network-online.target time-sync.target\n\n"
        "[Service]\n"
        "DynamicUser=yes\n"
        "StateDirectory=leezenflow\n"
        f"{credential}"
        f"ExecStart={program or _program()} capture {' '.join(words)}\n"
        "# Until the broker is there at boot; later losses the program survives by itself, and goes on with its file.\n"
        "Restart=always\n"
        "RestartSec=10\n"
        "ProtectSystem=strict\n"
        "ProtectHome=yes\n"
        "PrivateTmp=yes\n"
        "NoNewPrivileges=yes\n"
        f"{device}{folder}\n"
        "[Install]\n"
        "WantedBy=multi-user.target\n"
    )


def _program() -> str:
    found = shutil.which("leezenflow")
    return _quote(found) if found else f"{_quote(sys.executable)} -m leezenflow_host"


def _fixed_folder(out: str) -> str:
    """The innermost folder whose name holds no time."""
    folder = PurePosixPath(out).parent
    while "%" in str(folder):
        folder = folder.parent
    return str(folder)


def _escape(text: str) -> str:
    """Text in which systemd is to see neither a specifier nor a variable."""
    return text.replace("%", "%%").replace("$", "$$")


def _quote(text: str) -> str:
    escaped = _escape(text)
    if text and set(text) - {"%"} <= _SAFE:
        return escaped
    return '"' + escaped.replace("\\", "\\\\").replace('"', '\\"') + '"'
