"""Passwords and tokens in addresses, which no file of a run and no screen shows."""

import re

HIDDEN = "***"
COLLAPSED_USER = re.compile(r"(?<=:/)[^/\s@:]+:[^/\s@?#\"'\\]+@")  # In an address that was taken as a path.
USER = re.compile(r"(?<=://)[^/\s@?#\"'\\]+@")  # user:password@, or a token alone.
NAMES = "token|key|secret|password|passwd|pwd|auth|credential|signature|sig"
QUERY = re.compile(rf"([?&;][\w.-]*(?:{NAMES})[\w.-]*=)[^&;\s#\"'\\]+", re.IGNORECASE)


def without_secrets(text: str) -> str:
    """A text in whose addresses `***` stands for the user with the password, and for tokens in the query."""
    if ":/" not in text:
        return text
    text = COLLAPSED_USER.sub(f"{HIDDEN}@", USER.sub(f"{HIDDEN}@", text))
    return QUERY.sub(rf"\g<1>{HIDDEN}", text) if "://" in text else text
