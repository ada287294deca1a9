#!/usr/bin/env python3
"""Reads a workbook with openpyxl: values, kinds of cells and the quote prefix. Writes {"sheets": {name: [[[kind, value, quoted]]]}}."""
import argparse
import json
import sys

import openpyxl


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("workbook")
    parser.add_argument("--out", required=True)
    asked = parser.parse_args()
    book = openpyxl.load_workbook(asked.workbook)
    sheets = {}
    for sheet in book.worksheets:
        rows = []
        for row in sheet.iter_rows():
            rows.append([[cell.data_type, cell.value, bool(cell.style and cell.quotePrefix)] for cell in row])
        sheets[sheet.title] = rows
    with open(asked.out, "w", encoding="utf-8") as file:
        json.dump({"sheets": sheets}, file)
    return 0


if __name__ == "__main__":
    sys.exit(main())
