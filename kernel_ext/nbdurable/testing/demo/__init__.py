"""Kill a kernel in the middle of an agent, run its notebook again, and count.

``make demo``, or ``python -m nbdurable.testing.demo``. Two servers that no kernel takes
with it count what arrives: a fake model server, and a process for the effects of tools.
"""
