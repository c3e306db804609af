"""The home server: the platform in one process, on SQLite and files. Importing this package makes it importable."""

from strandline.platform import use_platform

use_platform()
