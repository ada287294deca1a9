#!/usr/bin/env python3
"""Reads a Concordance DAT and an Opticon OPT, written from the description of the formats and from nothing of this project.

DAT: UTF-8 or UTF-16 with its mark; fields apart by U+0014, between U+00FE or bare; U+00FE within a field doubled; records end with CR LF
outside of a field; U+00AE stands for a line end. OPT: seven values apart by commas. Every record must have as many fields as the first.
Writes {"rows": [[...]], "pages": [[...]], "faults": [...]}; with --root, paths that begin with ".\\" must be there.
"""
import argparse
import json
import os
import sys

DELIMITER, QUOTE, LINE = "\x14", "\xfe", "\xae"


def decode(data):
    if data.startswith(b"\xff\xfe"):
        return data[2:].decode("utf-16-le")
    if data.startswith(b"\xef\xbb\xbf"):
        return data[3:].decode("utf-8")
    return data.decode("utf-8")


def records(text):
    row, field, quoted, at, begun = [], [], False, 0, True
    while at < len(text):
        letter = text[at]
        if quoted:
            if letter == QUOTE and text[at + 1:at + 2] == QUOTE:
                field.append(QUOTE)
                at += 1
            elif letter == QUOTE:
                quoted = False
            else:
                field.append("\n" if letter == LINE else letter)
        elif letter == QUOTE and begun:
            quoted = True
        elif letter == DELIMITER:
            row.append("".join(field))
            field, begun, at = [], True, at + 1
            continue
        elif letter in "\r\n":
            if text.startswith("\r\n", at):
                at += 1
            row.append("".join(field))
            yield row
            row, field, begun, at = [], [], True, at + 1
            continue
        else:
            field.append(letter)
        begun = False
        at += 1
    if quoted:
        row.append("(a field without its end)")
    if field or row:
        row.append("".join(field))
        yield row


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("dat")
    parser.add_argument("--opt")
    parser.add_argument("--root")
    parser.add_argument("--out", required=True)
    asked = parser.parse_args()
    with open(asked.dat, "rb") as file:
        rows = list(records(decode(file.read())))
    faults = []
    for number, row in enumerate(rows, 1):
        if len(row) != len(rows[0]):
            faults.append(f"record {number} has {len(row)} fields, the first has {len(rows[0])}")
    pages = []
    if asked.opt:
        with open(asked.opt, "rb") as file:
            for line in decode(file.read()).split("\r\n"):
                if line:
                    pages.append(line.split(","))
        for page in pages:
            if len(page) != 7 or page[3] not in ("", "Y"):
                faults.append(f"not a line of an OPT: {page}")
    if asked.root:
        named = [cell for row in rows for cell in row if cell.startswith(".\\")] + [page[2] for page in pages]
        for path in named:
            if not os.path.isfile(os.path.join(asked.root, path[2:].replace("\\", "/"))):
                faults.append(f"{path} is not there")
    with open(asked.out, "w", encoding="utf-8") as file:
        json.dump({"rows": rows, "pages": pages, "faults": faults}, file)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
