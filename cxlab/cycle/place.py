"""Where a report lies, and how a new one takes an old one's place at once.

Everything is made in a hidden folder beside the target and then exchanged with it in
one step of the file system. Who reads sees the old cycle or the new one, never a mix,
and a run that is killed leaves the last good report as it was.
"""

import ctypes
import errno
import fcntl
import hashlib
import json
import os
import secrets
import shutil
import stat
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

from cxlab.errors import RunError

__all__ = ["check_writable", "hash_tree", "lock", "staging", "sweep"]

_AT_FDCWD = -100
_EXCHANGE = 2  # RENAME_EXCHANGE of linux/fs.h and RENAME_SWAP of macOS: both are 2
_FULL = {errno.ENOSPC, errno.EDQUOT}


@contextmanager
def staging(target: Path) -> Iterator[Path]:
    """Make a folder in secret and put it in the target's place when it is whole.

    Parameters
    ----------
    target : pathlib.Path
        Where the folder is to appear. Its parent exists.

    Yields
    ------
    pathlib.Path
        An empty folder to write into. On success all of it reaches the disk and
        then takes the target's place; on any error it is removed.

    Raises
    ------
    RunError
        If the disk is full, the folder cannot be written, or the target is something
        other than a folder. The target is then as it was.
    """
    target = target.resolve()  # a link is kept, and what it leads to is exchanged
    if target.exists() and not target.is_dir():
        raise RunError(
            f"A report must take the place of a folder, but {target} is a file. Move it."
        )
    check_writable(target.parent)
    folder, holder = _staging_folder(target)
    try:
        yield folder
        _to_disk(folder)
        _into_place(folder, target)
        _sync(target.parent)
    except Exception as fault:
        if _is_full(fault):
            raise RunError(_refusal(target.parent, fault)) from fault
        raise
    finally:
        # After an exchange this is the old report, otherwise what could not be finished.
        shutil.rmtree(folder, ignore_errors=True)
        os.close(holder)


