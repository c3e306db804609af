"""The data folder: private to its owner, on a disk of this machine, with files that are synced before they count."""

import os
import sys
from collections.abc import Iterable
from pathlib import Path

from chalicelib.engine.embedded.errors import FolderError

DATABASE_NAME = "strandline.db"
OBJECTS_FOLDER, SECRETS_FOLDER = "objects", "secrets"
LOCK_NAME = "lock"
"""The file by whose lock a process has the folder for itself; it may be there before anything else is."""
NETWORK_FILE_SYSTEMS = frozenset(
    {
        "9p",
        "afs",
        "beegfs",
        "ceph",
        "cifs",
        "fuse.cephfs",
        "fuse.davfs",
        "fuse.glusterfs",
        "fuse.rclone",
        "fuse.s3fs",
        "fuse.sshfs",
        "glusterfs",
        "lustre",
        "nfs",
        "nfs4",
        "smb3",
        "smbfs",
        "vboxsf",
    }
)
"""Types of file systems on which locks, shared memory or syncs cannot be relied on."""
_MOUNTS = Path("/proc/self/mountinfo")


def prepare_folder(folder: Path) -> None:
    """Create the folder if there is none, and close it to other users.

    Raises:
        FolderError: the folder has other files in it, was copied in part, lies on a network, or cannot be written.
    """
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        require_own(folder)
        names = {path.name for path in folder.iterdir()}
        require_local(folder)
        if DATABASE_NAME in names:
            _require_folders(folder)
        folder.chmod(0o700)
        for name in (OBJECTS_FOLDER, SECRETS_FOLDER):
            (folder / name).mkdir(mode=0o700, exist_ok=True)
        (folder / DATABASE_NAME).touch(mode=0o600)  # SQLite gives its further files the mode of this one
        sync_folder(folder)
        sync_folder(folder.parent)
    except OSError as error:
        raise FolderError(f"the folder {folder} cannot be used: {error.strerror}.") from error


def require_own(folder: Path) -> None:
    """Raise unless the folder is empty or has a database.

    Raises:
        FolderError: it has other files in it.
        OSError: it cannot be read.
    """
    names = {path.name for path in folder.iterdir()} - {LOCK_NAME}
    if names and DATABASE_NAME not in names:
        raise FolderError(f"the folder {folder} has files in it, but no {DATABASE_NAME}: name an empty one.")


def require_data(folder: Path) -> None:
    """Raise unless the folder can be read as one that a server has used. Nothing in it is changed.

    Raises:
        FolderError: the folder has no data, was copied in part, or lies on a network.
    """
    if not (folder / DATABASE_NAME).is_file():
        raise FolderError(f"the folder {folder} has no data of a home server.")
    require_local(folder)
    _require_folders(folder)


def require_local(folder: Path) -> None:
    """Raise unless the folder lies on a disk of this machine, as far as this can be told.

    Raises:
        FolderError: it lies on a network file system.
    """
    file_system = file_system_of(folder)
    if file_system in NETWORK_FILE_SYSTEMS:
        raise FolderError(f"the folder {folder} lies on a network file system ({file_system}): name a local one.")


def _require_folders(folder: Path) -> None:
    """Raise unless the folders of objects and secrets are there, which are created before the database."""
    for name in (OBJECTS_FOLDER, SECRETS_FOLDER):
        if not (folder / name).is_dir():
            raise FolderError(incomplete(folder, name))


def incomplete(folder: Path, name: str) -> str:
    """The sentence about a data folder that has a database, but not the files that belong to it."""
    return (
        f"the folder {folder} was not copied whole: it has {DATABASE_NAME}, but not the files of {name}/. "
        "Copy the whole folder while no server runs, or restore a backup."
    )


def file_system_of(folder: Path) -> str | None:
    """The type of the file system that a folder lies on; None where this cannot be told, as outside Linux."""
    try:
        mounts = _MOUNTS.read_text("utf-8", "surrogateescape").splitlines()
    except OSError:
        return None
    found: tuple[int, str] | None = None
    for mount in mounts:
        place, _, details = mount.partition(" - ")
        point = Path(place.split(" ")[4].encode("latin-1", "replace").decode("unicode_escape"))
        if folder.resolve().is_relative_to(point) and (found is None or len(point.parts) >= found[0]):
            found = len(point.parts), details.split(" ")[0]
    return None if found is None else found[1]


def sync_file(descriptor: int) -> None:
    """Return when the contents of an open file are on the disk."""
    if sys.platform == "darwin":  # where fsync leaves the data in the disk's own cache
        import fcntl

        fcntl.fcntl(descriptor, fcntl.F_FULLFSYNC)
    else:
        os.fsync(descriptor)


def sync_folder(folder: Path) -> None:
    """Return when the names of a folder's files are on the disk. Windows writes them by itself."""
    if os.name == "nt":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        sync_file(descriptor)
    finally:
        os.close(descriptor)


def write_file(path: Path, parts: Iterable[bytes]) -> None:
    """Write a file of mode 600 whole, and return when it is on the disk under its name.

    Raises:
        OSError: nothing has this name, unless the last step failed: the sync of the folder.
    """
    unfinished = path.with_name(path.name + ".part")
    try:
        descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | getattr(os, "O_BINARY", 0), 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.writelines(parts)
            file.flush()
            sync_file(file.fileno())
        unfinished.replace(path)
    except BaseException:
        unfinished.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)
