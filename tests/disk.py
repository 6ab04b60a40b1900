"""The disk in tests: `os.fsync = do_not_wait` where files need not survive a power failure."""


def do_not_wait(descriptor: int) -> None:
    """In the place of os.fsync, which takes milliseconds; a training of a hundred epochs calls it a thousand times."""
