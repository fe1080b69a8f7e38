# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""`leezenflow flash --kit`: board, site, image, firmware, secrets and keys all come from the kit."""

import json
from pathlib import Path

import pytest
from fake_unit import fake_board, fake_image
from rp2_boot import Rp2InLoader, uf2_image

from leezenflow_host.board_config import BoardConfig, read_board
from leezenflow_host.boards.identity import BoardIdentity
from leezenflow_host.boards.serial_board import SerialBoard
from leezenflow_host.commands import flash as flash_command
from leezenflow_host.errors import InputError
from leezenflow_host.flashing import job as job_module
from leezenflow_host.flashing.job import Job
from leezenflow_host.image import Image
from leezenflow_host.site_config import SiteConfig, example_site


class FakeKit:
    """As `leezenflow_host.kit.Kit`, with one board and one site."""

    root_keys = b'{"keys": 1}'
    sites = ("market",)
    boards = ("bench",)
    facts = {"sites": {"market": {"unit": "market-1", "file": "sites/market.toml"}}}  # noqa: RUF012

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.staged: Image | None = None

    def board(self, name: str) -> BoardConfig:
        assert name == "bench"
        return fake_board(self._folder, "RP2040")

    def interpreter(self, board: BoardConfig) -> Path:
        file = self._folder / "X-1.uf2"
        file.write_bytes(uf2_image())
        return file

    def site(self, name: str) -> SiteConfig:
        if name not in ("market", "market-1"):
            raise InputError(f"the kit has no site {name!r}")
        values = json.loads(json.dumps(example_site().values))
        values["unit"]["name"] = "market-1"
        return SiteConfig("market.toml", values)

    def secrets(self, unit: str) -> bytes | None:
        return b'{"wifi": {"ssid": "x", "password": "y"}}' if unit == "market-1" else None

    def image(self, board: BoardConfig, site: str | None) -> Image | None:
        return self.staged if site == "market" else None


@pytest.fixture
def kit(places, monkeypatch) -> FakeKit:
    kit = FakeKit(places)
    monkeypatch.setattr(flash_command.Kit, "open", lambda path: kit)
    return kit


def test_a_kit_needs_nothing_else(places, flash, firmware, chip, kit, micropython):
    chip("RP2040")
    kit.staged = fake_image(kit.board("bench"), kit.site("market"))
    with Rp2InLoader(places / "volumes", places / "ports") as rp2:
        code, out, err = flash("--kit", "kit.zip")
        assert code == 0, err
        assert out.startswith(f"market-1 on {rp2.volume} runs")
        assert rp2.board is not None
        with SerialBoard(rp2.board.port) as connection:
            assert connection.read_file("/secrets.json") == kit.secrets("market-1")
    report = json.loads((places / "commissioning-market-1.json").read_text())
    assert report["interpreter"]["file"] == "X-1.uf2"
    assert report["warnings"] == ["X-1.uf2 was installed although nobody pinned its hash."]
    assert "/secrets.json" not in report["files"] and "password" not in json.dumps(report)


def test_a_site_is_called_by_its_name_or_its_unit(kit):
    board = kit.board("bench")
    for name in ("market", "market-1", None):
        site, stem = flash_command._find_site(board, name, kit)
        assert site is not None and (site.values["unit"]["name"], stem) == ("market-1", "market")
    assert flash_command._find_site(board, "example", kit)[1] is None
    kit.sites = ("market", "harbour")
    assert flash_command._find_site(board, None, kit) == (None, None)
    with pytest.raises(InputError, match="the kit has no site 'park'"):
        flash_command._find_site(board, "park", kit)
    assert flash_command._find_board("virtual", kit, (), []).name == "virtual"
    assert flash_command._find_board("bench", kit, (), []).name == "bench"


def test_what_a_kit_staged_is_used_where_it_runs(kit, monkeypatch):
    board, site = read_board("virtual"), kit.site("market")
    fresh: list[bytes | None] = []

    def build(board: BoardConfig, site: SiteConfig, *, compiler: object, root_keys: bytes | None) -> Image:
        fresh.append(root_keys)
        return fake_image(board, site)

    monkeypatch.setattr(job_module, "build_image", build)

    def files(abi: int | None, **options) -> dict[str, bytes]:
        kit.staged = fake_image(board, site)
        manifest = json.loads(kit.staged.files["/a/manifest.json"]) | {"mpy": abi}
        kit.staged.files["/a/manifest.json"] = json.dumps(manifest).encode()
        kit.staged.files["/mark"] = b""
        identity = BoardIdentity("micropython", (1, 28, 0), "linux", "", 0x1206, b"\1")
        return Job(board, site, kit=kit, kit_site="market", **options).image(site, "market-1", identity).files

    assert "/mark" in files(0x1206) and "/mark" in files(None) and fresh == []
    assert "/mark" not in files(0x0A06) and fresh == [kit.root_keys], "compiled for another interpreter"
    assert "/mark" not in files(None, mpy=False) and len(fresh) == 2, "sources were asked for"


def test_a_unit_with_a_name_of_its_own_shares_the_secrets_of_its_site(kit, firmware):
    site = kit.site("market")
    job = Job(read_board("virtual"), site, kit=kit)
    assert job.image(site, "market-2").files["/secrets.json"] == kit.secrets("market-1")
    job.secrets = b"{}"
    assert job.image(site, "market-2").files["/secrets.json"] == b"{}"
