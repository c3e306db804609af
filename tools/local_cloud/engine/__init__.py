"""The process that ministack runs in. It sees ministack's environment only: standard library, ministack and uvicorn."""
