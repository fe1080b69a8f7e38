# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The city's keys: what is secret stays so, what is signed openssl accepts, and lists that were changed are noticed."""

import json
import shutil
import stat
import subprocess
from pathlib import Path

import pytest
from city_keys import city, signing_key
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from leezenflow_host import cli
from leezenflow_host.errors import InputError
from leezenflow_host.signing import KeyFolder, is_signed, load_key, make_keys, read_key_list, read_root_keys

PASSWORD = "correct horse battery"


def run(capsys, *arguments: str) -> tuple[int, str, str]:
    code = cli.run(["keys", *arguments])
    said = capsys.readouterr()
    return code, said.out, said.err


def test_new_keys_are_secret_where_they_must_be(capsys, tmp_path):
    code, out, err = run(capsys, "new", "--out", str(tmp_path / "keys"))
    assert (code, err) == (0, "")
    assert "The secret keys have no password" in out
    assert "Give them to two people" in out
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "keys").iterdir()}
    assert set(modes) == {"root-1.pem", "root-2.pem", "release-1.pem", "root_keys.json", "keys.json", "keys.json.sig"}
    assert all(mode == 0o600 for name, mode in modes.items() if name.endswith(".pem"))
    folder = KeyFolder(tmp_path / "keys")
    assert folder.keys.version == 1
    assert [key.key_id for key in folder.keys.keys] == [load_key(tmp_path / "keys/release-1.pem").key_id]
    assert len({root.key_id for root in folder.roots}) == 2
    assert run(capsys, "new", "--out", str(tmp_path / "keys"))[0] == 2


def test_a_dry_run_writes_nothing(capsys, tmp_path):
    code, out, _ = run(capsys, "new", "--out", str(tmp_path / "keys"), "--dry-run")
    assert (code, (tmp_path / "keys").exists()) == (0, False)
    assert "root-1.pem (secret)" in out
    assert "keys.json\n" in out
    folder = city(tmp_path / "city")
    before = {path.name for path in folder.iterdir()}
    code, out, _ = run(capsys, "rotate", "--keys", str(folder), "--dry-run")
    assert code == 0
    assert "Would write keys.json, keys.json.sig, release-2.pem" in out
    code, out, _ = run(
        capsys, "sign", str(folder / "keys.json"), "--key", str(folder / "root-1.pem"), "--out", "x", "--dry-run"
    )
    assert (code, out[:13]) == (0, "Would write x")
    assert {path.name for path in folder.iterdir()} == before


def test_a_password_protects_all_secret_keys(capsys, tmp_path, monkeypatch):
    monkeypatch.setenv("LEEZENFLOW_KEY_PASSWORD", PASSWORD)
    folder = tmp_path / "keys"
    code, out, _ = run(capsys, "new", "--out", str(folder), "--password")
    assert code == 0
    assert "no password" not in out
    key = load_key(folder / "root-2.pem")
    assert "protected by a password" in run(capsys, "show", str(folder))[1]
    monkeypatch.setenv("LEEZENFLOW_KEY_PASSWORD", "something else")
    with pytest.raises(InputError, match="the password is wrong"):
        load_key(folder / "root-2.pem")
    monkeypatch.delenv("LEEZENFLOW_KEY_PASSWORD")
    with pytest.raises(InputError, match="is protected by a password: set LEEZENFLOW_KEY_PASSWORD"):
        load_key(folder / "root-2.pem")
    assert load_key(folder / "root-2.pem", PASSWORD).key_id == key.key_id
    code, _, err = run(capsys, "new", "--out", str(tmp_path / "more"), "--password")
    assert (code, "set LEEZENFLOW_KEY_PASSWORD" in err) == (2, True)
    monkeypatch.setenv("LEEZENFLOW_KEY_PASSWORD", "short")
    code, _, err = run(capsys, "new", "--out", str(tmp_path / "more"), "--password")
    assert (code, "less than 12 characters" in err) == (2, True)


