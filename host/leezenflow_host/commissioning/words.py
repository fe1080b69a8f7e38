# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The words of a commissioning report, in English and German."""

from typing import Any, Literal

Language = Literal["en", "de"]

CHECKS = ("panel", "memory", "decoder", "light", "sensors", "frames", "files")

_LABELS: dict[str, tuple[str, str]] = {
    "title": ("Commissioning report", "Inbetriebnahmeprotokoll"),
    "unit": ("Unit", "Anzeige"),
    "board": ("Board", "Platine"),
    "port": ("Port", "Anschluss"),
    "chip": ("Chip", "Chip"),
    "chip_id": ("Chip id", "Chip-Kennung"),
    "when": ("When", "Wann"),
    "operator": ("By", "Durch"),
    "tool_version": ("Installed with", "Installiert mit"),
    "firmware_version": ("Firmware", "Firmware"),
    "micropython": ("MicroPython", "MicroPython"),
    "interpreter": ("Interpreter image", "Interpreter-Abbild"),
    "site": ("Site", "Standort"),
    "intersection": ("Intersection", "Knotenpunkt"),
    "signal_group": ("Signal group", "Signalgruppe"),
    "adapter": ("Adapter", "Adapter"),
    "source": ("Source", "Quelle"),
    "travel": ("Riders take", "Fahrzeit"),
    "travel_sprint": ("{cruise} s, hurrying {sprint} s", "{cruise} s, eilig {sprint} s"),
    "look": ("Look", "Darstellung"),
    "files": ("Files", "Dateien"),
    "files_count": ("{count} files, SHA-256 of all: {digest}", "{count} Dateien, SHA-256 über alle: {digest}"),
    "self_test": ("Self-test", "Selbsttest"),
    "check": ("Check", "Prüfung"),
    "result": ("Result", "Ergebnis"),
    "detail": ("What was found", "Befund"),
    "warnings": ("Remarks", "Hinweise"),
    "pattern": ("The panel must show this test pattern", "Die Anzeige muss dieses Testbild zeigen"),
    "pattern_arrow": (
        "Arrow at the top; corners red, green, blue, white",
        "Pfeil oben; Ecken rot, grün, blau, weiß",
    ),
    "passed": ("Passed", "Bestanden"),
    "failed": ("Not passed", "Nicht bestanden"),
    "untested": ("Not tested", "Nicht geprüft"),
    "yes": ("ok", "in Ordnung"),
    "no": ("NOT ok", "NICHT in Ordnung"),
    "none": ("not tested", "nicht geprüft"),
    "no_site": ("none: the panel stays dark", "keiner: die Anzeige bleibt dunkel"),
    "more": ("{count} more: see the .json file", "{count} weitere: siehe .json-Datei"),
    "at_prompt": ("from the prompt, the program did not run", "von der Konsole aus, das Programm lief nicht"),
    "setup_label": ("For the label inside the housing", "Für das Etikett innen im Gehäuse"),
    "setup_words": (
        "First-time setup: Wi-Fi {network}, password {password}. It opens only when the button is held at power-up; "
        "the password follows from the chip id and is none of the city's network.",
        "Ersteinrichtung: WLAN {network}, Passwort {password}. Es öffnet sich nur, wenn beim Einschalten der Knopf "
        "gehalten wird; das Passwort folgt aus der Chip-Kennung und ist keines des städtischen Netzes.",
    ),
    "seen": ("Test pattern seen and right", "Testbild gesehen und richtig"),
    "handed_over": ("Handed over (date, name)", "Übergeben (Datum, Name)"),
    "taken_over": ("Taken over (date, name)", "Übernommen (Datum, Name)"),
    "advice": (
        "The unit gives advice; the lamp at the junction rules.",
        "Die Anzeige gibt Hinweise; es gilt das Signal am Knotenpunkt.",
    ),
    "check_panel": ("Panel", "Anzeigefeld"),
    "check_memory": ("Memory", "Speicher"),
    "check_decoder": ("Stored message", "Gespeicherte Nachricht"),
    "check_light": ("Light sensor", "Lichtsensor"),
    "check_sensors": ("Other sensors", "Weitere Sensoren"),
    "check_frames": ("Picture rate", "Bildfolge"),
    "check_files": ("Files", "Dateien"),
    "said_panel": (
        "test pattern of {width} x {height} shown in {ms} ms",
        "Testbild mit {width} x {height} in {ms} ms gezeigt",
    ),
    "said_memory": ("{free} kB free, {least} kB needed", "{free} kB frei, {least} kB nötig"),
    "said_decoder": ("{adapter} read {bytes} bytes in {ms} ms", "{adapter} las {bytes} Byte in {ms} ms"),
    "said_wrong": (
        "{adapter} read something else than it says",
        "{adapter} las etwas anderes, als darin steht",
    ),
    "said_light": ("{lux} lx", "{lux} lx"),
    "said_light_waits": ("answers, no value yet", "antwortet, noch kein Wert"),
    "said_sensors": ("{found} answer", "{found} antworten"),
    "said_frames": ("{ms} ms a frame, {allowed} ms allowed", "{ms} ms je Bild, {allowed} ms erlaubt"),
    "said_files": ("{count} files in {slot} as released", "{count} Dateien in {slot} wie ausgeliefert"),
    "said_bad": ("in {slot} differ: {bad}", "in {slot} weichen ab: {bad}"),
    "said_no_files": ("{slot} has no list of files", "{slot} hat kein Dateiverzeichnis"),
}

