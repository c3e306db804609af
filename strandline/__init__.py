"""The installed program: the command line, the home server, and the test server for developers of applications."""
