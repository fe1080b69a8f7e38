# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The systemd service of a Linux unit, as text."""

import shlex
import shutil
import sys
from pathlib import Path

from leezenflow_host.board_config import BoardConfig

# Frames come at least every 100 ms, the receiver's thread turns each second; a Pi 1 under load needs some room.
WATCHDOG_S = 15
_INSTALLED = "/opt/leezenflow/bin/leezenflow"
# What each display needs of the hardware, beside what every service may use.
_DEVICES = {
    "neopixel_blinka": ("/dev/mem", "/dev/gpiomem", "/dev/vcio", "/dev/gpiochip0", "/dev/spidev0.0"),
    "rgbmatrix_hat": ("/dev/mem", "/dev/gpiomem"),
}

_TEMPLATE = """\
# Save as /etc/systemd/system/leezenflow.service, then:
#   systemctl daemon-reload && systemctl enable --now leezenflow && journalctl -fu leezenflow
[Unit]
Description=Leezenflow unit ({title})
Wants=network-online.target
After=network-online.target time-sync.target
# A unit on a lamp post never gives up.
StartLimitIntervalSec=0

[Service]
Type=notify
NotifyAccess=main
ExecStart={start}
# Whatever ended it, a kill and the watchdog included: the panel goes dark.
ExecStopPost={darken}
WatchdogSec={watchdog_s}
Restart=always
RestartSec=5
TimeoutStartSec=60
TimeoutStopSec=10
StateDirectory=leezenflow
StateDirectoryMode=0700
{credential}
# Root, because the LEDs are driven through the memory of the chip; without what else root may do.
CapabilityBoundingSet=CAP_SYS_RAWIO CAP_SYS_NICE CAP_DAC_OVERRIDE
NoNewPrivileges=yes
DevicePolicy=closed
{devices}
ProtectSystem=strict
ProtectHome=read-only
ProtectClock=no
ProtectControlGroups=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
ProtectHostname=yes
ProtectProc=invisible
PrivateTmp=yes
RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX AF_NETLINK
RestrictNamespaces=yes
RestrictSUIDSGID=yes
LockPersonality=yes
SystemCallArchitectures=native
SystemCallFilter=@system-service
UMask=0077
MemoryMax=200M

[Install]
WantedBy=multi-user.target
"""


def service_text(board: BoardConfig, board_name: str, site: Path, secrets: Path | None) -> str:
    """The unit file for this board and site; the secrets reach the service as a credential of systemd."""
    program = _program()
    board_argument = str(Path(board_name).resolve()) if board_name.endswith(".toml") else board_name
    start = [program, "run", "--board", board_argument, "--site", str(site.resolve())]
    darken = [program, "run", "--board", board_argument, "--darken"]
    # %S and %d are systemd's own: the state folder, and where the credentials lie.
    tail = ["--memory", "%S/leezenflow/memory.bin"]
    credential = ""
    if secrets is not None:
        credential = f"LoadCredential=secrets.json:{_escape(str(secrets.resolve()))}\n"
        tail += ["--secrets", "%d/secrets.json"]
    return _TEMPLATE.format(
        title=board.title.replace("%", "%%"),
        start=" ".join([*(_escape(shlex.quote(word)) for word in start), *tail]),
        darken=" ".join(_escape(shlex.quote(word)) for word in darken),
        watchdog_s=WATCHDOG_S,
        credential=credential,
        devices="\n".join(f"DeviceAllow={device} rw" for device in _DEVICES.get(board.driver, ())),
    ).replace("\n\n\n", "\n\n")


def _program() -> str:
    """The full path of the command that runs now, for systemd, which searches no PATH."""
    beside = Path(sys.executable).with_name("leezenflow")
    return str(beside) if beside.exists() else shutil.which("leezenflow") or _INSTALLED


def _escape(word: str) -> str:
    return word.replace("%", "%%")
