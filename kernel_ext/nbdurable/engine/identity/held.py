"""What objects hold, as the collector of garbage is told.

From Python 3.13 on an object's attributes may stand in the object itself, and then its
``__dict__`` tells nothing of them: somebody's `vars(settings)` would look empty.
"""

from __future__ import annotations

import gc
import sys
from itertools import chain

if sys.version_info >= (3, 13):

    def held_by(*objects: object) -> list[object]:
        """What some objects refer to directly, as `gc.get_referents` gives it."""
        dicts = [each for each in objects if type(each) is dict]
        if not dicts:
            return gc.get_referents(*objects)
        others = (each for each in objects if type(each) is not dict)
        values = chain.from_iterable(map(dict.values, dicts))
        return [*gc.get_referents(*others), *chain.from_iterable(dicts), *values]

else:
    held_by = gc.get_referents
