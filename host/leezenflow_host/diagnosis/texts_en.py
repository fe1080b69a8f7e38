# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The doctor's words in English: case -> (diagnosis, next step). {names} are filled from the finding's values."""

TEXTS: dict[str, tuple[str, str]] = {
    # From the computer to the board
    "no_port": (
        "No board is visible on this computer: no serial port, and no drive of a board that waits for a program.",
        "Plug the board in with a USB cable that carries data. If it is plugged in, take another cable: many carry "
        "only power.",
    ),
    "charge_only_cable": (
        "A board was plugged in, but no USB device appeared: the cable probably carries only power.",
        "Take another USB cable, one that has transferred files before, and plug it directly into the computer.",
    ),
    "no_driver": (
        "A USB device that looks like a board is there ({device}), but it has no serial port.",
        "Unplug it, wait five seconds, and plug it in again; if that does not help, restart this computer.",
    ),
    "port_missing": (
        "There is no port {port}. Ports with a device: {ports}.",
        "Leave --port out, or name one of the ports that are there.",
    ),
    "not_serial": ("{port} is not a serial port.", "Leave --port out, or name a serial port such as /dev/ttyACM0."),
    "no_permission": (
        "The board at {port} is there, but you may not use it.",
        "Run: sudo usermod -aG {group} $USER, then log out and in again.",
    ),
    "port_busy": (
        "The board at {port} is there, but {holders} is using it.",
        "End that program, then run the doctor again.",
    ),
    "several_boards": (
        "Several boards are plugged in: {boards}.",
        "Say which one you mean with --port, or unplug the others.",
    ),
    "uf2_boot_mode": (
        "The board waits for an interpreter in its boot mode (drive {port}, {chip}).",
        "Install everything with: leezenflow flash --board BOARD --site FILE.toml. If it was running before, just "
        "unplug it and plug it in again without pressing a button.",
    ),
    "esp_boot_mode": (
        "The ESP32 at {port} waits in its boot loader, or has no program that runs ({detail}).",
        "Press its reset button (EN). If the same case comes again, install everything with: leezenflow flash --board "
        "BOARD --site FILE.toml.",
    ),
    "silent_port": (
        "The board at {port} says nothing: it has no MicroPython, hangs, or the cable carries only power.",
        "Unplug the board, wait five seconds, plug it in again; if it stays silent, install with: leezenflow flash "
        "--board BOARD.",
    ),
    "not_micropython": (
        "The board at {port} talks, but not as MicroPython does ({detail}).",
        "Check that this is the right device; then install everything with: leezenflow flash --board BOARD.",
    ),
    # What is on the board
    "old_micropython": (
        "The board at {port} runs MicroPython {version}; Leezenflow needs {oldest} or newer.",
        "Install a newer one with: leezenflow flash --board BOARD --site FILE.toml.",
    ),
    "file_system_damaged": (
        "The file system of the board at {port} is damaged ({detail}).",
        "Install everything anew with: leezenflow flash --board BOARD --site FILE.toml. If it happens again, the "
        "board's flash is worn out: replace the board.",
    ),
    "no_firmware": (
        "The board at {port} ({chip}) has MicroPython {version}, but not Leezenflow.",
        "Install it with: leezenflow install --board BOARD --site FILE.toml --port {port}.",
    ),
    "wrong_chip": (
        "The board at {port} has the chip {chip}, but the firmware on it is for {board} with {expected}.",
        "Install the firmware of the right board with: leezenflow install --board BOARD --site FILE.toml --port "
        "{port}.",
    ),
    "release_missing": (
        "The board at {port} has our loader, but no whole release (an installation was interrupted).",
        "Repeat the installation: leezenflow install --board {board} --port {port}. It goes on where it ended.",
    ),
    "release_damaged": (
        "{count} file(s) of the release on the board at {port} are missing or changed; the first is {file}.",
        "Repeat the installation: leezenflow install --board {board} --port {port}. It mends only what differs.",
    ),
    "configuration_damaged": (
        "{file} on the board at {port} is missing or damaged ({detail}).",
        "Install the configuration again: leezenflow install --board {board} --site FILE.toml --port {port}.",
    ),
    "no_site": (
        "The unit at {port} does not know where it stands: it has no site, and its panel stays dark.",
        "Install one with: leezenflow install --board {board} --site FILE.toml --port {port}.",
    ),
    "crash_loop": (
        "The unit at {port} starts and fails again and again ({count} times in a row). The last error: {error}",
        "If the error names a file or a setting, correct that and install again; otherwise repeat the installation: "
        "leezenflow install --board {board} --port {port}.",
    ),
    "stopped": (
        "Firmware and configuration of the board at {port} are whole, but the unit was not running. It was started.",
        "Wait half a minute and run the doctor again.",
    ),
    "safe_mode": (
        "The unit {unit} failed {count} times in a row and is in safe mode: its panel stays dark. The last error: "
        "{error}",
        "If the error names a file or a setting, correct that and install again; otherwise restart the unit once by "
        "pulling its power, and report the error if it comes back.",
    ),
    # From the unit to the signal
    "no_network": (
        "The unit {unit} has no network: {fault}.",
        "Check the name and password of the Wi-Fi in its secrets (leezenflow install --secrets FILE.json), and that "
        "the access point reaches the unit.",
    ),
    "broker_name": (
        "Nobody knows the name of the broker: {fault}.",
        "Check the broker's name in the site's source, and that the network has a name server.",
    ),
    "broker_unreachable": (
        "The MQTT broker cannot be reached ({fault}).",
        "Check that the broker runs, that its address and port in the site's source are right, and that no firewall "
        "stands between.",
    ),
    "broker_silent": (
        "Something answers at the broker's address, but it does not talk MQTT: {fault}.",
        "Check the port in the site's source: 1883 is for mqtt://, 8883 for mqtts://.",
    ),
    "broker_tls": (
        "The connection to the broker is not trusted: {fault}.",
        "Check that the certificates in the secrets are those of this broker (leezenflow keys broker), and install "
        "the secrets again.",
    ),
    "broker_refuses": (
        "The broker is there, but lets nobody in who comes like this: {fault}.",
        "Check user name (in the source) and password (in the secrets), and the broker's access rules for the topic.",
    ),
    "source_taken": (
        "The source cannot be opened on this computer: {fault}.",
        "End the program that uses it, or run the doctor where the messages arrive.",
    ),
    "no_messages": (
        "The connection stands, but not one message has come{where}.",
        "Check that the sender runs, and the topic or address in the site's source: topics are case-sensitive, and a "
        "leading slash counts.",
    ),
    "messages_stopped": (
        "Messages came, but none in the last {seconds} s.",
        "Check the sender: the controller, or the gateway that passes its messages on, has stopped sending.",
    ),
    "only_retained": (
        "The broker has one old (retained) message, and nothing new comes; old news is never shown.",
        "Check the sender: it has stopped. Retained messages do not help, live ones must come.",
    ),
    "foreign_messages": (
        "Messages come, but none is about this signal ({wanted}).{heard}",
        "Correct [signal] intersection and signal_group in the site, and install it again.",
    ),
    "wrong_signal_group": (
        "The messages are about the right intersection, but none has the signal group {wanted}.{groups}",
        "Correct signal_group in the site (leezenflow site new helps to find the right one), and install it again.",
    ),
    "unreadable_messages": (
        "Messages come, but the adapter {adapter} cannot read them: {fault}.",
        "Check [signal] adapter in the site: leezenflow capture, then leezenflow decode show what really comes.",
    ),
    "clock_frozen": (
        "Messages come, but the controller's clock stands still in them: they repeat the same moment.",
        "Restart the device that makes the messages (controller or gateway), and report it to its operator.",
    ),
    "late_messages": (
        "Messages come, but later and later, or from the past: each is too old to be shown.",
        "Check the way of the messages: a gateway or a broker with a backlog delays them. Restart it.",
    ),
    "no_time": (
        "Messages come, but without a time in them, so that nobody knows how old they are.",
        "Ask the operator of the controller to send moy and timeStamp, or choose the adapter that supplies the time.",
    ),
    "stale": (
        "Messages come too seldom: the last one is older than what may be shown (6 s at most).",
        "Check the rate at which the sender sends, and losses on the way; it should be one a second.",
    ),
    "starting": (
        "The unit has just begun to hear the signal and still checks it.",
        "Wait half a minute and run the doctor again.",
    ),
    "dark_by_rule": (
        "Everything works; the panel is dark because {reason}.",
        "Nothing has to be repaired at the unit: look at the signal itself, or ask its operator.",
    ),
    "still_picture": (
        "The unit {unit} shows a still picture and takes no messages.",
        "Install a site with another look, and remove /picture.bin, when it should advise riders.",
    ),
    "healthy_uncertain": (
        'The unit works; at the moment it shows "uncertain" because {reason}.',
        "Nothing has to be done.",
    ),
    "healthy": ("The unit works and shows {advice}.", "Nothing has to be done."),
    "feed_healthy": (
        "The messages of the signal arrive on this computer and are sound; a unit would show {advice}.",
        "Nothing has to be done here; to check a unit, plug it in and run the doctor again.",
    ),
}

REASONS: dict[str, str] = {
    "no_data": "no message about the signal has come",
    "starting": "the signal is still being checked",
    "stale": "the last message is too old",
    "signal_off": "the signal is switched off",
    "flashing": "the signal flashes",
    "failure": "the controller reports a failure",
    "manual": "the signal is controlled by hand",
    "stopped": "the controller has stopped the time",
    "implausible": "what the controller says contradicts itself",
    "beyond_forecast": "the controller does not look so far ahead",
    "overdue": "the signal should have switched already",
    "doubtful": "the forecasts have often been wrong lately",
    "learning": "the unit is still learning this signal",
    "near_switch": "the signal switches at about the rider's arrival",
}

ADVICE: dict[str, str] = {
    "green": "green",
    "sprint": "sprint",
    "red": "red",
    "uncertain": "uncertain",
    "dark": "dark",
}

LABELS: dict[str, str] = {
    "diagnosis": "Diagnosis",
    "next_step": "Next step",
    "none": "none",
    "where": " ({value})",
    "groups": " There are: {value}.",
    "heard": " They are about: {value}.",
}
