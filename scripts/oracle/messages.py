#!/usr/bin/env python3
"""How many messages there are and which have no text, by Python's mailbox and email packages.

  messages.py read SOURCE... --out FILE
  messages.py check --case DIR [--embley BINARY] --out FILE

`read` writes, for each file below the sources, how many messages it holds, and the SHA-256 of each message without a
word of text of its own. `check` asks the program for all items that it lists as being without text, takes their
original bytes out with `show --raw`, and writes those in which this reader finds words. Neither judges: the tests do.

A message's own text is that of its text parts that are not attachments (no file name, not marked as one), and a
multipart that cannot be split; attached messages have texts of their own. What stands around the parts of a multipart
is to be ignored (RFC 2046 section 5.1.1), and so are the targets of links: a message that has nothing else is neither
said to have text nor to have none. A loose file's text is all of it. A word is a token as in differential.py.
"""

import argparse
import email
import hashlib
import json
import os
import re
import subprocess
import sys

import differential
from mail_parts import is_body

SCHEMA = 1


def own_words(message, around, is_root=True, in_alternative=False):
    """The words of a message's own text parts; with those around the parts and of links where `around` says so."""
    kind = message.get_content_type()
    if message.get_content_maintype() == "multipart":
        if not message.is_multipart():
            return part_words("text/plain", message.get_payload(decode=True) or b"", None)
        words = differential.tokens(f"{message.preamble or ''} {message.epilogue or ''}") if around else set()
        for part in message.get_payload():
            words |= own_words(part, around, False, in_alternative or kind == "multipart/alternative")
        return words
    if message.is_multipart() or not is_body(message, is_root, in_alternative):
        return set()
    data = differential.decoded_bytes(message, differential.Read())
    words = part_words(kind, data, message.get_content_charset())
    if around and kind == "text/html":
        words |= {"link"} if re.search(rb"(?i)\bhref\s*=", data) else set()
    return words


def part_words(kind, data, charset):
    text = differential.decoded_text(data, charset)
    markup = kind == "text/html" or (kind != "text/plain" and differential.is_markup(text))
    return differential.tokens(differential.html_text(text) if markup else text)


def words_of(data, around):
    """The words of an original: of the message's own text, or of a loose file."""
    if b"\r" in data and b"\n" not in data:
        data = data.replace(b"\r", b"\n")
    if differential.is_mail(data):
        return own_words(email.message_from_bytes(data), around)
    return part_words("", data, None)


def read(arguments):
    files, without, total, seen = {}, {}, 0, set()
    for source in arguments.source:
        above = os.path.dirname(os.path.abspath(source))
        for entry in differential.entries(source):
            path = os.path.relpath(entry.path, above)
            files[path] = files.get(path, 0) + 1
            total += 1
            data = entry.unquoted()
            digest = hashlib.sha256(data).hexdigest()
            if digest in seen:
                continue
            seen.add(digest)
            if differential.is_mail(data) and not words_of(data, True):
                without[digest] = f"{path}#{entry.ordinal}"
    return {"schema": SCHEMA, "messages": total, "distinct": len(seen), "files": files, "without_text": without}


def check(arguments):
    command = [arguments.embley, "--case", arguments.case]

    def ask(*words):
        done = subprocess.run([*command, *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
        if done.returncode not in (0, 1):
            sys.exit(f"{' '.join(words)} gave exit code {done.returncode}: {done.stderr.decode(errors='replace')}")
        return done.stdout

    lines = ask("search", "--all", "--no-snippets", "--format", "jsonl", "--", "has:no-text").splitlines()
    hits = [hit for hit in map(json.loads, lines) if "item" in hit]
    with_words = []
    for hit in hits:
        data = ask("show", hit["item"], "--raw")
        if hashlib.sha256(data).hexdigest() != hit["sha256"]:
            sys.exit(f"{hit['item']}: show --raw gives other bytes than those of its hash")
        words = part_words(hit["media_type"], data, None) if hit["kind"] == "attachment" else words_of(data, False)
        if words:
            found = {name: hit[name] for name in ("item", "sha256", "kind", "media_type", "filename", "defects")}
            with_words.append({**found, "words": sorted(words)[:20], "count": len(words)})
    kinds = {kind: sum(hit["kind"] == kind for hit in hits) for kind in sorted({hit["kind"] for hit in hits})}
    return {"schema": SCHEMA, "listed": len(hits), "kinds": kinds, "with_words": with_words}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    commands = parser.add_subparsers(dest="command", required=True)
    reader = commands.add_parser("read", help="count messages and find those without text")
    reader.add_argument("source", nargs="+")
    reader.add_argument("--out", required=True)
    checker = commands.add_parser("check", help="look at what the program lists as being without text")
    checker.add_argument("--case", required=True)
    checker.add_argument("--embley", default="embley")
    checker.add_argument("--out", required=True)
    arguments = parser.parse_args()
    result = read(arguments) if arguments.command == "read" else check(arguments)
    with open(arguments.out, "w", encoding="utf-8") as file:
        json.dump(result, file, ensure_ascii=False)
    print(json.dumps({key: value for key, value in result.items() if not isinstance(value, (dict, list))}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
