# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The doctor's words in German: case -> (diagnosis, next step). {names} are filled from the finding's values."""

TEXTS: dict[str, tuple[str, str]] = {
    # Vom Rechner zur Platine
    "no_port": (
        "An diesem Rechner ist keine Platine zu sehen: kein serieller Anschluss und kein Laufwerk einer Platine, die "
        "auf ein Programm wartet.",
        "Die Platine mit einem USB-Kabel anstecken, das Daten überträgt. Steckt sie schon, ein anderes Kabel nehmen: "
        "Viele laden nur.",
    ),
    "charge_only_cable": (
        "Eine Platine wurde angesteckt, aber es erschien kein USB-Gerät: Das Kabel lädt vermutlich nur.",
        "Ein anderes USB-Kabel nehmen, das schon einmal Dateien übertragen hat, und direkt am Rechner anstecken.",
    ),
    "no_driver": (
        "Ein USB-Gerät, das nach einer Platine aussieht, ist da ({device}), hat aber keinen seriellen Anschluss.",
        "Abziehen, fünf Sekunden warten und wieder anstecken; hilft das nicht, diesen Rechner neu starten.",
    ),
    "port_missing": (
        "Den Anschluss {port} gibt es nicht. Anschlüsse mit einem Gerät: {ports}.",
        "--port weglassen oder einen der vorhandenen Anschlüsse nennen.",
    ),
    "not_serial": (
        "{port} ist kein serieller Anschluss.",
        "--port weglassen oder einen seriellen Anschluss wie /dev/ttyACM0 nennen.",
    ),
    "no_permission": (
        "Die Platine an {port} ist da, darf aber von diesem Benutzer nicht geöffnet werden.",
        "Ausführen: sudo usermod -aG {group} $USER, dann ab- und wieder anmelden.",
    ),
    "port_busy": (
        "Die Platine an {port} ist da, wird aber von {holders} benutzt.",
        "Dieses Programm beenden und den Doktor noch einmal rufen.",
    ),
    "several_boards": (
        "Mehrere Platinen stecken: {boards}.",
        "Mit --port sagen, welche gemeint ist, oder die anderen abziehen.",
    ),
    "uf2_boot_mode": (
        "Die Platine wartet im Startmodus auf einen Interpreter (Laufwerk {port}, {chip}).",
        "Alles aufspielen mit: leezenflow flash --board BOARD --site FILE.toml. Lief sie vorher schon, nur abziehen "
        "und ohne gedrückte Taste wieder anstecken.",
    ),
    "esp_boot_mode": (
        "Der ESP32 an {port} wartet in seinem Startprogramm oder hat kein Programm, das läuft ({detail}).",
        "Seine Reset-Taste (EN) drücken. Kommt derselbe Befund wieder, alles aufspielen mit: leezenflow flash --board "
        "BOARD --site FILE.toml.",
    ),
    "silent_port": (
        "Die Platine an {port} schweigt: Sie hat kein MicroPython, hängt, oder das Kabel lädt nur.",
        "Die Platine abziehen, fünf Sekunden warten, wieder anstecken; schweigt sie weiter, aufspielen mit: leezenflow "
        "flash --board BOARD.",
    ),
    "not_micropython": (
        "Die Platine an {port} spricht, aber nicht wie MicroPython ({detail}).",
        "Prüfen, ob es das richtige Gerät ist; dann alles aufspielen mit: leezenflow flash --board BOARD.",
    ),
    # Was auf der Platine ist
    "old_micropython": (
        "Auf der Platine an {port} läuft MicroPython {version}; Leezenflow braucht {oldest} oder neuer.",
        "Ein neueres aufspielen mit: leezenflow flash --board BOARD --site FILE.toml.",
    ),
    "file_system_damaged": (
        "Das Dateisystem der Platine an {port} ist beschädigt ({detail}).",
        "Alles neu aufspielen mit: leezenflow flash --board BOARD --site FILE.toml. Geschieht es wieder, ist der "
        "Speicher verbraucht: Platine tauschen.",
    ),
    "no_firmware": (
        "Die Platine an {port} ({chip}) hat MicroPython {version}, aber kein Leezenflow.",
        "Aufspielen mit: leezenflow install --board BOARD --site FILE.toml --port {port}.",
    ),
    "wrong_chip": (
        "Die Platine an {port} hat den Chip {chip}, ihre Firmware ist aber für {board} mit {expected}.",
        "Die Firmware der richtigen Platine aufspielen mit: leezenflow install --board BOARD --site FILE.toml --port "
        "{port}.",
    ),
    "release_missing": (
        "Die Platine an {port} hat unseren Lader, aber keine vollständige Firmware (abgebrochenes Aufspielen).",
        "Das Aufspielen wiederholen: leezenflow install --board {board} --port {port}. Es macht dort "
        "weiter, wo es aufhörte.",
    ),
    "release_damaged": (
        "{count} Datei(en) der Firmware auf der Platine an {port} fehlen oder sind verändert; die erste ist {file}.",
        "Das Aufspielen wiederholen: leezenflow install --board {board} --port {port}. Es bessert nur aus, was anders "
        "ist.",
    ),
    "configuration_damaged": (
        "{file} auf der Platine an {port} fehlt oder ist beschädigt ({detail}).",
        "Die Einstellungen neu aufspielen: leezenflow install --board {board} --site FILE.toml --port {port}.",
    ),
    "no_site": (
        "Das Gerät an {port} weiß nicht, wo es steht: Es hat keinen Standort, und seine Anzeige bleibt dunkel.",
        "Einen aufspielen mit: leezenflow install --board {board} --site FILE.toml --port {port}.",
    ),
    "crash_loop": (
        "Das Gerät an {port} startet und scheitert immer wieder ({count}-mal hintereinander). Der letzte Fehler: "
        "{error}",
        "Nennt der Fehler eine Datei oder Einstellung, diese berichtigen und neu aufspielen; sonst das Aufspielen "
        "wiederholen: leezenflow install --board {board} --port {port}.",
    ),
    "stopped": (
        "Firmware und Einstellungen der Platine an {port} sind vollständig, aber das Gerät lief nicht. Es wurde "
        "gestartet.",
        "Eine halbe Minute warten und den Doktor noch einmal rufen.",
    ),
    "safe_mode": (
        "Das Gerät {unit} ist {count}-mal hintereinander gescheitert und im Schutzbetrieb: Seine Anzeige bleibt "
        "dunkel. Der letzte Fehler: {error}",
        "Nennt der Fehler eine Datei oder Einstellung, diese berichtigen und neu aufspielen; sonst das Gerät einmal "
        "vom Strom trennen, und den Fehler melden, wenn er wiederkommt.",
    ),
    # Vom Gerät zum Signal
    "no_network": (
        "Das Gerät {unit} hat kein Netz: {fault}.",
        "Name und Passwort des WLANs in seinen Geheimnissen prüfen (leezenflow install --secrets FILE.json), und ob "
        "der Zugangspunkt bis zum Gerät reicht.",
    ),
    "broker_name": (
        "Niemand kennt den Namen des Brokers: {fault}.",
        "Den Namen des Brokers in der Quelle des Standorts prüfen, und ob das Netz einen Namensdienst hat.",
    ),
    "broker_unreachable": (
        "Der MQTT-Broker ist nicht zu erreichen ({fault}).",
        "Prüfen, ob der Broker läuft, ob Adresse und Port in der Quelle des Standorts stimmen und ob eine Firewall "
        "dazwischen steht.",
    ),
    "broker_silent": (
        "An der Adresse des Brokers antwortet etwas, aber es spricht kein MQTT: {fault}.",
        "Den Port in der Quelle des Standorts prüfen: 1883 gehört zu mqtt://, 8883 zu mqtts://.",
    ),
    "broker_tls": (
        "Der Verbindung zum Broker ist nicht zu trauen: {fault}.",
        "Prüfen, ob die Zertifikate in den Geheimnissen die dieses Brokers sind (leezenflow keys broker), und die "
        "Geheimnisse neu aufspielen.",
    ),
    "broker_refuses": (
        "Der Broker ist da, lässt aber niemanden ein, der so kommt: {fault}.",
        "Benutzername (in der Quelle), Passwort (in den Geheimnissen) und die Zugriffsregeln des Brokers für das Thema "
        "prüfen.",
    ),
    "source_taken": (
        "Die Quelle lässt sich an diesem Rechner nicht öffnen: {fault}.",
        "Das Programm beenden, das sie benutzt, oder den Doktor dort rufen, wo die Nachrichten ankommen.",
    ),
    "no_messages": (
        "Die Verbindung steht, aber keine einzige Nachricht ist gekommen{where}.",
        "Prüfen, ob der Sender läuft, und das Thema oder die Adresse in der Quelle: Groß- und Kleinschreibung und ein "
        "Schrägstrich am Anfang zählen.",
    ),
    "messages_stopped": (
        "Es kamen Nachrichten, aber keine in den letzten {seconds} s.",
        "Den Sender prüfen: Das Steuergerät oder das Gateway davor sendet nicht mehr.",
    ),
    "only_retained": (
        "Der Broker hat eine alte (aufbewahrte) Nachricht, und nichts Neues kommt; Altes wird nie angezeigt.",
        "Den Sender prüfen: Er sendet nicht mehr. Aufbewahrte Nachrichten helfen nicht, es müssen frische kommen.",
    ),
    "foreign_messages": (
        "Es kommen Nachrichten, aber keine zu diesem Signal ({wanted}).{heard}",
        "[signal] intersection und signal_group im Standort berichtigen und neu aufspielen.",
    ),
    "wrong_signal_group": (
        "Die Nachrichten sind von der richtigen Kreuzung, aber keine hat die Signalgruppe {wanted}.{groups}",
        "signal_group im Standort berichtigen (leezenflow site new hilft, die richtige zu finden) und neu aufspielen.",
    ),
    "unreadable_messages": (
        "Es kommen Nachrichten, aber der Adapter {adapter} kann sie nicht lesen: {fault}.",
        "[signal] adapter im Standort prüfen: leezenflow capture, dann leezenflow decode zeigen, was wirklich kommt.",
    ),
    "clock_frozen": (
        "Es kommen Nachrichten, aber die Uhr des Steuergeräts steht darin still: Sie wiederholen denselben Augenblick.",
        "Das Gerät, das die Nachrichten macht (Steuergerät oder Gateway), neu starten und dem Betreiber melden.",
    ),
    "late_messages": (
        "Es kommen Nachrichten, aber immer später oder aus der Vergangenheit: Jede ist zu alt, um sie zu zeigen.",
        "Den Weg der Nachrichten prüfen: Ein Gateway oder Broker mit Rückstau hält sie auf. Neu starten.",
    ),
    "no_time": (
        "Es kommen Nachrichten, aber ohne Zeit darin; niemand weiß, wie alt sie sind.",
        "Den Betreiber des Steuergeräts um moy und timeStamp bitten oder den Adapter wählen, der die Zeit ergänzt.",
    ),
    "stale": (
        "Es kommen zu selten Nachrichten: Die letzte ist älter als erlaubt (höchstens 6 s).",
        "Prüfen, wie oft der Sender sendet und was unterwegs verloren geht; eine je Sekunde soll es sein.",
    ),
    "starting": (
        "Das Gerät hört das Signal erst seit eben und prüft es noch.",
        "Eine halbe Minute warten und den Doktor noch einmal rufen.",
    ),
    "dark_by_rule": (
        "Alles arbeitet; die Anzeige ist dunkel, weil {reason}.",
        "Am Gerät ist nichts zu reparieren: das Signal selbst ansehen oder seinen Betreiber fragen.",
    ),
    "still_picture": (
        "Das Gerät {unit} zeigt ein festes Bild und nimmt keine Nachrichten an.",
        "Soll es Radfahrende beraten: einen Standort mit anderem Aussehen aufspielen und /picture.bin entfernen.",
    ),
    "healthy_uncertain": (
        "Das Gerät arbeitet; im Augenblick zeigt es „ungewiss“, weil {reason}.",
        "Nichts zu tun.",
    ),
    "healthy": ("Das Gerät arbeitet und zeigt {advice}.", "Nichts zu tun."),
    "feed_healthy": (
        "Die Nachrichten des Signals kommen an diesem Rechner an und sind in Ordnung; ein Gerät würde {advice} zeigen.",
        "Hier ist nichts zu tun; um ein Gerät zu prüfen, es anstecken und den Doktor noch einmal rufen.",
    ),
}

