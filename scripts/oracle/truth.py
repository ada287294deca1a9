#!/usr/bin/env python3
"""Holds a case against the truth file of the corpus that was ingested into it.

  truth.py CORPUS/truth.json --case DIR [--embley BINARY]

The case must hold one ingest of CORPUS/mail and nothing else (records and exhibits may be there). Checks counts, every
planted phrase, every needle and every case reference. Prints each difference; exit code 0: none, 1: some.
"""

import argparse
import json
import subprocess
import sys


class Case:
    def __init__(self, binary, case):
        self.command = [binary, "--case", case]

    def ask(self, *words):
        done = subprocess.run([*self.command, *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
        if done.returncode not in (0, 1):
            sys.exit(f"{' '.join(words)} gave exit code {done.returncode}: {done.stderr.decode(errors='replace')}")
        return done.stdout.decode()

    def count(self, query):
        return int(self.ask("search", query, "--count").strip())

    def hits(self, query):
        lines = self.ask("search", query, "--all", "--no-snippets", "--format", "jsonl").splitlines()
        return [hit for hit in map(json.loads, lines) if "item" in hit]


def check_counts(truth, case, expect):
    status = json.loads(case.ask("status", "--format", "json"))
    run = next(run for run in status["runs"] if run["discovered"])
    expect("entries", truth["messages"], run["discovered"])
    expect("new entries", truth["distinct_messages"], run["new"])
    expect("duplicate entries", truth["duplicate_messages"], run["duplicate"])
    expect("excepted entries", 0, run["excepted"])
    expect("balanced", True, run["balanced"])
    for kind in ("email", "email_top", "attachment", "document"):
        expect(f"items of kind {kind}", truth["items"][kind], run["items"][kind])
    expect("messages without text", truth["without_text"], run["not_searchable"].get("no-text", 0))


def check_planted(truth, case, expect):
    in_text = "(body:{0} OR attachment:{0})"
    for phrase in truth["phrases"]:
        quoted = f'"{phrase["phrase"]}"'
        hits = case.hits(in_text.format(quoted))
        expect(f"items with {quoted}", phrase["items"], len(hits))
        expect(f"families with {quoted}", phrase["families"], len({hit["family"] for hit in hits}))
        kinds = [hit["kind"] for hit in hits]
        expect(f"attachments with {quoted}", phrase["in_attachment"], kinds.count("attachment"))
        each = " AND ".join(f'"{word}"' for word in phrase["phrase"].split())
        both = f"body:({each}) OR attachment:({each})"
        expect(f"items with all words of {quoted}", phrase["items"] + phrase["decoy_items"], case.count(both))
    for needle in truth["needles"]:
        hits = case.hits(needle["query"])
        name = f"{needle['query']} ({needle['place']})"
        expect(f"items with {name}", needle["items"], len(hits))
        expect(f"field of {name}", needle["items"], case.count(f"{needle['field']}:{needle['query']}"))
        for hit in hits:
            part = hit["item"].partition("/")[2]
            expect(f"part with {name}", needle["part"], part)
    for one in truth["cases"]:
        quoted = f'"{one["case_ref"]}"'
        query = f"(subject:{quoted} OR body:{quoted}) AND type:email"
        expect(f"messages that name {one['case_ref']}", one["messages"], case.count(query))
        query = f"subject:{quoted} AND type:email"
        expect(f"subjects that name {one['case_ref']}", one["in_subject"], case.count(query))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("truth")
    parser.add_argument("--case", required=True)
    parser.add_argument("--embley", default="embley")
    arguments = parser.parse_args()
    with open(arguments.truth, encoding="utf-8") as file:
        truth = json.load(file)
    if truth.get("schema") != 1:
        sys.exit(f"{arguments.truth} has schema {truth.get('schema')}, this script reads 1")
    checked = differences = 0

    def expect(what, wanted, got):
        nonlocal checked, differences
        checked += 1
        if wanted != got:
            differences += 1
            print(f"{what}: the truth is {wanted!r}, the case says {got!r}")

    case = Case(arguments.embley, arguments.case)
    check_counts(truth, case, expect)
    check_planted(truth, case, expect)
    print(f"{checked} checks, {differences} differences")
    return 1 if differences else 0


if __name__ == "__main__":
    sys.exit(main())
