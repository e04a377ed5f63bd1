"""The three themes of the app; the only place with colours as numbers."""

from __future__ import annotations

from textual.theme import Theme

DARK = Theme(
    name="proc2dbt-dark",
    primary="#7aa2f7",
    secondary="#bb9af7",
    accent="#ff9e64",
    foreground="#c8d0e8",
    background="#15161e",
    surface="#1b1d28",
    panel="#292c3c",
    success="#9ece6a",
    warning="#e0af68",
    error="#f7768e",
    dark=True,
    variables={
        "code-keyword": "#7aa2f7",
        "code-string": "#9ece6a",
        "code-number": "#ff9e64",
        "code-comment": "#6b7394",
        "code-name": "#7dcfff",
        "code-template": "#bb9af7",
        "quiet": "#8089ab",
        "cursor-row": "#2e3654",
        "cursor-row-blurred": "#222536",
    },
)

LIGHT = Theme(
    name="proc2dbt-light",
    primary="#2e5cb8",
    secondary="#7340a8",
    accent="#b04a00",
    foreground="#22262f",
    background="#fbfbf8",
    surface="#f3f3ee",
    panel="#dedfd8",
    success="#2e7031",
    warning="#8a5a00",
    error="#b3213d",
    dark=False,
    variables={
        "code-keyword": "#2e5cb8",
        "code-string": "#2e7031",
        "code-number": "#b04a00",
        "code-comment": "#6f7480",
        "code-name": "#0b6a86",
        "code-template": "#7340a8",
        "quiet": "#646a78",
        "cursor-row": "#d3def5",
        "cursor-row-blurred": "#e6e8e4",
    },
)

CONTRAST = Theme(
    name="proc2dbt-contrast",
    primary="#ffffff",
    secondary="#ffff00",
    accent="#ffff00",
    foreground="#ffffff",
    background="#000000",
    surface="#000000",
    panel="#444444",
    success="#00ff00",
    warning="#ffff00",
    error="#ff6060",
    dark=True,
    variables={
        "code-keyword": "#00ffff",
        "code-string": "#00ff00",
        "code-number": "#ffff00",
        "code-comment": "#c0c0c0",
        "code-name": "#ffffff",
        "code-template": "#ff80ff",
        "quiet": "#d0d0d0",
        "cursor-row": "#0000d0",
        "cursor-row-blurred": "#333333",
    },
)

THEMES = (DARK, LIGHT, CONTRAST)
NAMES = tuple(theme.name for theme in THEMES)


def next_theme(name: str) -> str:
    """The theme after ``name``."""
    place = NAMES.index(name) if name in NAMES else -1
    return NAMES[(place + 1) % len(NAMES)]