REASONS: dict[str, str] = {
    "no_data": "keine Nachricht zum Signal gekommen ist",
    "starting": "das Signal noch geprüft wird",
    "stale": "die letzte Nachricht zu alt ist",
    "signal_off": "die Ampel ausgeschaltet ist",
    "flashing": "die Ampel blinkt",
    "failure": "das Steuergerät eine Störung meldet",
    "manual": "die Ampel von Hand gesteuert wird",
    "stopped": "das Steuergerät die Zeit angehalten hat",
    "implausible": "sich die Angaben des Steuergeräts widersprechen",
    "beyond_forecast": "das Steuergerät nicht so weit vorausschaut",
    "overdue": "die Ampel schon hätte umschalten sollen",
    "doubtful": "die Vorhersagen zuletzt oft falsch waren",
    "learning": "das Gerät dieses Signal noch lernt",
    "near_switch": "die Ampel etwa bei der Ankunft umschaltet",
}

ADVICE: dict[str, str] = {
    "green": "Grün",
    "sprint": "Sprint",
    "red": "Rot",
    "uncertain": "ungewiss",
    "dark": "nichts",
}

LABELS: dict[str, str] = {
    "diagnosis": "Befund",
    "next_step": "Nächster Schritt",
    "none": "keine",
    "where": " ({value})",
    "groups": " Es gibt: {value}.",
    "heard": " Sie handeln von: {value}.",
}