def sweep(folder: Path) -> list[Path]:
    """Remove what killed runs left behind in a folder; return what was removed."""
    removed = []
    for old in sorted(folder.glob(".*.staging-*-old")):
        # Killed between two renames where no exchange was possible: the last good report.
        target = old.with_name(old.name[1:].partition(".staging-")[0])
        if not target.exists():
            old.rename(target)
    for leftover in sorted(folder.glob(".*.staging-*-*")):
        with suppress(OSError):
            holder = os.open(leftover, os.O_RDONLY)
            try:
                # The lock ends with its process, whatever ended it. Process ids alone
                # would not do: they are used again, and other containers have their own.
                fcntl.flock(holder, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(leftover)
                removed.append(leftover)
            finally:
                os.close(holder)
    return removed


@contextmanager
def lock(path: Path, *, who: str) -> Iterator[None]:
    """Hold a file so that no other process does the same work.

    Parameters
    ----------
    path : pathlib.Path
        The lock file; made if missing, and left where it is.
    who : str
        The command, shown to whoever is refused.

    Raises
    ------
    RunError
        If another process holds it: at once, with its id, command and start.
    """
    try:
        holder = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    except OSError as fault:
        raise RunError(_refusal(path.parent, fault)) from fault
    try:
        try:
            fcntl.flock(holder, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise RunError(_held(path)) from None
        # The file stays for good: removing it would let two processes hold two files.
        note = {"pid": os.getpid(), "who": who, "since": _now()}
        os.ftruncate(holder, 0)
        os.pwrite(holder, json.dumps(note).encode(), 0)
        yield
    finally:
        os.close(holder)


def check_writable(folder: Path) -> None:
    """Refuse a folder that cannot take a report.

    Raises
    ------
    RunError
        If it is missing, is no folder, is read-only or full.
    """
    if not folder.is_dir():
        found = "is a file" if folder.exists() else "does not exist"
        raise RunError(
            f"Reports need a folder to be written to, but {folder} {found}. "
            "Make it, or name another with --reports."
        )
    probe = folder / f".probe-{os.getpid()}-{secrets.token_hex(4)}"
    try:
        # A directory entry alone can fit on a full disk; a block of content cannot.
        with probe.open("xb") as file:
            file.write(b"0" * 4096)
            file.flush()
            os.fsync(file.fileno())
    except OSError as fault:
        raise RunError(_refusal(folder, fault)) from fault
    finally:
        with suppress(OSError):
            probe.unlink()


def hash_tree(folder: Path) -> dict[str, str]:
    """Hash every file below a folder.

    Returns
    -------
    dict of str to str
        SHA-256 in hex by path relative to the folder, with forward slashes, sorted.

    Raises
    ------
    RunError
        If there is anything but plain files and folders: a link could lead outside.
    """
    hashes = {}
    for path in sorted(folder.rglob("*")):
        mode = path.lstat().st_mode
        if stat.S_ISREG(mode):
            with path.open("rb") as file:
                name = path.relative_to(folder).as_posix()
                hashes[name] = hashlib.file_digest(file, "sha256").hexdigest()
        elif not stat.S_ISDIR(mode):
            raise RunError(f"A report must hold plain files only, but {path} is none. Remove it.")
    return dict(sorted(hashes.items()))


def _staging_folder(target: Path) -> tuple[Path, int]:
    """Make a hidden folder and lock it, so that nobody sweeps it while we live."""
    while True:
        name = f".{target.name}.staging-{os.getpid()}-{secrets.token_hex(4)}"
        folder = target.with_name(name)
        folder.mkdir()
        try:
            holder = os.open(folder, os.O_RDONLY)
        except FileNotFoundError:
            continue  # swept between its making and its lock
        with suppress(OSError):  # a file system without locks: then it is never swept
            fcntl.flock(holder, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if folder.exists():
            return folder, holder
        os.close(holder)


def _to_disk(folder: Path) -> None:
    """Let every file, then every folder, reach the disk before the new name does."""
    for path, _, files in os.walk(folder, topdown=False):
        for name in files:
            _sync(Path(path, name))
        _sync(Path(path))


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0))
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _into_place(folder: Path, target: Path) -> None:
    if not target.exists():
        folder.rename(target)
    elif not _exchange(folder, target):
        # No exchange on this file system: readers find nothing for a moment, never a mix.
        old = folder.with_name(folder.name + "-old")
        target.rename(old)
        try:
            folder.rename(target)
        except OSError:
            old.rename(target)
            raise
        shutil.rmtree(old, ignore_errors=True)


def _exchange(one: Path, other: Path) -> bool:
    """Swap two folders in one step; False where the system cannot."""
    names = os.fsencode(one), os.fsencode(other)
    library = ctypes.CDLL(None, use_errno=True)
    if sys.platform == "linux" and hasattr(library, "renameat2"):
        failed = library.renameat2(_AT_FDCWD, names[0], _AT_FDCWD, names[1], _EXCHANGE)
    elif sys.platform == "darwin" and hasattr(library, "renamex_np"):
        failed = library.renamex_np(*names, _EXCHANGE)
    else:
        return False
    if failed and ctypes.get_errno() not in {errno.EINVAL, errno.ENOSYS, errno.ENOTSUP}:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()), str(other))
    return not failed


def _held(path: Path) -> str:
    try:
        note = json.loads(path.read_text("utf-8"))
        holder = f"process {note['pid']} ({note['who']}) since {note['since']}"
    except (OSError, ValueError, KeyError, TypeError):
        holder = "another process"  # seen between its lock and its note
    return (
        f"Only one run at a time may write here, but {holder} holds {path}. Wait until it "
        "has ended, or end it."
    )


def _is_full(fault: BaseException) -> bool:
    """Tell a full disk, also from libraries that have errors of their own."""
    return getattr(fault, "errno", 0) in _FULL or os.strerror(errno.ENOSPC) in str(fault)


def _refusal(folder: Path, fault: Exception) -> str:
    if _is_full(fault):
        return f"The disk of {folder} must have room for a report, but is full. Free some space."
    what = getattr(fault, "strerror", None) or str(fault)
    return (
        f"{folder} must be writable, but is not: {what}. Change its permissions, or name "
        "another folder with --reports."
    )


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
