"""The resources that are declared here, as the pinned packages have them, without loading the packages.

Each package imports some 400 modules and reads files of 5 to 7 MB: 4 s of every run. `make sdk` writes the classes in use
from the packages, and a test compares them: docs/decisions/0002-local-sdk.md.
"""
