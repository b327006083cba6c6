# %%
import dataclasses
import enum
import functools
from abc import ABC, abstractmethod
class Level(enum.IntEnum):
    LOW = 1
    HIGH = 2
# %%
@dataclasses.dataclass(order=True)
class Ticket:
    level: Level
    title: str = dataclasses.field(compare=False)
    notes: list[str] = dataclasses.field(default_factory=list, compare=False)

tickets = [Ticket(Level.HIGH, "pay"), Ticket(Level.LOW, "read", ["later"])]
min(tickets)
# %%
class Shape(ABC):
    @abstractmethod
    def area(self): ...

class Square(Shape):
    def __init__(self, side):
        self.side = side

    @functools.cached_property
    def area_once(self):
        return self.area()

    def area(self):
        return self.side**2

shapes = [Square(2), Square(3)]
[shape.area_once for shape in shapes]
# %%
def counter(start=0):
    def up(by=1):
        nonlocal start
        start += by
        return start
    return up

tick = counter(5)
tick(), tick(2)
# %%
@functools.lru_cache
def fib(n):
    return n if n < 2 else fib(n - 1) + fib(n - 2)

fib(20)
# %%
tickets[0].notes.append("urgent")
tickets.sort()
print([ticket.title for ticket in tickets])
# %%
match tickets[0]:
    case Ticket(level=Level.LOW, title=title, notes=[note]):
        said = f"{title}: {note}"
    case _:
        said = "?"
said
# %%
try:
    Shape()
except TypeError as error:
    why = type(error).__name__
why
# %%
tick()
