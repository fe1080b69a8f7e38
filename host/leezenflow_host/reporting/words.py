# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every word of the report, English and German side by side."""

import re

from leezenflow_host.errors import InputError

LANGUAGES = ("en", "de")

WORDS: dict[str, tuple[str, str]] = {
    "title": ("Is the display right?", "Hat die Anzeige recht?"),
    "skip": ("Skip to the figures", "Zu den Zahlen springen"),
    "made_by": ("Leezenflow {version}, form of results {form}", "Leezenflow {version}, Ergebnisformat {form}"),
    "overview": ("All at a glance", "Alles auf einen Blick"),
    "where": ("Signal", "Signal"),
    "signal": ("Intersection {intersection}, signal group {group}", "Knoten {intersection}, Signalgruppe {group}"),
    "setting": ("Setting", "Einstellung"),
    "period": ("{start} to {end} (UTC)", "{start} bis {end} (UTC)"),
    "cycles": ("Cycles", "Umläufe"),
    "cycles_note": ("seen as a whole, from green to green", "ganz gesehen, von Grün zu Grün"),
    "wrong": ("Wrong colour", "Falsche Farbe"),
    "wrong_green": ("Wrong green", "Falsches Grün"),
    "answered": ("Answered", "Beantwortet"),
    "mae": ("Error of the time left", "Fehler der Restzeit"),
    "flicker": ("Changes shown per true change", "Gezeigte Wechsel je echtem Wechsel"),
    "wrong_note": ("of the time a rider meets green or red", "der Zeit, in der man Grün oder Rot antrifft"),
    "wrong_green_note": (
        "of all time: green shown, red met. The dangerous part",
        "der ganzen Zeit: Grün gezeigt, Rot angetroffen. Der gefährliche Teil",
    ),
    "answered_note": (
        "of the time a rider meets green or red; else uncertain or dark",
        "der Zeit, in der man Grün oder Rot antrifft; sonst unsicher oder dunkel",
    ),
    "mae_note": ("mean, while the colour is right", "im Mittel, solange die Farbe stimmt"),
    "flicker_note": ("1 is ideal", "1 ist ideal"),
    "interval": ("95 % interval {low} to {high}", "95-%-Intervall {low} bis {high}"),
    "no_interval": ("too few cycles for an interval", "zu wenige Umläufe für ein Intervall"),
    "in_words": (
        "Of 100 moments at which a rider will meet green or red, the display is right in {right}, wrong in {wrong}, "
        "and says honestly in {silent} that it does not know.",
        "Von 100 Augenblicken, in denen man Grün oder Rot antreffen wird, stimmt die Anzeige in {right}, ist in "
        "{wrong} falsch und gibt in {silent} ehrlich zu, es nicht zu wissen.",
    ),
    "shares": ("What riders saw", "Was Radfahrende sahen"),
    "right": ("right", "richtig"),
    "wrong_part": ("wrong", "falsch"),
    "uncertain": ("uncertain", "unsicher"),
    "dark": ("dark", "dunkel"),
    "looks": ("What the panel says", "Was die Anzeige sagt"),
    "look_green": ("green: ride on", "Grün: weiterfahren"),
    "look_sprint": ("ride faster", "schneller fahren"),
    "look_red": ("red", "Rot"),
    "look_uncertain": ("uncertain", "unsicher"),
    "why_not": ("Why the rest was not answered", "Warum der Rest unbeantwortet blieb"),
    "reason": ("Reason", "Grund"),
    "share": ("Share", "Anteil"),
    "by_hour": ("Through the day", "Über den Tag"),
    "by_weekday": ("Through the week", "Über die Woche"),
    "by_program": ("By signal program", "Nach Signalprogramm"),
    "by_switch": ("Before the switch to", "Vor dem Wechsel zu"),
    "hour": ("Hour", "Stunde"),
    "weekday": ("Weekday", "Wochentag"),
    "program": ("Program", "Programm"),
    "switch": ("Switch to", "Wechsel zu"),
    "frames": ("Frames", "Bilder"),
    "zone": ("Hours and weekdays in {zone}.", "Stunden und Wochentage in {zone}."),
    "certainty": ("How honest the certainty is", "Wie ehrlich die Sicherheit ist"),
    "certainty_note": (
        "On the dashed line, what is called 90 % sure is right in 90 % of the cases. Above it the display is modest, "
        "below it boasts.",
        "Auf der gestrichelten Linie stimmt in 90 % der Fälle, was zu 90 % sicher heißt. Darüber ist die Anzeige "
        "bescheiden, darunter prahlt sie.",
    ),
    "claimed": ("Claimed", "Behauptet"),
    "was_right": ("Was right", "Stimmte"),
    "display": ("display", "Anzeige"),
    "controller": ("controller", "Steuergerät"),
    "forecast": ("What the controller's own forecast is worth", "Was die Prognose des Steuergeräts taugt"),
    "forecast_note": (
        "Error of the next switch by how far ahead it is; from the messages alone, without our display.",
        "Fehler des nächsten Wechsels nach Vorausschau; allein aus den Nachrichten, ohne unsere Anzeige.",
    ),
    "to_green": ("to green", "zu Grün"),
    "to_red": ("to red", "zu Rot"),
    "ahead": ("Ahead", "Voraus"),
    "mean_error": ("Mean error", "Mittlerer Fehler"),
    "bias": ("Bias", "Verzerrung"),
    "p95": ("95 % below", "95 % unter"),
    "within_2": ("Within 2 s", "Innerhalb 2 s"),
    "messages": ("Messages", "Nachrichten"),
    "coded": ("What the messages say of their own certainty", "Was die Nachrichten über ihre Sicherheit sagen"),
    "coded_note": (
        "Error of at most 2 s against the coded confidence (SAE J2735, TimeIntervalConfidence).",
        "Fehler von höchstens 2 s gegen die angegebene Sicherheit (SAE J2735, TimeIntervalConfidence).",
    ),
    "forecast_facts": ("The forecast as a whole", "Die Prognose insgesamt"),
    "no_forecast": (
        "none: this feed gives no forecast; the display learns from the switches it sees",
        "keine: Diese Quelle gibt keine Prognose; die Anzeige lernt aus den Wechseln, die sie sieht",
    ),
    "fact": ("Figure", "Kennzahl"),
    "value": ("Value", "Wert"),
    "available_share": ("time with a fresh, usable forecast", "Zeit mit frischer, brauchbarer Prognose"),
    "usable_share": ("messages with a usable end", "Nachrichten mit brauchbarem Ende"),
    "jumps_per_cycle": ("jumps of more than 1.5 s a cycle", "Sprünge um mehr als 1,5 s je Umlauf"),
    "jump_max_ms": ("largest jump", "größter Sprung"),
    "before_min_share": ("switches before minEndTime", "Wechsel vor minEndTime"),
    "after_max_share": ("switches after maxEndTime", "Wechsel nach maxEndTime"),
    "lead_to_green_ms": ("stable before the switch to green", "stabil vor dem Wechsel zu Grün"),
    "lead_to_red_ms": ("stable before the switch to red", "stabil vor dem Wechsel zu Rot"),
    "expected_calibration_error": ("expected calibration error", "erwarteter Kalibrierfehler"),
    "cycle_discrepancy_s": (
        "seconds in which a cycle differs from the one before",
        "Sekunden Abweichung zum Vorumlauf",
    ),
    "regularity": (
        "How much each cycle differs from the one before",
        "Wie sehr sich aufeinanderfolgende Umläufe unterscheiden",
    ),
    "seconds": ("seconds", "Sekunden"),
    "comparison": ("Compared with {name}", "Verglichen mit {name}"),
    "comparison_note": (
        "Difference of this display to the other one on the same cycles, in percentage points. Left of the line: this "
        "display has less.",
        "Unterschied dieser Anzeige zur anderen in denselben Umläufen, in Prozentpunkten. Links der Linie: diese "
        "Anzeige hat weniger.",
    ),
    "plain arithmetic": ("plain arithmetic", "einfacher Rechnung"),
    "this": ("This display", "Diese Anzeige"),
    "other": ("The other", "Die andere"),
    "difference": ("Difference", "Unterschied"),
    "problems": ("What was wrong with the data", "Was mit den Daten nicht stimmte"),
    "problem": ("Problem", "Problem"),
    "count": ("Count", "Anzahl"),
    "first_problem": ("The first of them", "Das erste davon"),
    "silence": ("silence", "Funkstille"),
    "missing_hours": ("missing hours", "fehlende Stunden"),
    "clock_jump": ("clock jump", "Uhr gesprungen"),
    "clock_stopped": ("clock stands still", "Uhr steht"),
    "clock_offset": ("clock offset", "Uhr falsch gestellt"),
    "time_zone": ("time zone", "Zeitzone"),
    "overlap": ("overlap", "Überschneidung"),
    "empty_group": ("empty group", "Signalgruppe ohne Farbe"),
    "cut_off": ("cut off", "abgeschnitten"),
    "damaged_line": ("damaged line", "beschädigte Zeile"),
    "unreadable_message": ("unreadable message", "unlesbare Nachricht"),
    "failed_file": ("failed file", "unbrauchbare Datei"),
    "no_problems": ("Nothing was wrong with the data.", "An den Daten war nichts auszusetzen."),
    "figures": ("The figures", "Die Zahlen"),
    "table": ("As a table", "Als Tabelle"),
    "method": ("How this was measured", "Wie gemessen wurde"),
    "method_text": (
        "The truth is the lamp at the moment the rider arrives; amber is neutral. Frames, ten a second, are those that "
        "the display would have shown for the messages as they were recorded, silences included. Intervals come from "
        "drawing whole cycles, since riders in one cycle are not independent. A display without travel time is nearly "
        "always right, and useless: read every figure together with the setting. Data: {trace}.",
        "Als wahr gilt die Lampe im Augenblick der Ankunft; Gelb zählt nicht. Bilder, zehn in der Sekunde, sind die, "
        "die die Anzeige zu den aufgezeichneten Nachrichten gezeigt hätte, Pausen eingeschlossen. Intervalle entstehen "
        "durch Ziehen ganzer Umläufe, denn wer im selben Umlauf fährt, ist nicht unabhängig. Eine Anzeige ohne "
        "Fahrzeit hat fast immer recht und nützt nichts: Jede Zahl gilt nur mit der Einstellung. Daten: {trace}.",
    ),
    "wrong_colour_share": ("wrong colour", "falsche Farbe"),
    "wrong_green_share": ("wrong green", "falsches Grün"),
    "answered_share": ("answered", "beantwortet"),
    "uncertain_share": ("uncertain", "unsicher"),
    "dark_share": ("dark", "dunkel"),
    "remaining_mae_ms": ("error of the time left", "Fehler der Restzeit"),
    "green": ("green", "Grün"),
    "red": ("red", "Rot"),
    "no_data": ("no message yet", "noch keine Nachricht"),
    "starting": ("not yet two messages", "noch keine zwei Nachrichten"),
    "stale": ("the last message is too old", "die letzte Nachricht ist zu alt"),
    "signal_off": ("the signal is off", "das Signal ist aus"),
    "flashing": ("the lamp flashes", "die Lampe blinkt"),
    "failure": ("the controller reports a failure", "das Steuergerät meldet eine Störung"),
    "manual": ("manual control", "Handsteuerung"),
    "stopped": ("the controller's clock is stopped", "die Uhr des Steuergeräts steht"),
    "implausible": ("a message without phases", "eine Nachricht ohne Phasen"),
    "beyond_forecast": ("the arrival is behind the last forecast phase", "die Ankunft liegt hinter der Prognose"),
    "overdue": ("the phase should have ended", "die Phase sollte vorbei sein"),
    "doubtful": ("the chance of being wrong is too high", "zu wahrscheinlich falsch"),
    "learning": ("still learning", "lernt noch"),
    "near_switch": ("close to a switch", "nahe an einem Wechsel"),
}

