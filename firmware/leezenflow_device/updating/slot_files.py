# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The files of a release on their way into a slot: what is there already, what must go, and the one being written."""

import os

from leezenflow.errors import LeezenflowError
from leezenflow_device.updating.manifest import FILE, PART, hash_file

_FOLDER = 0x4000
_BUFFER_BYTES = 512
# LittleFS keeps shorter files in their folder: an eighth of a block.
_INLINE_BYTES = 512


class SlotFiles:
    """The files of `manifest` in the folder `root` ("/b"). `have` maps paths to the bytes that are there.

    Call `compare`, then `clear`, then `write` until all is there, then `verify`; `turn` is a coroutine function that
    lets others have a turn. `buffer` is for `hash_file`. OSError when the flash cannot be written.
    """

    def __init__(self, root, manifest):
        self.have = {}
        self.buffer = memoryview(bytearray(_BUFFER_BYTES))
        self._root = root
        self._manifest = manifest
        self._stale = []
        self._folders = []
        self._file = None
        self._path = None

    async def compare(self, turn):
        """Find out what of the release is in the slot already, and what else is."""
        wanted = {}
        for path, size, digest in self._manifest.files:
            wanted[path] = (size, digest)
        waiting = [""]
        while waiting:
            folder = waiting.pop()
            for entry in _list_folder(self._root + folder):
                path = folder + "/" + entry[0]
                if entry[1] & _FOLDER:
                    waiting.append(path)
                    self._folders.append(path)
                    continue
                expected = wanted.get(path[1:])
                if expected is not None and expected[0] == _size(self._root + path):
                    await turn()
                    if hash_file(self._root + path, self.buffer) == expected[1]:
                        self.have[path[1:]] = expected[0]
                        continue
                self._stale.append(path)

    def blocks_needed(self, block_bytes):
        """Blocks that what is missing will take: each folder is a pair of them."""
        needed = 0
        folders = set()
        for path, size, _ in self._manifest.files:
            if path not in self.have:
                needed += _blocks(size, block_bytes)
            while "/" in path:
                path = path.rpartition("/")[0]
                if "/" + path not in self._folders:
                    folders.add(path)
        return needed + 2 * len(folders)

    def blocks_freed(self, block_bytes):
        """Blocks that what must go gives back."""
        return sum([_blocks(_size(self._root + path), block_bytes) for path in self._stale])

    async def clear(self, turn):
        """Take the slot out of service, and everything out of it that is not of this release."""
        _remove(self._root + "/" + FILE)
        for path in self._stale:
            _remove(self._root + path)
            await turn()
        # The deepest first; those that still hold something stay.
        self._folders.sort(key=len, reverse=True)
        for path in self._folders:
            try:
                os.rmdir(self._root + path)
            except OSError:
                pass
        self._stale = []
        self._folders = []

    def write(self, path, offset, data):
        """Add a piece to a file and return how many bytes of it are there.

        The same piece again changes nothing. LeezenflowError: not a file of this release, a gap, or damage on the way.
        """
        entry = self._manifest.find(path)
        if entry is None:
            raise LeezenflowError("%s is not in the manifest" % path)
        size = entry[1]
        done = self.have.get(path, 0)
        if path != self._path and done < size:
            done = 0  # what was begun before another file is gone
        if offset > done or offset + len(data) > size:
            raise LeezenflowError("%s: go on at byte %d of %d" % (path, done, size))
        if done and (offset < done or not data):
            return done  # its answer was lost
        if path != self._path:
            self.drop_part()
            self._make_folders(path)
            self._file = open(self._root + "/" + path + PART, "wb")
            self._path = path
        self._file.write(data)
        done += len(data)
        self.have[path] = done
        if done == size:
            self._complete(entry)
        return done

    def _complete(self, entry):
        """Read a whole file back, and give it its name if it is right."""
        path, _, digest = entry
        self._file.close()
        self._file = self._path = None
        whole = self._root + "/" + path
        if hash_file(whole + PART, self.buffer) != digest:
            _remove(whole + PART)
            del self.have[path]
            raise LeezenflowError("%s arrived damaged: send it again from its begin" % path)
        os.rename(whole + PART, whole)

    def drop_part(self):
        """Close and forget a file that is not whole."""
        path = self._path
        if path is None:
            return
        file, self._file, self._path = self._file, None, None
        self.have.pop(path, None)
        try:
            file.close()
        except OSError:
            pass
        _remove(self._root + "/" + path + PART)

    async def verify(self, turn):
        """Read everything back; returns the paths that are missing or wrong, which are removed."""
        wrong = []
        for path, _, digest in self._manifest.files:
            await turn()
            if hash_file(self._root + "/" + path, self.buffer) != digest:
                _remove(self._root + "/" + path)
                self.have.pop(path, None)
                wrong.append(path)
        return wrong

    def progress(self):
        """Return the bytes that are there and those of the whole release."""
        return sum(self.have.values()), sum([entry[1] for entry in self._manifest.files])

    def _make_folders(self, path):
        parts = path.split("/")
        for depth in range(len(parts)):
            try:
                os.mkdir("/".join([self._root] + parts[:depth]))
            except OSError:  # it is there; if not, opening the file says so
                pass


def _list_folder(path):
    try:
        return list(os.ilistdir(path))
    except OSError:
        return []


def _blocks(size, block_bytes):
    return 0 if size <= _INLINE_BYTES else size // block_bytes + 1


def _size(path):
    try:
        return os.stat(path)[6]
    except OSError:
        return -1


def _remove(path):
    try:
        os.remove(path)
    except OSError:
        pass
