"""The work of a home server beside requests: uploads are confirmed, tasks run, events are counted."""

import base64
import hashlib
import signal
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

import psutil
import pytest

from chalicelib.events import tasks
from chalicelib.jobs import TASK_TYPES
from chalicelib.tasks.ports import RunMessage
from strandline.home.launching import HomeServer, home_server
from strandline.home.opening import open_home
from strandline.home.work.task_process import TaskProcess
from tests.e2e.client import Client, User
