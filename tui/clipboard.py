"""Copying: OSC 52, which also works over ssh, wrapped where tmux or screen would swallow it."""

from __future__ import annotations

import base64
import os

LARGEST = 74_994
"""Bytes that terminals take in one OSC 52 sequence (xterm's limit is 100,000 of base64)."""


def sequence(text: str, environment: dict[str, str] | None = None) -> str | None:
    """What to write to the terminal to copy ``text``; ``None`` when it is too long for that."""
    data = text.encode("utf-8", "replace")
    if len(data) > LARGEST:
        return None
    env = os.environ if environment is None else environment
    code = f"\x1b]52;c;{base64.b64encode(data).decode()}\a"
    if env.get("TMUX"):
        return code + "\x1bPtmux;" + code.replace("\x1b", "\x1b\x1b") + "\x1b\\"
    if env.get("TERM", "").startswith("screen"):
        return "\x1bP" + code + "\x1b\\"
    return code
