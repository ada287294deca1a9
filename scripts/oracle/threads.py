#!/usr/bin/env python3
"""An independent reader of threads, to hold the program's links against.

  threads.py MAILBOX... --case DIR [--embley BINARY] [--out report.json]

Each mailbox was taken into a case of its own or into one case together; the folder of the case is given. For every
message of the mailboxes (Python's own mailbox and email packages) the script works out which message it follows by
the rule of RFC 5322 section 3.6.4 as documented: the last entry of References of which a message is held; when none
is, the first entry of In-Reply-To of which one is. Then it asks `embley` for the links of the same messages and
lists each one on which the two disagree. A message is known by its Message-ID and the SHA-256 of its bytes.

It also counts, for each mailbox by itself, the messages that carry In-Reply-To or References and those of them that
refer to a message of the same mailbox. Exit code 0: no difference; 1: differences; 2: usage.

Only the standard library is used, and nothing of the program's own code.
"""

import argparse
import email
import email.policy
import hashlib
import json
import re
import subprocess
import sys

ID = re.compile(rb"<([^>]*)>")


def ids(value):
    """The ids of a field: what stands in angle brackets, without white space; without any, words with an @."""
    if value is None:
        return []
    raw = value.encode("utf-8", "surrogateescape") if isinstance(value, str) else bytes(value)
    found = [re.sub(rb"\s", b"", one) for one in ID.findall(raw)]
    found = [one for one in found if one and len(one) < 2000]
    if not found and b"<" not in raw:
        found = [one for one in raw.split() if b"@" in one]
    return found


def messages(path):
    """Each message of an mboxrd: bytes without separator, quoting undone, without the line end before the next one."""
    with open(path, "rb") as file:
        data = file.read()
    starts = [0] + [found.start() + 1 for found in re.finditer(rb"\nFrom ", data)]
    assert data.startswith(b"From "), path
    for start, end in zip(starts, starts[1:] + [len(data)]):
        body = data[data.index(b"\n", start) + 1 : end]
        if body.endswith(b"\n"):
            body = body[:-1]
        yield re.sub(rb"(?m)^>(>*From )", rb"\1", body)


def read(path):
    found = []
    for raw in messages(path):
        message = email.message_from_bytes(raw, policy=email.policy.compat32)
        own = ids(str(message.get("Message-ID", "")))[:1]
        references, reply = [], []
        for value in message.get_all("References", []):
            references += ids(str(value))
        for value in message.get_all("In-Reply-To", []):
            reply += ids(str(value))
        found.append(
            {
                "sha256": hashlib.sha256(raw).hexdigest(),
                "id": own[0] if own else None,
                "references": references,
                "in_reply_to": reply,
            }
        )
    return found


def parent(one, held):
    for at, entry in enumerate(reversed(one["references"])):
        if entry != one["id"] and entry in held:
            return entry, "references", at
    for entry in one["in_reply_to"]:
        if entry != one["id"] and entry in held:
            return entry, "in-reply-to", None
    return None, None, None


def embley_links(binary, case):
    """Every message of the case with its link, by item number."""
    links = {}
    todo = [
        (hit["item_no"], hit)
        for hit in lines(binary, case, ["search", "--all", "--no-snippets", "--format", "jsonl", "--", "type:email"])
    ]
    by_item = dict(todo)
    for item, hit in todo:
        if item in links:
            continue
        for node in lines(binary, case, ["show", str(item), "--thread", "--no-texts", "--format", "jsonl"]):
            if node["node"] == "message":
                links[node["item_no"]] = node
        assert item in links, f"item {item} is not in its own thread"
    return by_item, links


def lines(binary, case, args):
    done = subprocess.run([binary, "--case", case, *args], capture_output=True, check=False)
    if done.returncode not in (0, 1):
        raise SystemExit(f"{args}: exit code {done.returncode}: {done.stderr.decode()}")
    return [json.loads(line) for line in done.stdout.splitlines() if line.strip()]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("mailboxes", nargs="+")
    parser.add_argument("--case", required=True)
    parser.add_argument("--embley", default="embley")
    parser.add_argument("--out")
    args = parser.parse_args()

    every, counts = [], {}
    for path in args.mailboxes:
        found = read(path)
        held = {one["id"] for one in found if one["id"]}
        refer = [one for one in found if one["references"] or one["in_reply_to"]]
        within = [one for one in refer if parent(one, held)[0]]
        counts[path] = {
            "messages": len(found),
            "refer": len(refer),
            "within": len(within),
            "named_within": sum(1 for one in refer if any(i in held for i in one["references"] + one["in_reply_to"])),
        }
        every += found
    held = {one["id"] for one in every if one["id"]}
    hits, links = embley_links(args.embley, args.case)
    id_of = {item: ids(hit["message_id"] or "")[:1] for item, hit in hits.items()}
    by_hash = {hit["sha256"]: item for item, hit in hits.items()}
    differences, linked, lost = [], 0, 0
    reasons = {}
    for one in every:
        item = by_hash.get(one["sha256"])
        if item is None:
            lost += 1
            continue
        link = links[item]
        expected, reason, behind = parent(one, held)
        got = id_of[link["parent"]] if link["parent"] else []
        if not link["reason"] or not link["reason_detail"]:
            differences.append({"item": item, "said": "a link without a reason"})
        if link["reason"] in ("references", "in-reply-to"):
            linked += 1
        reasons[link["reason"]] = reasons.get(link["reason"], 0) + 1
        same = (got == [expected] and reason == link["reason"]) if expected else link["reason"] not in ("references", "in-reply-to")
        if not same and "ring-broken" not in link["oddities"]:
            differences.append(
                {
                    "item": item,
                    "expected": [expected and expected.decode("utf-8", "replace"), reason, behind],
                    "got": [[i.decode("utf-8", "replace") for i in got], link["reason"]],
                }
            )
    report = {
        "schema": 1,
        "mailboxes": counts,
        "messages": len(every),
        "linked_by_headers": linked,
        "reasons": reasons,
        "not_found": lost,
        "differences": differences,
    }
    text = json.dumps(report, indent=1, sort_keys=True)
    if args.out:
        with open(args.out, "w", encoding="utf-8") as file:
            file.write(text)
    print(text if len(text) < 20000 else text[:20000])
    sys.exit(1 if differences or lost else 0)


if __name__ == "__main__":
    main()