# A setting in words (Question.setting), and how German says it.
_SETTING = re.compile(r"([\d.]+) m at ([\d.]+) km/h(?:, sprint ([\d.]+) km/h)?(?:, at most ([\d.]+) % wrong)?")

_WEEKDAYS = {
    "en": ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"),
    "de": ("Mo", "Di", "Mi", "Do", "Fr", "Sa", "So"),
}


class Words:
    """The words of one language, and how it writes numbers."""

    def __init__(self, language: str) -> None:
        if language not in LANGUAGES:
            raise InputError(f"--lang {language}: there are {' and '.join(LANGUAGES)}.")
        self.language = language
        self.weekdays = _WEEKDAYS[language]
        self._column = LANGUAGES.index(language)

    def __call__(self, key: str, **values: object) -> str:
        """Return the words of `key`; a key that is not there (a reason of the core) is its own word."""
        known = WORDS.get(key)
        return known[self._column].format(**values) if known else key.replace("_", " ")

    def setting(self, text: str) -> str:
        """A setting as `Question.setting` tells it; the name of a site file stays as it is."""
        told = _SETTING.fullmatch(text)
        if told is None or self.language == "en":
            return text
        distance, speed, sprint, limit = (part and part.replace(".", ",") for part in told.groups())
        words = f"{distance} m bei {speed} km/h"
        if sprint:
            words += f", Sprint {sprint} km/h"
        return f"{words}, höchstens {limit} % falsch" if limit else words

    def whole_points(self, share: float) -> str:
        """Write a difference of shares in percentage points for an axis, with its sign and no needless digits."""
        value = f"{100 * share:+.3g}".replace("-", "−") if share else "0"
        return value.replace(".", ",") if self.language == "de" else value

    def number(self, value: float | None, digits: int = 2) -> str:
        """Write a number, "–" for none."""
        if value is None:
            return "–"
        text = f"{value:.{digits}f}"
        return text.replace(".", ",") if self.language == "de" else text

    def percent(self, share: float | None, digits: int | None = None) -> str:
        """Write a share (0..1) in per cent, small ones with two digits."""
        if share is None:
            return "–"
        if digits is None:
            digits = 1 if abs(share) >= 0.1 else 2
        return f"{self.number(100 * share, digits)}\N{NO-BREAK SPACE}%"

    def seconds(self, value_ms: float | None) -> str:
        """Write milliseconds in seconds."""
        return "–" if value_ms is None else f"{self.number(value_ms / 1000)}\N{NO-BREAK SPACE}s"

    def points(self, share: float | None) -> str:
        """Write a difference of shares in percentage points, with its sign."""
        if share is None:
            return "–"
        sign = "+" if share > 0 else "−" if share < 0 else "±"
        return f"{sign}{self.number(abs(100 * share))}"
