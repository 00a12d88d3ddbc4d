#!/usr/bin/env python3
"""Writes the tables of src/spec/k8s as C++: feature gates and the fields of Pod and KubeletConfiguration.

usage: generate-k8s-tables.py gates DATA.tsv OUT.cc
       generate-k8s-tables.py schema FUNCTION DATA.tsv OUT.cc

The formats of the data files are described in their first lines.
"""

import re
import sys

STAGES = {"A": "kAlpha", "B": "kBeta", "G": "kGa", "D": "kDeprecated", "R": "kRemoved"}
KINDS = {
    "string": "kString", "bool": "kBool", "int32": "kInt32", "int64": "kInt64", "float64": "kFloat64",
    "duration": "kDuration", "quantity": "kQuantity", "intOrString": "kIntOrString", "any": "kAny",
}
SUPPORT = {"yes": "kYes", "warn": "kWarn", "error": "kError"}


class BadData(Exception):
    pass


def rows(path):
    with open(path, encoding="utf-8") as file:
        for number, line in enumerate(file, 1):
            line = line.rstrip("\n")
            if line and not line.startswith("#"):
                yield f"{path}:{number}", line.split("\t")


def literal(text):
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def gate_rows(path):
    lines, seen = [], set()
    for where, (name, *stages) in rows(path):
        if name in seen or not stages:
            raise BadData(f"{where}: gate {name} is repeated or has no stage")
        seen.add(name)
        for stage in stages:
            match = re.fullmatch(r"1\.(\d+):([ABGDR])([+-]?)(!?)", stage)
            if not match:
                raise BadData(f"{where}: malformed stage {stage}")
            minor, letter, default, locked = match.groups()
            lines.append((name, int(minor), f"{{{literal(name)}, {minor}, {{GateStage::{STAGES[letter]}, "
                          f"{'true' if default == '+' else 'false'}, {'true' if locked else 'false'}}}}},"))
    return [text for _, _, text in sorted(lines, key=lambda line: line[:2])]


def write_gates(path, out):
    body = "\n".join("    " + line for line in gate_rows(path))
    out.write(f"""#include "spec/k8s/feature_gate_table.h"

namespace portcullis::k8s {{
namespace {{
constexpr GateTableRow kRows[] = {{
{body}
}};
}}  // namespace

std::span<const GateTableRow> GateTable() {{ return kRows; }}

}}  // namespace portcullis::k8s
""")


def field_literal(where, objects, field):
    name, type_name, support, default, note = field
    shape, kind, target = "kOne", type_name, ""
    for prefix, prefix_shape in (("map:[]", "kMapOfLists"), ("map:", "kMap"), ("[]", "kList")):
        if kind.startswith(prefix):
            shape, kind = prefix_shape, kind[len(prefix):]
            break
    if kind in KINDS:
        kind = KINDS[kind]
    elif kind in objects:
        kind, target = "kObject", kind
    else:
        raise BadData(f"{where}: unknown type {type_name}")
    if support not in SUPPORT:
        raise BadData(f"{where}: unknown support {support}")
    return (f"{{{literal(name)}, FieldShape::{shape}, FieldKind::{kind}, {literal(target)}, "
            f"FieldSupport::{SUPPORT[support]}, {literal(note)}, {literal(default)}}},")


def write_schema(function, path, out):
    objects = {}
    for where, columns in rows(path):
        if not 4 <= len(columns) <= 6:
            raise BadData(f"{where}: expected 4 to 6 columns")
        columns += [""] * (6 - len(columns))
        fields = objects.setdefault(columns[0], [])
        if any(columns[1] == field[0] for _, field in fields):
            raise BadData(f"{where}: field {columns[1]} is repeated")
        fields.append((where, columns[1:]))
    out.write('#include "spec/k8s/schema.h"\n\nnamespace portcullis::k8s {\nnamespace {\n')
    for index, fields in enumerate(objects.values()):
        out.write(f"constexpr FieldSchema kFields{index}[] = {{\n")
        for where, field in fields:
            out.write(f"    {field_literal(where, objects, field)}\n")
        out.write("};\n")
    out.write("constexpr ObjectSchema kObjects[] = {\n")
    for index, name in enumerate(objects):
        out.write(f"    {{{literal(name)}, kFields{index}}},\n")
    out.write(f"}};\n}}  // namespace\n\nSchemaTable {function}() {{ return kObjects; }}\n\n}}  // namespace portcullis::k8s\n")


def main(arguments):
    try:
        if len(arguments) == 3 and arguments[0] == "gates":
            with open(arguments[2], "w", encoding="utf-8") as out:
                write_gates(arguments[1], out)
        elif len(arguments) == 4 and arguments[0] == "schema":
            with open(arguments[3], "w", encoding="utf-8") as out:
                write_schema(arguments[1], arguments[2], out)
        else:
            sys.exit(__doc__)
    except BadData as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main(sys.argv[1:])
