"""The cause of an OSError and its remedy, as text for the user."""

import errno

REASONS = {
    errno.ENOSPC: "the disk is full",
    errno.EDQUOT: "the disk quota is used up",
    errno.EIO: "the disk reports an input/output error",
    errno.EROFS: "the file system is read-only",
}
REMEDIES = {
    errno.ENOSPC: "free disk space",
    errno.EDQUOT: "free disk space, or ask for a larger quota",
    errno.EIO: "check the disk and its cable, or copy the run to another disk",
    errno.EROFS: "mount the disk writable (a faulty one is mounted read-only; see dmesg), or copy the run elsewhere",
    errno.EACCES: "make the folder writable (chmod u+w)",
    errno.EPERM: "make the folder writable (chmod u+w)",
    errno.EMFILE: "raise the limit of open files (ulimit -n)",
}


def reason_of(error: OSError) -> str:
    return REASONS.get(error.errno or 0) or error.strerror or str(error)


def remedy_of(error: OSError) -> str:
    """What to do before the command is repeated."""
    return REMEDIES.get(error.errno or 0, "fix that")
