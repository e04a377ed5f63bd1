"""Claude as an author and as a reviewer of models, through the ``anthropic`` SDK.

``anthropic`` is imported by ``core.claude.connection`` alone, and only when something is sent.
Nothing here knows a screen or a pipeline: what happens is told to a ``Watcher``
(``core.claude.call``). Contract-tested against a stub server and recorded exchanges, not
live-tested.
"""
