"""What every kernel of an environment loads, because nbdurable is installed in it.

``etc/ipython/ipython_kernel_config.json`` names this module. Importing the package has
turned the extension on already, unless ``NBDURABLE_AUTOLOAD=0``; so there is nothing
left to do, and an explicit ``%load_ext nbdurable`` still works then.
"""

from __future__ import annotations


def load_ipython_extension(_shell: object) -> None:
    """IPython wants a function; the import did the work."""