def test_rotation_names_a_new_key_and_drops_the_one_before(capsys, tmp_path):
    folder = city(tmp_path / "keys")
    first = KeyFolder(folder).keys
    code, out, _ = run(capsys, "rotate", "--keys", str(folder))
    assert code == 0
    assert f"No longer counts: {first.keys[0].key_id}" in out
    second = KeyFolder(folder).keys
    assert (second.version, len(second.keys)) == (2, 1)
    assert second.keys[0].key_id == load_key(folder / "release-2.pem").key_id
    # The other root can do it as well, and the key before may be kept.
    assert run(capsys, "rotate", "--keys", str(folder), "--root", str(folder / "root-2.pem"), "--keep")[0] == 0
    third = KeyFolder(folder).keys
    assert (third.version, third.keys[1]) == (3, second.keys[0])
    with pytest.raises(InputError, match=r"is the key .* but .* lists"):
        KeyFolder(folder).require_listed(load_key(folder / "release-1.pem"), folder / "release-1.pem")


def test_a_list_of_more_keys_than_units_take_is_refused(capsys, tmp_path):
    folder = city(tmp_path / "keys")
    monkey = KeyFolder(folder)
    monkey.keys = type(monkey.keys)(1, monkey.keys.keys * 4)
    with pytest.raises(InputError, match="at most 4 release keys: rotate without --keep"):
        monkey.rotate(None, keep=True)


def test_without_the_right_root_there_is_no_rotation(capsys, tmp_path):
    folder = city(tmp_path / "keys")
    (tmp_path / "other.pem").write_bytes(signing_key("stranger").pem(None))
    code, _, err = run(capsys, "rotate", "--keys", str(folder), "--root", str(tmp_path / "other.pem"))
    assert (code, "is no root key of" in err) == (2, True)
    for root in folder.glob("root-*.pem"):
        root.unlink()
    code, _, err = run(capsys, "rotate", "--keys", str(folder))
    assert (code, "name it with --root" in err) == (2, True)


def test_a_root_kept_elsewhere_signs_the_list(capsys, tmp_path):
    folder = city(tmp_path / "keys")
    (folder / "keys.json.sig").write_bytes(b"?" * 384)
    code, _, err = run(capsys, "show", str(folder))
    assert (code, "is not the signature of keys.json by a key in root_keys.json" in err) == (2, True)
    code, out, _ = run(capsys, "sign", str(folder / "keys.json"), "--key", str(folder / "root-2.pem"))
    assert code == 0
    assert out.startswith(f"Wrote {folder / 'keys.json.sig'}: signed by the key ")
    code, out, _ = run(capsys, "show", str(folder))
    assert (code, "keys.json    version 1, signed by a root" in out) == (0, True)
    assert run(capsys, "sign", str(folder / "none"), "--key", str(folder / "root-2.pem"))[0] == 2


@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not installed")
def test_openssl_verifies_what_we_sign_and_we_what_it_signs(tmp_path):
    folder = city(tmp_path / "keys")
    public = tmp_path / "root.pub"
    openssl("pkey", "-in", str(folder / "root-1.pem"), "-pubout", "-out", str(public))
    said = openssl(
        "dgst",
        "-sha256",
        "-verify",
        str(public),
        "-signature",
        str(folder / "keys.json.sig"),
        str(folder / "keys.json"),
    )
    assert said == "Verified OK\n"
    theirs = tmp_path / "theirs.sig"
    openssl("dgst", "-sha256", "-sign", str(folder / "root-1.pem"), "-out", str(theirs), str(folder / "keys.json"))
    assert theirs.read_bytes() == (folder / "keys.json.sig").read_bytes()


def openssl(*arguments: str) -> str:
    return subprocess.run(["openssl", *arguments], capture_output=True, text=True, check=True).stdout


