"""Times bulk changes of facts on a case: a tag put on all hits of a query, taken off, put on again and undone, each as a whole process, with a
search behind each that must see it."""

import measure

# Queries over words of the made corpus, common and rarer; the one with the fewest hits that are enough is taken.
CANDIDATES = [
    "meeting AND report AND statement",
    "meeting AND report",
    "meeting NOT report",
    "report NOT meeting",
    "meeting",
    "report",
    "*",
]
TAG = "bench"


def count(bench, case, query):
    cost = bench.call(["--case", case, "search", query, "--count"], check=False)
    return int(cost.out or 0)


def choose(bench, case, wanted):
    """The query, and its hits: the fewest that are at least as many as wanted, else the most."""
    found = sorted((count(bench, case, query), query) for query in CANDIDATES)
    enough = [one for one in found if one[0] >= wanted]
    hits, query = enough[0] if enough else found[-1]
    return query, hits


def step(bench, case, wanted, fault):
    query, hits = choose(bench, case, wanted)
    words = ["--case", case, "tag"]
    walls = {}

    def changed(name, arguments, expected):
        cost = bench.call(words + arguments)
        seen = bench.call(["--case", case, "search", f"tag:{TAG}", "--count"], check=False)
        if int(seen.out or 0) != expected:
            raise fault(f"after {name} the next search sees {seen.out.strip()} items with the tag, not {expected}")
        walls[name] = cost.wall
        walls[f"search after {name}"] = seen.wall
        return cost

    tagged = changed("add", ["add", TAG, "--query", query], hits)
    changed("remove", ["remove", TAG, "--query", query], 0)
    again = changed("add again", ["add", TAG, "--query", query], hits)
    event = again.err.split("`embley tag undo ")[1].split("`")[0]
    changed("undo", ["undo", event], 0)
    return tagged, {"query": query, "hits": hits, "walls_of": walls}


def show(one):
    rows = [[name, f"{wall:.3f}"] for name, wall in one["walls_of"].items()]
    print(f"\na tag on the {one['hits']} hits of {one['query']!r}, each line a whole process:")
    print(measure.table(rows, ["step", "wall s"]))
