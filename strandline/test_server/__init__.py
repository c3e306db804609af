"""The test server: a home server in memory that tests of an application control. See docs/testing-your-app.md."""

from strandline.platform import use_platform

use_platform()