def test_signatures_of_others_and_of_other_bytes_are_none():
    ours, stranger = signing_key("ours"), signing_key("stranger")
    signature = ours.sign(b"text")
    assert is_signed(b"text", signature, [stranger.modulus, ours.modulus])
    assert not is_signed(b"text", signature, [stranger.modulus])
    assert not is_signed(b"texts", signature, [ours.modulus])
    assert not is_signed(b"text", b"", [ours.modulus])


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "there is no such key"),
        (b"nothing", "this is no PEM file with a secret key"),
        ("small", "not an RSA key of 3072 bits"),
        ("curve", "not an RSA key of 3072 bits"),
        ("exponent", "its public exponent is not 65537"),
    ],
)
def test_keys_that_units_cannot_verify_are_refused(tmp_path, content, message):
    file = tmp_path / "key.pem"
    others = {
        "small": lambda: rsa.generate_private_key(65537, 2048),
        "curve": lambda: ec.generate_private_key(ec.SECP256R1()),
        "exponent": lambda: rsa.generate_private_key(3, 3072),
    }
    if isinstance(content, str):
        content = others[content]().private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(InputError, match=message):
        load_key(file)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (None, "damaged, it is not a json object"),
        ({"leezenflow_keys": 2}, "not a list of release keys"),
        ({"version": 0}, "not a list of release keys"),
        ({"release_keys": []}, "must list 1 to 4 keys"),
        ({"release_keys": [{"n": "AAAA"}]}, "key 1 is not the modulus of an RSA key of 3072 bits"),
        ({"release_keys": [7]}, "key 1 is not the modulus"),
        ({"release_keys": [{"n": "???"}]}, "key 1 is not the modulus"),
    ],
)
def test_lists_that_say_nothing_are_refused(tmp_path, changes, message):
    values = json.loads((city(tmp_path / "keys") / "keys.json").read_text())
    text = b"[]" if changes is None else json.dumps({**values, **changes}).encode()
    with pytest.raises(InputError, match=f"keys.json: {message}"):
        read_key_list(text, "keys.json")


def test_files_that_are_missing_or_of_another_kind_are_named(capsys, tmp_path):
    folder = city(tmp_path / "keys")
    with pytest.raises(InputError, match="not a file of root keys"):
        read_root_keys(folder / "keys.json")
    for name in ("keys.json.sig", "keys.json", "root_keys.json"):
        (folder / name).unlink()
        code, _, err = run(capsys, "show", str(folder))
        assert (code, f"{name}: there is no such file" in " ".join(err.split())) == (2, True)
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="is a file; name a folder"):
        make_keys(tmp_path / "file")
    (folder / "root_keys.json").write_text("{")
    with pytest.raises(InputError, match=r"root_keys\.json: damaged"):
        read_root_keys(folder / "root_keys.json")


def test_the_password_can_be_typed(tmp_path, monkeypatch):
    folder = tmp_path / "keys"
    monkeypatch.setenv("LEEZENFLOW_KEY_PASSWORD", PASSWORD)
    assert cli.run(["keys", "new", "--out", str(folder), "--password"]) == 0
    monkeypatch.delenv("LEEZENFLOW_KEY_PASSWORD")
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    asked: list[str] = []

    def prompt(text: str, **options: object) -> str:
        asked.append(text)
        return PASSWORD

    monkeypatch.setattr("rich_click.prompt", prompt)
    assert load_key(folder / "root-1.pem").key_id
    assert asked == [f"Password of {folder / 'root-1.pem'}"]
    assert cli.run(["keys", "rotate", "--keys", str(folder), "--password"]) == 0
    assert b"ENCRYPTED" in (Path(folder) / "release-2.pem").read_bytes()


def test_root_keys_come_with_an_installation(capsys, tmp_path):
    folder = city(tmp_path / "keys")
    tree = tmp_path / "tree"
    arguments = ["install", "--board", "virtual", "--stage", str(tree), "--root-keys"]
    assert cli.run([*arguments, str(folder / "root_keys.json")]) == 0
    assert (tree / "root_keys.json").read_bytes() == (folder / "root_keys.json").read_bytes()
    capsys.readouterr()
    assert cli.run([*arguments, str(folder / "keys.json")]) == 2
    assert "not a file of root keys" in " ".join(capsys.readouterr().err.split())
