# %%
import networkx as nx
roads = nx.Graph(name="roads")
roads.add_weighted_edges_from([("a", "b", 4), ("b", "c", 1), ("a", "c", 7), ("c", "d", 2)])
# %%
path = nx.shortest_path(roads, "a", "d", weight="weight")
print(" → ".join(path))
# %%
roads.nodes["a"]["capital"] = True
roads.remove_edge("a", "c")
sorted(roads.edges)
# %%
class Depot:
    """A place that hands out goods."""

    def __init__(self, place):
        self.place, self.stock = place, {}

    def add(self, what, n=1):
        self.stock[what] = self.stock.get(what, 0) + n
        return self

depots = {place: Depot(place) for place in ("a", "d")}
depots["a"].add("tea", 3).add("coffee")
# %%
depots["d"].stock = depots["a"].stock
depots["d"].add("tea")
depots["a"].stock
# %%
central = max(nx.betweenness_centrality(roads).items(), key=lambda item: item[1])
central
