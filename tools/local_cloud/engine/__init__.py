"""The process that ministack runs in. Its environment has only the standard library, ministack and uvicorn."""
