# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Does the wanted signal group come from a source? Listens for some seconds and says so."""

import time
from pathlib import Path

from leezenflow_host.decoding.tree import state_word
from leezenflow_host.errors import InputError, LeezenflowError
from leezenflow_host.site_config import SiteConfig
from leezenflow_host.site_guide.watching import GroupWatch, LiveFeed, RecordedFeed, open_feed

_TURN_S = 0.2


def listen(site: SiteConfig, source: str | None, seconds: float, secrets: dict | None) -> str:
    """Listen to `source` (the site's own if None) for so long at most; return a sentence about the wanted group.

    LeezenflowError: nothing comes, nothing that can be read, not this intersection, not this group; with what does.
    """
    url = source or site.values["signal"]["source"]
    if url is None:
        raise InputError(f"{site.name}: [signal] source is missing: nothing to listen to. Give --source URL.")
    feed = open_feed(url, secrets) if "://" in url else RecordedFeed(Path(url), 1e6)
    watch = GroupWatch()
    began_s = time.monotonic()
    try:
        while time.monotonic() - began_s < seconds and not feed.ended and _state_of(site, watch) is None:
            for arrival in feed.receive(_TURN_S):
                watch.take(arrival)
    finally:
        feed.close()
    state = _state_of(site, watch)
    if state is None:
        raise LeezenflowError(f"{url}: {_why_not(site, watch, feed, round(time.monotonic() - began_s))}".rstrip())
    return f"signal group {site.values['signal']['signal_group']} of {_name(site)} comes: {state_word(state).plain}"


def _name(site: SiteConfig) -> str:
    region, number = site.values["signal"]["region"], site.values["signal"]["intersection"]
    return str(number) if region is None else f"{region}:{number}"


def _groups_of(site: SiteConfig, watch: GroupWatch) -> dict[int, int]:
    """The states of all groups of the wanted intersection; a site without a region takes any."""
    any_region = site.values["signal"]["region"] is None
    wanted = _name(site)
    return {
        group: state
        for (name, group), state in watch.states.items()
        if name == wanted or (any_region and name.rpartition(":")[2] == wanted)
    }


def _state_of(site: SiteConfig, watch: GroupWatch) -> int | None:
    return _groups_of(site, watch).get(site.values["signal"]["signal_group"])


def _why_not(site: SiteConfig, watch: GroupWatch, feed: LiveFeed | RecordedFeed, heard_s: int) -> str:
    if feed.lost:
        return f"{feed.lost}. Check the address, and that this laptop is in the same network."
    if not watch.messages and not watch.unreadable:
        return f"nothing came in {heard_s} s. {feed.hint}"
    if not watch.messages:
        return (
            f"{watch.unreadable} messages came, but none could be read. Record some (leezenflow capture) and look "
            "into them (leezenflow decode)."
        )
    groups = _groups_of(site, watch)
    if not groups:
        names = ", ".join(sorted({name for name, _ in watch.states})) or "none"
        return f"messages come, but not of intersection {_name(site)}. There: {names}."
    wanted = site.values["signal"]["signal_group"]
    known = ", ".join(map(str, sorted(groups)))
    return f"intersection {_name(site)} comes, but without signal group {wanted}. There: {known}."
