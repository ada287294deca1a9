#!/usr/bin/env python3
"""Second opinion on parsed messages, by Python's email package.

Usage: cargo run --release -p embley-formats --example families -- dump PATH... | scripts/oracle/mail_parts.py

Reads the dump, parses the same files again, and prints each difference in: children (kind, type, SHA-256 of the
decoded bytes), Message-ID, date in UTC, and words of text/plain bodies that are not in the text. A summary by kind of
difference comes last. Not a gate: what differs is looked at by a person, with the RFC in hand.
"""

import collections
import email
import email.policy
import email.utils
import hashlib
import json
import mailbox
import re
import sys

WORD = re.compile(r"[^\W_]{4,}")


def raw_messages(path):
    with open(path, "rb") as file:
        data = file.read()
    if not data.startswith(b"From "):
        yield data
        return
    box = mailbox.mbox(path, create=False)
    for key in box.keys():
        yield re.sub(rb"(?m)^>(>*From )", rb"\1", box.get_bytes(key))


def is_body(part, is_root, in_alternative):
    kind = part.get_content_type()
    if part.get_content_maintype() != "text":
        return False
    disposition = part.get_content_disposition()
    if disposition not in (None, "inline"):
        return False
    if part.get_filename() is None or is_root:
        return True
    return in_alternative and kind in ("text/plain", "text/html")


def children(message, out, is_root=True, in_alternative=False):
    """Appends (kind, type, sha256) of every child in document order, and body parts as ('body', ...)."""
    kind = message.get_content_type()
    if message.get_content_maintype() == "multipart":
        if not isinstance(message.get_payload(), list):
            out.append(("body", message, None))
            return
        for part in message.get_payload():
            children(part, out, False, in_alternative or kind == "multipart/alternative")
        return
    if kind in ("message/rfc822", "message/global", "message/news") and isinstance(message.get_payload(), list):
        out.append(("email", kind, None))
        for part in message.get_payload():
            children(part, out, True, False)
        return
    if is_body(message, is_root, in_alternative):
        out.append(("body", message, None))
        return
    if isinstance(message.get_payload(), list):
        # delivery-status is split into blocks by this package; its bytes are put together again.
        text = "\n".join(block.as_string() for block in message.get_payload())
        out.append(("attachment", kind, None if text else None))
        return
    data = message.get_payload(decode=True) or b""
    out.append(("attachment", kind, hashlib.sha256(data).hexdigest()))


def decoded(part):
    data = part.get_payload(decode=True) or b""
    charset = part.get_content_charset() or "us-ascii"
    try:
        return data.decode(charset)
    except (LookupError, UnicodeDecodeError):
        return None


def fold(text):
    return text.lower()


def compare(item_list, raw, report):
    message = email.message_from_bytes(raw, policy=email.policy.compat32)
    expected = []
    children(message, expected)
    theirs = [(kind, value, digest) for kind, value, digest in expected if kind != "body"]
    ours = [(i["kind"], i["type"], i["sha256"]) for i in item_list[1:]]
    uuencoded = any("MAIL-UUENCODE" in d for i in item_list for d in i["defects"])
    if len(ours) != len(theirs) and not uuencoded:
        report("children", f"{len(ours)} here, {len(theirs)} there: {[o[1] for o in ours]} / {[t[1] for t in theirs]}")
    elif not uuencoded:
        for our, their in zip(ours, theirs):
            if our[0] != their[0] or our[1] != their[1]:
                report("kind", f"{our[:2]} here, {their[:2]} there")
            elif their[2] is not None and our[2] != their[2]:
                report("bytes", f"{our[1]} differs")
    mail = item_list[0]["mail"]
    there = message.get("Message-ID")
    there = re.sub(r"[\r\n]", "", str(there)).strip() if there is not None else None
    if (there or None) != mail["message_id"]:
        report("message-id", f"{mail['message_id']!r} here, {there!r} there")
    date = message.get("Date")
    try:
        when = int(email.utils.mktime_tz(email.utils.parsedate_tz(str(date)))) if date else None
    except (TypeError, ValueError, OverflowError):
        when = None
    here = mail["date"] if mail["date_source"] == "date-header" else None
    if when != here:
        report("date", f"{here} here, {when} there: {date!r}")
    words = {fold(word) for i in item_list for word in WORD.findall(i["text"])}
    text = fold(" ".join(i["text"] for i in item_list))
    for kind, part, _ in expected:
        if kind == "body" and part.get_content_type() == "text/plain" and not uuencoded:
            there = decoded(part)
            if there is None:
                continue
            missing = [word for word in WORD.findall(there) if fold(word) not in words and fold(word) not in text]
            if missing:
                report("words", f"{len(missing)} missing, such as {missing[:5]}")


def main():
    counts = collections.Counter()
    cache_path, cache = None, {}
    for line in sys.stdin:
        entry = json.loads(line)
        name, items = entry["name"], entry["items"]
        path = name.rsplit("#", 1)[0] if re.search(r"#\d+$", name) else name
        if path != cache_path:
            cache_path = path
            cache = {hashlib.sha256(raw).hexdigest(): raw for raw in raw_messages(path)}
        counts["messages"] += 1
        raw = cache.get(items[0]["sha256"])
        if raw is None:
            counts["not matched"] += 1
            print(f"not matched: {name}")
            continue

        def report(kind, detail):
            counts[kind] += 1
            print(f"{kind}: {name}: {detail}"[:600])

        try:
            compare(items, raw, report)
        except Exception as error:  # the package fails on some input; that is a finding about it
            counts["python failed"] += 1
            print(f"python failed: {name}: {error!r}")
    print(dict(counts))


if __name__ == "__main__":
    main()
