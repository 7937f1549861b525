# SPDX-License-Identifier: Apache-2.0
"""The Redis clients that people have, each against a real server: what they send on connect, and what they are for."""
from lib import node, rig


def test_ioredis_connects_and_pushes():
    """npm ioredis comes up with its ready check and its name, pushes a job and reads it."""
    with rig() as one:
        node("ioredis.js", one.port, "connect")


def test_ioredis_pipelines():
    """npm ioredis gets the answers of a pipeline in order, an error among them in its place."""
    with rig() as one:
        node("ioredis.js", one.port, "pipeline")
