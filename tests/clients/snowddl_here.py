"""SnowDDL, whose command line knows no host, on the sandbox: `snowddl_here.py HOST PORT <arguments of snowddl>`."""

import functools
import sys

import snowflake.connector

host, port = sys.argv[1], int(sys.argv[2])
del sys.argv[1:3]
snowflake.connector.connect = functools.partial(snowflake.connector.connect, host=host, port=port, protocol="http")

from snowddl.app.base import entry_point  # noqa: E402

entry_point()
