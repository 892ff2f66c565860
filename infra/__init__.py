"""What a stack declares: the only code that creates resources."""

import os

# Else pydantic looks for plugins in the metadata of every installed package, 20 ms of each run: docs.pydantic.dev, Plugins.
os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "true")
