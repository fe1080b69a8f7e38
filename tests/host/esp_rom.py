# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""An emulated ESP32 that waits in its ROM's loader, behind a pty or a socket, with faults to order.

It speaks the serial protocol of the ROM and, once the flasher stub was "uploaded", that of the stub; its flash is a
bytearray. What goes over a line of its own on real boards cannot be seen here: after an image was written and checked,
the first byte that is no packet of the loader counts as the reset, and a virtual board takes over, as the application.
"""

import contextlib
import hashlib
import os
import pty
import select
import socket
import struct
import threading
import tty
import zlib
from collections.abc import Callable
from typing import Any

from esptool.targets import CHIP_DEFS

from leezenflow_host.boards.virtual import VirtualBoard

FLASH_BYTES = 4 << 20
_ERROR_CHECKSUM, _ERROR_UNKNOWN = b"\x01\x07", b"\x01\x05"
_SPI_EXECUTE = 1 << 18
_WINBOND_4_MB = 0x1640EF


class EspRom:
    """One chip; `port` is what a host opens. Faults are the arguments with a default.

    `flip_bits`: how many times the first byte of the image arrives with a wrong bit; `ignore`: commands (by number)
    that get no answer, with how often; `silent_after`, `unplug_after`: so many data packets. `application` is plugged
    in when an image was written and checked.
    """

    def __init__(
        self,
        chip: str = "ESP32",
        *,
        mac: bytes = bytes.fromhex("240ac4000102"),
        over_socket: bool = False,
        flip_bits: int = 0,
        ignore: dict[int, int] | None = None,
        silent_after: int | None = None,
        unplug_after: int | None = None,
        boot_loop: bool = False,
        application: Callable[[], VirtualBoard] | None = None,
    ) -> None:
        self._rom: Any = CHIP_DEFS[chip.lower()]
        self.flash = bytearray(b"\xff" * FLASH_BYTES)
        self.packets = 0
        self.stub = False
        self.erased_all = False
        self.flip_bits = flip_bits
        self.ignore = dict(ignore or {})
        self.silent_after, self.unplug_after = silent_after, unplug_after
        self.baud_changes: list[int] = []
        self._application = application
        self.board: VirtualBoard | None = None
        self._checked = False
        self._boot_loop = boot_loop
        self._registers: dict[int, int] = {}
        self._set_mac(mac)
        self._memory_at = 0
        self._begun: tuple[int, int] = (0, 0)
        self._inflate: Any = None
        self._written = 0
        self._open(over_socket)
        self._stop_read, self._stop_write = os.pipe()
        self._thread = threading.Thread(target=self._run, name="emulated ESP", daemon=True)
        self._thread.start()

    # The line

    def _open(self, over_socket: bool) -> None:
        self._server: socket.socket | None = None
        self._client: socket.socket | None = None
        self._line = self._far = -1
        if over_socket:
            self._server = socket.create_server(("127.0.0.1", 0))
            self.port = f"socket://127.0.0.1:{self._server.getsockname()[1]}"
            return
        self._line, self._far = pty.openpty()
        tty.setraw(self._far)
        self.port = os.ttyname(self._far)

    def unplug(self) -> None:
        """Pull the cable: the port is gone."""
        with contextlib.suppress(OSError):
            os.write(self._stop_write, b"!")
        if threading.current_thread() is not self._thread:
            self._thread.join()

    def __enter__(self) -> "EspRom":
        return self

    def __exit__(self, *_: object) -> None:
        self.unplug()

    def _run(self) -> None:
        packet, escaped = bytearray(), False
        inside = False
        try:
            while True:
                data = self._receive()
                if data is None:
                    return
                for at, byte in enumerate(data):
                    if byte == 0xC0:
                        if inside and packet:
                            self._answer(bytes(packet))
                            inside = False
                        else:
                            inside = True
                        packet.clear()
                    elif not inside:
                        if self._starts():
                            self._become_application(data[at:])
                            return
                    elif byte == 0xDB:
                        escaped = True
                    else:
                        packet.append({0xDC: 0xC0, 0xDD: 0xDB}[byte] if escaped else byte)
                        escaped = False
        except (OSError, _UnpluggedError):
            pass
        finally:
            self._close()

    def _receive(self) -> bytes | None:
        """Return what came; None when the cable was pulled."""
        while True:
            waiting = [self._stop_read]
            if self._client is not None:
                waiting.append(self._client.fileno())
            elif self._server is not None:
                waiting.append(self._server.fileno())
            else:
                waiting.append(self._line)
            ready, _, _ = select.select(waiting, [], [])
            if self._stop_read in ready:
                return None
            if self._client is None and self._server is not None:
                self._client = self._server.accept()[0]
                continue
            if self._client is None:
                return os.read(self._line, 65536)
            data = self._client.recv(65536)
            if data:
                return data
            self._client.close()
            self._client = None

    def _send(self, data: bytes) -> None:
        if self._client is not None:
            with contextlib.suppress(OSError):
                self._client.sendall(data)
            return
        while data:
            data = data[os.write(self._line, data) :]

    def _send_packet(self, packet: bytes) -> None:
        self._send(b"\xc0" + packet.replace(b"\xdb", b"\xdb\xdd").replace(b"\xc0", b"\xdb\xdc") + b"\xc0")

    def _close(self) -> None:
        for connection in (self._client, self._server):
            if connection is not None:
                connection.close()
        for descriptor in (self._line, self._far, self._stop_read, self._stop_write):
            if descriptor >= 0:
                with contextlib.suppress(OSError):
                    os.close(descriptor)
        if self.board is not None:
            self.board.close()

    # The application

    def _starts(self) -> bool:
        """Whether a byte that is no packet goes to an application; a chip without one complains."""
        if self._checked and self._application is not None:
            return True
        if self._boot_loop:
            self._send(b"rst:0x10 (RTCWDT_RTC_RESET),boot:0x13 (SPI_FAST_FLASH_BOOT)\r\ninvalid header: 0xffffffff\r\n")
            self._boot_loop = False
        return False

    def _become_application(self, first: bytes) -> None:
        assert self._application is not None
        self.board = self._application()
        inner = os.open(self.board.port, os.O_RDWR | os.O_NOCTTY | os.O_CLOEXEC)
        try:
            os.write(inner, first)
            while True:
                ready, _, _ = select.select([self._stop_read, self._line, inner], [], [])
                if self._stop_read in ready:
                    return
                if self._line in ready:
                    os.write(inner, os.read(self._line, 4096))
                if inner in ready:
                    self._send(os.read(inner, 4096))
        finally:
            os.close(inner)

    # The protocol

    def _set_mac(self, mac: bytes) -> None:
        high, low = int.from_bytes(mac[:2], "big"), int.from_bytes(mac[2:], "big")
        at = getattr(self._rom, "MAC_EFUSE_REG", self._rom.EFUSE_RD_REG_BASE + 4)
        self._registers.update({at: low, at + 4: high})
        if self._rom.USES_MAGIC_VALUE:
            self._registers[0x40001000] = self._rom.MAGIC_VALUE

    def _answer(self, packet: bytes) -> None:
        if len(packet) < 8:
            return
        _, command, length, checksum = struct.unpack("<BBHI", packet[:8])
        data = packet[8 : 8 + length]
        name = next((name for name, number in self._rom.ESP_CMDS.items() if number == command), "")
        if name in ("FLASH_DATA", "FLASH_DEFL_DATA"):
            self.packets += 1
            if self.unplug_after is not None and self.packets > self.unplug_after:
                raise _UnpluggedError
        if self.silent_after is not None and self.packets > self.silent_after:
            return
        if self.ignore.get(command, 0) > 0:
            self.ignore[command] -= 1
            return
        handle: Callable[[bytes], Any] | None = getattr(self, f"_do_{name.lower()}", None)
        value, payload, status = 0, b"", b"\0\0"
        if handle is None:
            status = _ERROR_UNKNOWN
        elif name.endswith("_DATA") and _checksum(data[16:]) != checksum:
            status = _ERROR_CHECKSUM
        else:
            result = handle(data)
            if isinstance(result, bytes):
                payload = result
            elif result is not None:
                value = result
        answer = payload + status + (b"" if self.stub and name != "MEM_END" else b"\0\0")
        for _ in range(8 if name == "SYNC" else 1):
            self._send_packet(struct.pack("<BBHI", 1, command, len(answer), value) + answer)
        if name == "MEM_END":
            self._send_packet(b"OHAI")

    def _do_sync(self, data: bytes) -> int:
        return 0 if self.stub else 0x20120707

    def _do_read_reg(self, data: bytes) -> int:
        return self._registers.get(struct.unpack("<I", data)[0], 0)

    def _do_write_reg(self, data: bytes) -> None:
        address, value, mask, _ = struct.unpack("<IIII", data[:16])
        self._registers[address] = self._registers.get(address, 0) & ~mask | value & mask
        if address == self._rom.SPI_REG_BASE and value & _SPI_EXECUTE:
            self._registers[address] = 0
            command = self._registers.get(address + self._rom.SPI_USR2_OFFS, 0) & 0xFF
            read = {0x9F: _WINBOND_4_MB, 0x5A: 0xEF if self._registers.get(address + 4) else 0x50444653}
            self._registers[address + self._rom.SPI_W0_OFFS] = read.get(command, 0)

    def _do_get_security_info(self, data: bytes) -> bytes:
        # The ESP32 has no such command; an answer that is too short is an error to the host.
        return b"" if self._rom.USES_MAGIC_VALUE else struct.pack("<I8xII", 0, self._rom.IMAGE_CHIP_ID, 0)

    def _do_spi_attach(self, data: bytes) -> None:
        pass

    _do_spi_set_params = _do_mem_begin = _do_mem_data = _do_spi_attach

    def _do_mem_end(self, data: bytes) -> None:
        self.stub = True

    def _do_change_baudrate(self, data: bytes) -> None:
        self.baud_changes.append(struct.unpack("<I", data[:4])[0])

    def _do_erase_flash(self, data: bytes) -> None:
        self.flash[:] = b"\xff" * FLASH_BYTES
        self.erased_all = True

    def _do_flash_begin(self, data: bytes) -> None:
        size, _, block, offset = struct.unpack("<IIII", data[:16])
        self._begun = (offset, block)
        if not self.stub:
            self.flash[offset : offset + size] = b"\xff" * size
        self._inflate = None

    def _do_flash_data(self, data: bytes) -> None:
        length, number = struct.unpack("<II", data[:8])
        offset, block = self._begun
        self._program(offset + number * block, data[16 : 16 + length])

    def _do_flash_defl_begin(self, data: bytes) -> None:
        self._do_flash_begin(data)
        self._inflate, self._written = zlib.decompressobj(), 0

    def _do_flash_defl_data(self, data: bytes) -> None:
        content = self._inflate.decompress(data[16:])
        self._program(self._begun[0] + self._written, content)
        self._written += len(content)

    def _do_flash_end(self, data: bytes) -> None:
        pass

    _do_flash_defl_end = _do_flash_end

    def _program(self, at: int, content: bytes) -> None:
        if self.flip_bits > 0 and at == self._begun[0] and content:
            self.flip_bits -= 1
            content = bytes([content[0] ^ 4]) + content[1:]
        self.flash[at : at + len(content)] = content

    def _do_spi_flash_md5(self, data: bytes) -> bytes:
        at, size = struct.unpack("<II", data[:8])
        digest = hashlib.md5(self.flash[at : at + size])
        self._checked = True
        return digest.digest() if self.stub else digest.hexdigest().encode()


class _UnpluggedError(Exception):
    pass


def _checksum(data: bytes) -> int:
    state = 0xEF
    for byte in data:
        state ^= byte
    return state


def application_image(chip: str = "ESP32", size: int = 60_000) -> bytes:
    """Return what passes for an image of MicroPython: the head of a real one, and content that does not compress."""
    head = bytes([0xE9, 1, 2, 0x20]) + struct.pack("<I", 0x400D0000) + bytes([0xEE, 0, 0, 0])
    head += struct.pack("<HBHH4xB", CHIP_DEFS[chip.lower()].IMAGE_CHIP_ID, 0, 0, 0xFFFF, 0)
    content = b"".join(hashlib.sha256(number.to_bytes(4, "big")).digest() for number in range(size // 32))
    return (head + struct.pack("<II", 0x3FFE0000, 64) + content)[:size]