# What a unit says where there is nothing to test.
_FAULTS = {
    "none configured": "keiner vorgesehen",
    "no stored message": "keine gespeicherte Nachricht",
    "needs a site": "braucht einen Standort",
    "needs the running unit": "nur bei laufendem Programm",
}


def label(key: str, language: Language) -> str:
    """Return the words for a key."""
    return _LABELS[key][language == "de"]


def outcome(ok: bool | None, language: Language) -> str:
    """Return whether a check passed, in words."""
    return label("none" if ok is None else "yes" if ok else "no", language)


def check_title(name: str, language: Language) -> str:
    """Return what a check of the unit is called; its own name where it is a new one."""
    return label(f"check_{name}", language) if f"check_{name}" in _LABELS else name


def check_words(name: str, check: dict[str, Any], language: Language) -> str:
    """Return in words what a check found; a fault is in the unit's own words."""
    try:
        return _check_words(name, check, language)
    except (KeyError, TypeError, ValueError):
        # Another version of the firmware says it in another way.
        return ", ".join(f"{key}: {value}" for key, value in check.items() if key != "ok")


def _check_words(name: str, check: dict[str, Any], language: Language) -> str:
    if check.get("fault"):
        fault = str(check["fault"])
        return _FAULTS.get(fault, fault) if language == "de" else fault
    if name == "decoder":
        words = label("said_decoder" if check["ok"] else "said_wrong", language)
        return words.format(adapter=check["adapter"], bytes=check["bytes"], ms=_ms(check["took_us"]))
    if name == "memory":
        return label("said_memory", language).format(free=check["free"] // 1024, least=check["least"] // 1024)
    if name == "frames":
        return label("said_frames", language).format(ms=_ms(check["middle_us"]), allowed=_ms(check["allowed_us"]))
    if name == "light":
        return label("said_light_waits" if check["lux"] is None else "said_light", language).format(lux=check["lux"])
    if name == "panel":
        return label("said_panel", language).format(ms=_ms(check["show_us"]), **check)
    if name == "sensors":
        return label("said_sensors", language).format(found=", ".join(check["found"]))
    if name == "files":
        key = "said_files" if check["ok"] else "said_bad" if check["bad"] else "said_no_files"
        return label(key, language).format(count=check["count"], slot=check["slot"], bad=", ".join(check["bad"]))
    return label(f"said_{name}", language).format(**check)


def _ms(microseconds: int) -> str:
    return f"{microseconds / 1000:.1f}".removesuffix(".0")
